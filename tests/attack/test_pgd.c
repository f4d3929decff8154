// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

enum { N = 21 };

static float x[N * TOY_D];
static int32_t labels[N];
static toy model_of;

static wsr_model *begin(void)
{
    toy_fill(&model_of, 2);
    toy_images(x, labels, N, &model_of, 2);
    return toy_model(&model_of, true);
}

static size_t robust(const wsr_attack_result *result, size_t e)
{
    size_t n = 0;
    for (size_t i = 0; i < wsr_attack_result_count(result); i++) {
        n += wsr_attack_result_robust(result, e)[i];
    }
    return n;
}

START_TEST(one_step_as_long_as_the_ball_is_fgsm)
{
    const float eps = 0.03f;
    wsr_model *const model = begin();
    wsr_attack_result *const a = toy_attack("pgd:steps=1,rel_length=1",
                                            "stop=false", &eps, 1,
                                            &(toy_task){model, x, labels, N});
    wsr_attack_result *const b = toy_attack("fgsm", "stop=false", &eps, 1,
                                            &(toy_task){model, x, labels, N});
    ck_assert_mem_eq(wsr_attack_result_images(a, 0),
                     wsr_attack_result_images(b, 0), sizeof(x));
    wsr_attack_result_free(a);
    wsr_attack_result_free(b);
    wsr_model_free(model);
}
END_TEST

START_TEST(steps_cost_one_gradient_each_and_one_forward_more)
{
    const float eps = 0.01f;
    wsr_model *const model = begin();
    wsr_attack_result *const result = toy_attack(
        "pgd:steps=7", "stop=false", &eps, 1, &(toy_task){model, x, labels, N});
    for (size_t i = 0; i < N; i++) {
        ck_assert_uint_eq(wsr_attack_result_gradients(result, 0)[i], 7);
        ck_assert_uint_eq(wsr_attack_result_queries(result, 0)[i], 8);
    }
    wsr_attack_result_free(result);
    wsr_model_free(model);
}
END_TEST

START_TEST(restarts_and_random_starts_find_no_less)
{
    const float eps = 0.03f;
    wsr_model *const model = begin();
    wsr_attack_result *const one = toy_attack("pgd:steps=2", NULL, &eps, 1,
                                              &(toy_task){model, x, labels, N});
    wsr_attack_result *const many =
        toy_attack("pgd:steps=2,restarts=5", NULL, &eps, 1,
                   &(toy_task){model, x, labels, N});
    ck_assert_uint_le(robust(many, 0), robust(one, 0));
    for (size_t i = 0; i < N; i++) {
        ck_assert(!wsr_attack_result_robust(many, 0)[i] ||
                  wsr_attack_result_robust(one, 0)[i]);
    }
    wsr_attack_result_free(one);
    wsr_attack_result_free(many);
    wsr_model_free(model);
}
END_TEST

START_TEST(euclidean_steps_use_the_whole_ball)
{
    const float eps = 0.2f;
    wsr_model *const model = begin();
    wsr_attack_result *const result = toy_attack(
        "pgd:norm=l2", "stop=false", &eps, 1, &(toy_task){model, x, labels, N});
    for (size_t i = 0; i < N; i++) {
        const float l2 = wsr_attack_result_l2(result, 0)[i];
        ck_assert_float_le(l2, eps);
        ck_assert_float_ge(l2, 0.99f * eps);
    }
    ck_assert_uint_lt(robust(result, 0), N);
    wsr_attack_result_free(result);
    wsr_model_free(model);
}
END_TEST

START_TEST(random_starts_fill_the_ball)
{
    // A step of no length leaves the random point as it is.
    const char *const specs[] = {
        "pgd:steps=1,alpha=1e-9,random_start=true",
        "pgd:steps=1,alpha=1e-9,random_start=true,norm=l2",
        "pgd:steps=1,alpha=1e-9,random_start=true,noise=gaussian"};
    const float eps = 0.1f;
    wsr_model *const model = begin();
    for (size_t s = 0; s < 3; s++) {
        wsr_attack_result *const result = toy_attack(
            specs[s], "stop=false", &eps, 1, &(toy_task){model, x, labels, N});
        double mean = 0;
        for (size_t i = 0; i < N; i++) {
            mean += (double)wsr_attack_result_l2(result, 0)[i] / N;
        }
        // sqrt(108) / sqrt(3) / 10, less at the edge of the box; the sphere;
        // sqrt(108) / 1000
        const double want[] = {0.56, 0.093, 0.0098};
        ck_assert_double_eq_tol(mean, want[s], 0.15 * want[s]);
        wsr_attack_result_free(result);
    }
    wsr_model_free(model);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        one_step_as_long_as_the_ball_is_fgsm,
        steps_cost_one_gradient_each_and_one_forward_more,
        restarts_and_random_starts_find_no_less,
        euclidean_steps_use_the_whole_ball,
        random_starts_fill_the_ball,
        NULL};
    return suite_of("pgd", tests);
}
