// SPDX-License-Identifier: Apache-2.0

#include "base/param.h"
#include "support/support.h"

#include <string.h>

typedef struct settings {
    bool random_start;
    int64_t steps;
    double eps;
    wsr__text norm;
    wsr__text note;
    wsr__floats strengths;
    wsr__ints milestones;
} settings;

static const char *const norms[] = {"linf", "l2", NULL};

static const wsr__option schema[] = {
    {.key = "random_start",
     .kind = WSR__BOOL,
     .offset = offsetof(settings, random_start),
     .fallback = "true"},
    {.key = "steps",
     .kind = WSR__INT,
     .offset = offsetof(settings, steps),
     .fallback = "7",
     .min = 1,
     .max = 1000},
    {.key = "eps",
     .kind = WSR__FLOAT,
     .offset = offsetof(settings, eps),
     .fallback = "8/255",
     .max = 1},
    {.key = "norm",
     .kind = WSR__WORD,
     .offset = offsetof(settings, norm),
     .fallback = "linf",
     .words = norms},
    {.key = "note", .kind = WSR__TEXT, .offset = offsetof(settings, note)},
    {.key = "strengths",
     .kind = WSR__FLOATS,
     .offset = offsetof(settings, strengths),
     .fallback = "[0.03, 0.06]",
     .max = 1},
    {.key = "milestones",
     .kind = WSR__INTS,
     .offset = offsetof(settings, milestones),
     .fallback = "[]"},
    {.key = NULL},
};

START_TEST(defaults_are_those_of_the_schema)
{
    settings s;
    memset(&s, 0xee, sizeof(s));
    wsr__params_default(&s, schema);
    ck_assert(s.random_start);
    ck_assert_int_eq(s.steps, 7);
    ck_assert_double_eq(s.eps, 8.0 / 255.0);
    ck_assert_str_eq(s.norm.s, "linf");
    ck_assert_str_eq(s.note.s, "");
    ck_assert_uint_eq(s.strengths.n, 2);
    ck_assert_uint_eq(s.milestones.n, 0);
}
END_TEST

START_TEST(a_wrong_value_is_named_with_key_and_place)
{
    settings s;
    wsr__params_default(&s, schema);
    ck_assert_int_eq(wsr__params_set(&s, schema, "attack.", "steps", "0",
                                     "(search.yaml:14)"),
                     WSR_CONFIG);
    ck_assert_str_eq(wsr_error_detail(),
                     "attack.steps: 0 is outside [1, 1000] (search.yaml:14)");
    ck_assert_int_eq(wsr__params_set(&s, schema, "", "steps", "x", NULL),
                     WSR_CONFIG);
    ck_assert_str_eq(wsr_error_detail(), "steps: 'x' is not a whole number");
    ck_assert_int_eq(s.steps, 7);
}
END_TEST

START_TEST(an_unknown_key_gets_a_suggestion)
{
    settings s;
    wsr__params_default(&s, schema);
    ck_assert_int_eq(
        wsr__params_set(&s, schema, "attack.", "step", "3", "(a.yaml:2)"),
        WSR_CONFIG);
    ck_assert_str_eq(wsr_error_detail(),
                     "attack.step: is not an option, did you mean "
                     "'attack.steps' (a.yaml:2)");
}
END_TEST

START_TEST(an_unknown_key_unlike_all_others_gets_the_list)
{
    settings s;
    wsr__params_default(&s, schema);
    ck_assert_fails(wsr__params_set(&s, schema, "", "momentum", "3", NULL),
                    WSR_CONFIG,
                    "momentum: is not an option, permitted are random_start, "
                    "steps, eps, norm, note, strengths, milestones");
}
END_TEST

START_TEST(without_a_schema_every_key_is_unknown)
{
    ck_assert_fails(wsr__params_set(NULL, NULL, "relu.", "slope", "1", NULL),
                    WSR_CONFIG, "relu.slope: there are no options here");
}
END_TEST

START_TEST(pairs_are_parsed_and_brackets_hold_lists_together)
{
    settings s;
    wsr__params_default(&s, schema);
    ck_assert_ok(wsr__params_parse(
        &s, schema, "",
        "steps=20,random_start=false,strengths=[0.1,2/255],note=\"a,b [c\","
        "milestones=3"));
    ck_assert_int_eq(s.steps, 20);
    ck_assert(!s.random_start);
    ck_assert_uint_eq(s.strengths.n, 2);
    ck_assert_double_eq(s.strengths.v[1], 2.0 / 255.0);
    ck_assert_str_eq(s.note.s, "a,b [c");
    ck_assert_uint_eq(s.milestones.n, 1);
    ck_assert_ok(wsr__params_parse(&s, schema, "", ""));
}
END_TEST

START_TEST(broken_pairs_are_refused)
{
    settings s;
    wsr__params_default(&s, schema);
    ck_assert_fails(wsr__params_parse(&s, schema, "pgd.", "steps"), WSR_CONFIG,
                    "pgd.steps: has no value, write steps=VALUE");
    ck_assert_fails(wsr__params_parse(&s, schema, "pgd.", "=3"), WSR_CONFIG,
                    "is not an option");
    ck_assert_fails(wsr__params_parse(&s, schema, "", ",steps=3"), WSR_CONFIG,
                    "has no value");
    ck_assert_fails(wsr__params_parse(&s, schema, "", "steps=3,eps=9"),
                    WSR_CONFIG, "eps: 9 is outside [0, 1]");
    char endless[9000];
    memset(endless, 'k', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    ck_assert_fails(wsr__params_parse(&s, schema, "", endless), WSR_CONFIG,
                    "is not an option");
    memcpy(endless, "note=", 5);
    ck_assert_fails(wsr__params_parse(&s, schema, "", endless), WSR_CONFIG,
                    "note: 8994 bytes are more than 4095");
}
END_TEST

START_TEST(a_value_may_hold_every_character)
{
    static const char *const values[] = {"a,b", "x=\"y\"", "a]b[", "\\",
                                         "a\\,"};
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        settings s = {0};
        settings back = {0};
        wsr__str text = {0};
        wsr__params_default(&s, schema);
        wsr__params_default(&back, schema);
        ck_assert_ok(wsr__params_set(&s, schema, "", "note", values[i], NULL));
        ck_assert_ok(wsr__params_set(&s, schema, "", "steps", "7", NULL));
        wsr__params_summary(&text, &s, schema);
        ck_assert_ok(wsr__params_parse(&back, schema, "", text.s));
        ck_assert_str_eq(back.note.s, values[i]);
        ck_assert_int_eq(back.steps, 7);
        wsr__str_free(&text);
    }
    settings s = {0};
    ck_assert_ok(wsr__params_parse(&s, schema, "", "note=/a\\,b,steps=3"));
    ck_assert_str_eq(s.note.s, "/a,b");
    ck_assert_fails(wsr__params_parse(&s, schema, "p.", "note=\"a,steps=3"),
                    WSR_CONFIG, "p.note: '\"a,steps=3' has a quote that is");
}
END_TEST

static void assert_same(const settings *a, const settings *b)
{
    for (const wsr__option *o = schema; o->key != NULL; o++) {
        wsr__str x = {0};
        wsr__str y = {0};
        wsr__params_print(&x, a, o);
        wsr__params_print(&y, b, o);
        ck_assert_str_eq(x.s, y.s);
        wsr__str_free(&x);
        wsr__str_free(&y);
    }
}

static settings unusual(void)
{
    settings s = {0};
    wsr__params_default(&s, schema);
    ck_assert_ok(wsr__params_parse(
        &s, schema, "",
        "random_start=no,steps=19,eps=1/3,norm=l2,note=\"x, y\","
        "strengths=[1/3,0.1,1e-7],milestones=[-5,60]"));
    return s;
}

START_TEST(what_is_printed_sets_the_same_value)
{
    const settings s = unusual();
    settings back = {0};
    wsr__params_default(&back, schema);
    for (const wsr__option *o = schema; o->key != NULL; o++) {
        wsr__str text = {0};
        wsr__params_print(&text, &s, o);
        ck_assert_ok(wsr__params_set(&back, schema, "", o->key, text.s, NULL));
        wsr__str_free(&text);
    }
    assert_same(&s, &back);
    ck_assert_double_eq(back.eps, 1.0 / 3.0);
    ck_assert_double_eq(back.strengths.v[2], 1e-7);
}
END_TEST

START_TEST(the_summary_of_defaults_is_empty)
{
    settings s;
    wsr__str text = {0};
    wsr__params_default(&s, schema);
    wsr__params_summary(&text, &s, schema);
    ck_assert_ok(wsr__str_status(&text));
    ck_assert_uint_eq(text.len, 0);
    wsr__str_free(&text);
}
END_TEST

START_TEST(a_summary_parses_to_the_same_params)
{
    const settings s = unusual();
    settings back = {0};
    wsr__str text = {0};
    wsr__params_default(&back, schema);
    wsr__params_summary(&text, &s, schema);
    ck_assert_ptr_nonnull(strstr(text.s, "random_start=false,steps=19,"));
    ck_assert_ok(wsr__params_parse(&back, schema, "", text.s));
    assert_same(&s, &back);
    wsr__str_free(&text);
}
END_TEST

START_TEST(options_are_found_by_key)
{
    ck_assert_ptr_eq(wsr__schema_find(schema, "eps"), &schema[2]);
    ck_assert_ptr_null(wsr__schema_find(schema, "ep"));
    ck_assert_ptr_null(wsr__schema_find(NULL, "eps"));
}
END_TEST

START_TEST(a_spec_is_a_name_and_its_options)
{
    char name[16];
    const char *options = NULL;
    ck_assert_ok(
        wsr__spec_split(name, sizeof(name), &options, "pgd:steps=2,eps=1"));
    ck_assert_str_eq(name, "pgd");
    ck_assert_str_eq(options, "steps=2,eps=1");
    ck_assert_ok(wsr__spec_split(name, sizeof(name), &options, "fgsm"));
    ck_assert_str_eq(name, "fgsm");
    ck_assert_str_eq(options, "");
    ck_assert_fails(wsr__spec_split(name, sizeof(name), &options, ":x=1"),
                    WSR_CONFIG, "does not start with a name");
    ck_assert_fails(
        wsr__spec_split(name, sizeof(name), &options, "much_too_long_name"),
        WSR_CONFIG, "does not start with a name");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        defaults_are_those_of_the_schema,
        a_wrong_value_is_named_with_key_and_place,
        an_unknown_key_gets_a_suggestion,
        an_unknown_key_unlike_all_others_gets_the_list,
        without_a_schema_every_key_is_unknown,
        pairs_are_parsed_and_brackets_hold_lists_together,
        broken_pairs_are_refused,
        a_value_may_hold_every_character,
        what_is_printed_sets_the_same_value,
        the_summary_of_defaults_is_empty,
        a_summary_parses_to_the_same_params,
        options_are_found_by_key,
        a_spec_is_a_name_and_its_options,
        NULL,
    };
    return suite_of("param", tests);
}
