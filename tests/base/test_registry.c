// SPDX-License-Identifier: Apache-2.0

#include "base/registry.h"
#include "support/oom.h"
#include "support/support.h"

#include <string.h>

typedef struct pgd_params {
    int64_t steps;
} pgd_params;

static const wsr__option pgd_schema[] = {
    {.key = "steps",
     .kind = WSR__INT,
     .offset = offsetof(pgd_params, steps),
     .fallback = "7",
     .min = 1,
     .max = 1000},
    {.key = NULL},
};

static const wsr__class fgsm = {.name = "fgsm", .summary = "one step"};
static const wsr__class pgd = {.name = "pgd",
                               .summary = "many steps",
                               .schema = pgd_schema,
                               .params_size = sizeof(pgd_params)};
static const wsr__class square = {.name = "square", .summary = "no gradients"};
static const wsr__class *const classes[] = {&fgsm, &pgd, &square, NULL};
static const wsr__family attacks = {.name = "attack", .classes = classes};

START_TEST(a_class_is_found_by_its_name)
{
    const wsr__class *found = NULL;
    ck_assert_ok(wsr__class_find(&found, &attacks, "pgd"));
    ck_assert_ptr_eq(found, &pgd);
    ck_assert_ok(wsr__class_find(&found, &attacks, "square"));
    ck_assert_ptr_eq(found, &square);
}
END_TEST

START_TEST(an_unknown_class_gets_a_suggestion)
{
    const wsr__class *found = &pgd;
    ck_assert_fails(wsr__class_find(&found, &attacks, "sqare"), WSR_NOTFOUND,
                    "attack: there is no 'sqare', did you mean 'square'");
    ck_assert_ptr_null(found);
}
END_TEST

START_TEST(an_unknown_class_unlike_all_others_gets_the_list)
{
    const wsr__class *found = NULL;
    ck_assert_fails(wsr__class_find(&found, &attacks, "deepfool"), WSR_NOTFOUND,
                    "there are fgsm, pgd, square");
}
END_TEST

START_TEST(params_start_from_defaults)
{
    void *params = NULL;
    ck_assert_ok(wsr__class_params(&params, &pgd, ""));
    ck_assert_int_eq(((const pgd_params *)params)->steps, 7);
    wsr__free(params);
    ck_assert_ok(wsr__class_params(&params, &pgd, "steps=20"));
    ck_assert_int_eq(((const pgd_params *)params)->steps, 20);
    wsr__free(params);
}
END_TEST

START_TEST(wrong_options_name_the_class)
{
    void *params = NULL;
    ck_assert_fails(wsr__class_params(&params, &pgd, "steps=0"), WSR_CONFIG,
                    "pgd.steps: 0 is outside [1, 1000]");
    ck_assert_ptr_null(params);
    ck_assert_fails(wsr__class_params(&params, &fgsm, "steps=3"), WSR_CONFIG,
                    "fgsm.steps: there are no options here");
}
END_TEST

START_TEST(a_class_without_params_yields_none)
{
    void *params = &params;
    ck_assert_ok(wsr__class_params(&params, &fgsm, ""));
    ck_assert_ptr_null(params);
}
END_TEST

START_TEST(params_are_copied_or_made_of_defaults)
{
    void *params = NULL;
    ck_assert_ok(wsr__class_copy(&params, &pgd, &(pgd_params){.steps = 11}));
    ck_assert_int_eq(((const pgd_params *)params)->steps, 11);
    wsr__free(params);
    ck_assert_ok(wsr__class_copy(&params, &pgd, NULL));
    ck_assert_int_eq(((const pgd_params *)params)->steps, 7);
    wsr__free(params);
    ck_assert_ok(wsr__class_copy(&params, &fgsm, NULL));
    ck_assert_ptr_null(params);
}
END_TEST

START_TEST(a_spec_yields_class_and_params)
{
    const wsr__class *cls = NULL;
    void *params = NULL;
    ck_assert_ok(wsr__class_spec(&cls, &params, &attacks, "pgd:steps=3"));
    ck_assert_ptr_eq(cls, &pgd);
    ck_assert_int_eq(((const pgd_params *)params)->steps, 3);
    wsr__free(params);
}
END_TEST

START_TEST(a_wrong_spec_yields_nothing)
{
    const wsr__class *cls = NULL;
    void *params = NULL;
    ck_assert_fails(wsr__class_spec(&cls, &params, &attacks, "pgd:stesp=3"),
                    WSR_CONFIG, "did you mean 'pgd.steps'");
    ck_assert_ptr_null(cls);
    ck_assert_ptr_null(params);
    ck_assert_int_eq(wsr__class_spec(&cls, &params, &attacks, ""), WSR_CONFIG);
}
END_TEST

static wsr_status make_params(void *ctx)
{
    (void)ctx;
    const wsr__class *cls = NULL;
    void *params = NULL;
    const wsr_status status =
        wsr__class_spec(&cls, &params, &attacks, "pgd:steps=3");
    ck_assert((params == NULL) == (status != WSR_OK));
    wsr__free(params);
    return status;
}

START_TEST(short_memory_fails_without_a_leak)
{
    ck_assert_uint_ge(oom_sweep(make_params, NULL), 2);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_class_is_found_by_its_name,
        an_unknown_class_gets_a_suggestion,
        an_unknown_class_unlike_all_others_gets_the_list,
        params_start_from_defaults,
        wrong_options_name_the_class,
        a_class_without_params_yields_none,
        params_are_copied_or_made_of_defaults,
        a_spec_yields_class_and_params,
        a_wrong_spec_yields_nothing,
        short_memory_fails_without_a_leak,
        NULL,
    };
    return suite_of("registry", tests);
}
