// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

START_TEST(images_end_just_behind_a_boundary)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const r = toy_run(w, "deepfool", NULL, INFINITY);
    (void)toy_mean_change(r, WSR__L2);
    for (size_t i = 0; i < TOY_N; i++) {
        const float *const x0 = w->x + i * TOY_D;
        const float *const adv = wsr_attack_result_images(r, 0) + i * TOY_D;
        float back[TOY_D];
        float z[TOY_CLASSES];
        for (size_t p = 0; p < TOY_D; p++) {
            back[p] = x0[p] + 0.8f * (adv[p] - x0[p]);
        }
        ck_assert_ok(toy_logits(z, back, 1, &w->of));
        ck_assert(!wsr_attack_result_success(r, 0)[i] ||
                  wsr__argmax(z, TOY_CLASSES) == w->labels[i]);
    }
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

START_TEST(changes_are_smaller_than_those_of_single_steps)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const r = toy_run(w, "deepfool", NULL, INFINITY);
    const double change = toy_mean_change(r, WSR__L2);
    wsr_attack_result *const bounded =
        toy_run(w, "pgdl2", NULL, (float)change / 3);
    // A third of the mean distance does not reach most boundaries.
    ck_assert_uint_gt(toy_robust(bounded), TOY_N / 2);
    wsr_attack_result_free(bounded);
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

START_TEST(strengths_only_measure_what_was_found)
{
    toy_world *const w = toy_begin(7);
    const float eps[3] = {0.1f, INFINITY, 0.3f};
    wsr_attack_result *const r =
        toy_attack("deepfool", NULL, eps, 3,
                   &(toy_task){w->model, w->x, w->labels, TOY_N});
    for (size_t i = 0; i < TOY_N; i++) {
        const float l2 = wsr_attack_result_l2(r, 1)[i];
        for (size_t e = 0; e < 3; e++) {
            ck_assert_int_eq(wsr_attack_result_success(r, e)[i],
                             wsr_attack_result_success(r, 1)[i] &&
                                 l2 <= eps[e]);
        }
    }
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

START_TEST(the_largest_change_can_be_the_measure)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const r =
        toy_run(w, "deepfool:norm=linf", NULL, INFINITY);
    (void)toy_mean_change(r, WSR__L2);
    for (size_t i = 0; i < TOY_N; i++) {
        ck_assert_float_le(wsr_attack_result_linf(r, 0)[i], 0.2f);
    }
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        images_end_just_behind_a_boundary,
        changes_are_smaller_than_those_of_single_steps,
        strengths_only_measure_what_was_found,
        the_largest_change_can_be_the_measure, NULL};
    return suite_of("deepfool", tests);
}
