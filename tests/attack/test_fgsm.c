// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

enum { N = 21 };

static float x[N * TOY_D];
static int32_t labels[N];
static toy model_of;

START_TEST(every_pixel_moves_by_the_strength_along_the_gradient)
{
    const float eps = 0.05f;
    toy_fill(&model_of, 1);
    toy_images(x, labels, N, &model_of, 1);
    wsr_model *const model = toy_model(&model_of, true);
    wsr_attack_result *const result = toy_attack(
        "fgsm", "stop=false", &eps, 1, &(toy_task){model, x, labels, N});
    const float *const found = wsr_attack_result_images(result, 0);
    for (size_t i = 0; i < N; i++) {
        float z[TOY_CLASSES];
        float dz[TOY_CLASSES];
        float dx[TOY_D];
        const wsr__loss_target target = {labels[i], -1, NULL};
        ck_assert_ok(toy_logits(z, x + i * TOY_D, 1, &model_of));
        (void)wsr__loss_ce(dz, NULL, z, &target, TOY_CLASSES);
        ck_assert_ok(toy_backward(dx, dz, 1, &model_of));
        for (size_t p = 0; p < TOY_D; p++) {
            float want = x[i * TOY_D + p] + (dx[p] > 0 ? eps : -eps);
            want = want < 0 ? 0 : want > 1 ? 1 : want;
            ck_assert_float_eq_tol(found[i * TOY_D + p], want, 1e-7f);
        }
    }
    wsr_attack_result_free(result);
    wsr_model_free(model);
}
END_TEST

START_TEST(one_gradient_serves_all_strengths)
{
    const float eps[3] = {0.01f, 0.02f, 0.04f};
    toy_fill(&model_of, 1);
    toy_images(x, labels, N, &model_of, 1);
    wsr_model *const model = toy_model(&model_of, true);
    wsr_attack_result *const result = toy_attack(
        "fgsm", "stop=false", eps, 3, &(toy_task){model, x, labels, N});
    ck_assert_uint_eq(wsr_model_gradients(model), N);
    ck_assert_uint_eq(wsr_model_queries(model), 4 * N);
    wsr_attack_result_free(result);
    wsr_model_free(model);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        every_pixel_moves_by_the_strength_along_the_gradient,
        one_gradient_serves_all_strengths, NULL};
    return suite_of("fgsm", tests);
}
