// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"
#include "support/oom.h"

enum { N = 40 };

static float x[N * TOY_D];
static int32_t labels[N];
static toy model_of;

static wsr_model *begin(void)
{
    toy_fill(&model_of, 3);
    toy_images(x, labels, N, &model_of, 3);
    return toy_model(&model_of, true);
}

START_TEST(outcomes_norms_and_images_agree)
{
    const float eps[2] = {0.06f, 0.02f};
    wsr_model *const model = begin();
    wsr_attack_result *const r =
        toy_attack("pgd", NULL, eps, 2, &(toy_task){model, x, labels, N});
    ck_assert_uint_eq(wsr_attack_result_count(r), N);
    ck_assert_uint_eq(wsr_attack_result_strengths(r), 2);
    size_t fooled = 0;
    for (size_t e = 0; e < 2; e++) {
        const float *const found = wsr_attack_result_images(r, e);
        ck_assert_float_eq(wsr_attack_result_eps(r, e), eps[e]);
        for (size_t i = 0; i < N; i++) {
            float z[TOY_CLASSES];
            const float *const adv = found + i * TOY_D;
            ck_assert_ok(toy_logits(z, adv, 1, &model_of));
            const bool right = wsr__argmax(z, TOY_CLASSES) == labels[i];
            const bool clean = i % 7 != 6;
            ck_assert_int_eq(wsr_attack_result_clean(r)[i], clean);
            ck_assert_int_eq(wsr_attack_result_robust(r, e)[i], clean && right);
            ck_assert_int_eq(wsr_attack_result_success(r, e)[i],
                             clean && !right);
            ck_assert_float_eq(
                wsr_attack_result_linf(r, e)[i],
                (float)wsr__distance(WSR__LINF, adv, x + i * TOY_D, TOY_D));
            ck_assert_float_le(wsr_attack_result_linf(r, e)[i], eps[e]);
            ck_assert(clean || wsr_attack_result_linf(r, e)[i] <= 0);
            fooled += wsr_attack_result_success(r, e)[i];
        }
    }
    ck_assert_uint_gt(fooled, 0);
    ck_assert_uint_lt(fooled, 2 * N);
    wsr_attack_result_free(r);
    wsr_model_free(model);
}
END_TEST

START_TEST(a_success_at_a_strength_costs_nothing_at_larger_ones)
{
    const float eps[2] = {0.02f, 0.06f};
    wsr_model *const model = begin();
    wsr_attack_result *const r =
        toy_attack("pgd", NULL, eps, 2, &(toy_task){model, x, labels, N});
    for (size_t i = 0; i < N; i++) {
        if (wsr_attack_result_success(r, 0)[i]) {
            ck_assert(wsr_attack_result_success(r, 1)[i]);
            ck_assert_uint_eq(wsr_attack_result_queries(r, 1)[i], 0);
            ck_assert_mem_eq(wsr_attack_result_images(r, 0) + i * TOY_D,
                             wsr_attack_result_images(r, 1) + i * TOY_D,
                             TOY_D * sizeof(float));
        }
    }
    wsr_attack_result_free(r);
    wsr_model_free(model);
}
END_TEST

START_TEST(strengths_without_nesting_give_what_each_gives_alone)
{
    const float eps[3] = {0.05f, 0, 0.02f};
    const char *const options = "nested=false,seed=5";
    const char *const spec = "pgd:steps=5,random_start=true";
    wsr_model *const model = begin();
    wsr_attack_result *const all =
        toy_attack(spec, options, eps, 3, &(toy_task){model, x, labels, N});
    for (size_t e = 0; e < 3; e++) {
        wsr_attack_result *const one = toy_attack(
            spec, options, &eps[e], 1, &(toy_task){model, x, labels, N});
        ck_assert_mem_eq(wsr_attack_result_images(all, e),
                         wsr_attack_result_images(one, 0), sizeof(x));
        ck_assert_mem_eq(wsr_attack_result_robust(all, e),
                         wsr_attack_result_robust(one, 0), N);
        wsr_attack_result_free(one);
    }
    wsr_attack_result_free(all);
    wsr_model_free(model);
}
END_TEST

START_TEST(images_are_known_by_their_numbers)
{
    const float eps = 0.04f;
    const char *const spec = "pgd:steps=4,random_start=true";
    wsr_model *const model = begin();
    wsr_attack_result *const all =
        toy_attack(spec, "seed=9", &eps, 1, &(toy_task){model, x, labels, N});
    wsr_attack_result *const rest =
        toy_attack(spec, "seed=9,first=11,batch=3", &eps, 1,
                   &(toy_task){model, x + 11 * TOY_D, labels + 11, N - 11});
    wsr_attack_result *const other =
        toy_attack(spec, "seed=10", &eps, 1, &(toy_task){model, x, labels, N});
    ck_assert_mem_eq(wsr_attack_result_images(all, 0) + 11 * TOY_D,
                     wsr_attack_result_images(rest, 0),
                     (N - 11) * TOY_D * sizeof(float));
    ck_assert_mem_ne(wsr_attack_result_images(all, 0),
                     wsr_attack_result_images(other, 0), sizeof(x));
    wsr_attack_result_free(all);
    wsr_attack_result_free(rest);
    wsr_attack_result_free(other);
    wsr_model_free(model);
}
END_TEST

START_TEST(targets_count_only_when_they_are_reached)
{
    static const char *const options[] = {"target=given", "target=least",
                                          "target=second", "target=random"};
    const float eps = 0.5f;
    wsr_model *const model = begin();
    for (size_t o = 0; o < 4; o++) {
        wsr_attack_result *const r = toy_attack(
            "pgd", options[o], &eps, 1, &(toy_task){model, x, labels, N});
        size_t fooled = 0;
        for (size_t i = 0; i < N; i++) {
            float z[TOY_CLASSES];
            float clean[TOY_CLASSES];
            ck_assert_ok(toy_logits(
                z, wsr_attack_result_images(r, 0) + i * TOY_D, 1, &model_of));
            ck_assert_ok(toy_logits(clean, x + i * TOY_D, 1, &model_of));
            const int32_t now = wsr__argmax(z, TOY_CLASSES);
            int32_t want = o == 0 ? labels[i] : now;
            for (int32_t c = 0; o == 1 && c < TOY_CLASSES; c++) {
                want = clean[c] < clean[want] ? c : want;
            }
            const bool success = wsr_attack_result_success(r, 0)[i];
            ck_assert(!success || now == want);
            ck_assert(!success || o == 0 || now != labels[i]);
            fooled += success;
        }
        ck_assert_uint_gt(fooled, 0);
        wsr_attack_result_free(r);
    }
    wsr_model_free(model);
}
END_TEST

START_TEST(one_class_can_be_the_target_of_all_images)
{
    const float eps = 0.5f;
    wsr_attack *attack = NULL;
    wsr_attack_result *r = NULL;
    wsr_model *const model = begin();
    ck_assert_ok(wsr_attack_new(&attack, "pgd", "target_class=2"));
    ck_assert_ok(wsr_attack_set_strengths(attack, &eps, 1));
    // An image cannot be turned into what it is.
    labels[5] = 2;
    ck_assert_fails(wsr_attack_run(&r, attack, model, x, labels, N), WSR_ARG,
                    "attack.target_class: image");
    size_t n = 0;
    for (size_t i = 0; i < N; i++) {
        if (labels[i] != 2) {
            memmove(x + n * TOY_D, x + i * TOY_D, TOY_D * sizeof(*x));
            labels[n++] = labels[i];
        }
    }
    ck_assert_ok(wsr_attack_run(&r, attack, model, x, labels, n));
    size_t hits = 0;
    for (size_t i = 0; i < n; i++) {
        float z[TOY_CLASSES];
        ck_assert_ok(toy_logits(z, wsr_attack_result_images(r, 0) + i * TOY_D,
                                1, &model_of));
        const bool reached = wsr__argmax(z, TOY_CLASSES) == 2;
        const bool clean = wsr_attack_result_clean(r)[i];
        ck_assert_int_eq(wsr_attack_result_success(r, 0)[i], clean && reached);
        ck_assert_int_eq(wsr_attack_result_robust(r, 0)[i], clean && !reached);
        hits += clean && reached;
    }
    ck_assert_uint_gt(hits, 0);
    wsr_attack_result_free(r);
    wsr_attack_free(attack);
    ck_assert_ok(wsr_attack_new(&attack, "pgd", "target_class=5"));
    ck_assert_fails(wsr_attack_run(&r, attack, model, x, labels, n), WSR_CONFIG,
                    "attack.target_class: 5 is outside [0, 4]");
    wsr_attack_free(attack);
    ck_assert_fails(
        wsr_attack_new(&attack, "pgd", "target_class=1,target=random"),
        WSR_CONFIG, "attack.target_class: 1: excludes attack.target=random");
    ck_assert_fails(wsr_attack_new(&attack, "deepfool", "target_class=1"),
                    WSR_CONFIG, "knows no targets");
    wsr_model_free(model);
}
END_TEST

START_TEST(images_can_be_left_out_of_the_result)
{
    const float eps = 0.04f;
    wsr_model *const model = begin();
    wsr_attack_result *const r = toy_attack("fgsm", "images=false", &eps, 1,
                                            &(toy_task){model, x, labels, N});
    ck_assert_ptr_null(wsr_attack_result_images(r, 0));
    wsr_attack_result_free(r);
    wsr_model_free(model);
}
END_TEST

static void expect_run(wsr_attack *attack, wsr_model *model, wsr_status code,
                       const char *words)
{
    wsr_attack_result *r = NULL;
    ck_assert_fails(wsr_attack_run(&r, attack, model, x, labels, N), code,
                    words);
    ck_assert_ptr_null(r);
}

START_TEST(bad_input_is_named)
{
    wsr_attack *attack = NULL;
    wsr_model *const model = begin();
    wsr_model *const black = toy_model(&model_of, false);
    ck_assert_fails(wsr_attack_new(&attack, "pdg", NULL), WSR_NOTFOUND,
                    "did you mean 'pgd'");
    ck_assert_fails(wsr_attack_new(&attack, "pgd:stps=3", NULL), WSR_CONFIG,
                    "steps");
    ck_assert_fails(wsr_attack_new(&attack, "pgd", "target=best"), WSR_CONFIG,
                    "target");
    ck_assert_ptr_null(attack);
    ck_assert_ok(wsr_attack_new(&attack, "pgd", NULL));
    const float bad[3] = {-0.1f, NAN, INFINITY};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_fails(wsr_attack_set_strengths(attack, &bad[i], 1), WSR_ARG,
                        "strength");
    }
    ck_assert_fails(wsr_attack_set_strengths(attack, bad, 0), WSR_ARG,
                    "no strength");
    expect_run(attack, black, WSR_ARG, "needs gradients");
    labels[3] = TOY_CLASSES;
    expect_run(attack, model, WSR_ARG, "label of image 3: 5");
    labels[3] = 0;
    x[2 * TOY_D + 4] = 1.25f;
    expect_run(attack, model, WSR_ARG, "pixel 4 of image 2: 1.25");
    x[2 * TOY_D + 4] = NAN;
    expect_run(attack, model, WSR_ARG, "pixel 4 of image 2: nan");
    wsr_attack_free(attack);
    wsr_model_free(model);
    wsr_model_free(black);
}
END_TEST

static wsr_status spoilt(float *logits, const float *images, size_t n,
                         void *user)
{
    static size_t calls;
    const wsr_status status = toy_logits(logits, images, n, user);
    if (++calls == 3) {
        logits[TOY_CLASSES + 1] = INFINITY;
    }
    return status;
}

START_TEST(a_model_that_fails_on_the_way_ends_the_attack)
{
    const wsr_shape shape = wsr__shape3(TOY_C, TOY_SIDE, TOY_SIDE);
    wsr_model *model = begin();
    wsr_attack *attack = NULL;
    wsr_model_free(model);
    ck_assert_ok(wsr_model_new(&model, &shape, TOY_CLASSES, spoilt,
                               toy_backward, &model_of));
    ck_assert_ok(wsr_attack_new(&attack, "pgd", NULL));
    expect_run(attack, model, WSR_NUMERIC, "logits of image");
    wsr_attack_free(attack);
    wsr_model_free(model);
}
END_TEST

static wsr_status whole_run(void *ctx)
{
    wsr_status status = WSR_OK;
    const wsr_shape shape = wsr__shape3(TOY_C, TOY_SIDE, TOY_SIDE);
    const float eps[2] = {0.01f, 0.02f};
    wsr_model *model = NULL;
    wsr_attack *attack = NULL;
    wsr_attack_result *r = NULL;
    WSR_TRY(wsr_model_new(&model, &shape, TOY_CLASSES, toy_logits, toy_backward,
                          ctx));
    WSR_TRY(wsr_attack_new(&attack, "pgd:steps=2", NULL));
    WSR_TRY(wsr_attack_set_strengths(attack, eps, 2));
    WSR_TRY(wsr_attack_run(&r, attack, model, x, labels, 4));
out:
    wsr_attack_result_free(r);
    wsr_attack_free(attack);
    wsr_model_free(model);
    return status;
}

START_TEST(memory_that_runs_short_is_reported_and_returned)
{
    wsr_model_free(begin());
    ck_assert_uint_gt(oom_sweep(whole_run, &model_of), 20);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        outcomes_norms_and_images_agree,
        a_success_at_a_strength_costs_nothing_at_larger_ones,
        strengths_without_nesting_give_what_each_gives_alone,
        images_are_known_by_their_numbers,
        targets_count_only_when_they_are_reached,
        one_class_can_be_the_target_of_all_images,
        images_can_be_left_out_of_the_result,
        bad_input_is_named,
        a_model_that_fails_on_the_way_ends_the_attack,
        memory_that_runs_short_is_reported_and_returned,
        NULL};
    return suite_of("loop", tests);
}
