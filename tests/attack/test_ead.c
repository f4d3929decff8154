// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

// Mean l1 change of the images that fooled, and how many pixels they changed.
static double mean_change(const wsr_attack_result *r, const toy_world *w,
                          size_t *changed)
{
    double sum = 0;
    size_t fooled = 0;
    *changed = 0;
    for (size_t n = 0; n < TOY_N; n++) {
        const float *const x = wsr_attack_result_images(r, 0) + n * TOY_D;
        const float *const x0 = w->x + n * TOY_D;
        if (wsr_attack_result_success(r, 0)[n]) {
            sum += wsr__distance(WSR__L1, x, x0, TOY_D);
            for (size_t i = 0; i < TOY_D; i++) {
                *changed += fabsf(x[i] - x0[i]) > 0;
            }
            fooled++;
        }
        ck_assert(!wsr_attack_result_robust(r, 0)[n]);
    }
    ck_assert_uint_gt(fooled, 0);
    return sum / (double)fooled;
}

START_TEST(its_l1_changes_are_smaller_than_those_of_the_euclidean_attack)
{
    size_t few = 0;
    size_t many = 0;
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const r =
        toy_run(w, "ead:beta=0.01,c=0.1,steps=300", NULL, INFINITY);
    wsr_attack_result *const cw =
        toy_run(w, "cw:c=0.1,steps=300", NULL, INFINITY);
    const double mine = mean_change(r, w, &few);
    const double other = mean_change(cw, w, &many);
    ck_assert_msg(mine < 0.9 * other, "%g against %g", mine, other);
    ck_assert_msg(few < many / 2, "%zu pixels against %zu", few, many);
    wsr_attack_result_free(r);
    wsr_attack_result_free(cw);
    toy_end(w);
}
END_TEST

START_TEST(a_heavier_l1_norm_changes_fewer_pixels)
{
    size_t light = 0;
    size_t heavy = 0;
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const a =
        toy_run(w, "ead:beta=0.0001,c=0.1", NULL, INFINITY);
    wsr_attack_result *const b =
        toy_run(w, "ead:beta=0.01,c=0.1", NULL, INFINITY);
    (void)mean_change(a, w, &light);
    (void)mean_change(b, w, &heavy);
    ck_assert_uint_lt(heavy, light);
    wsr_attack_result_free(a);
    wsr_attack_result_free(b);
    toy_end(w);
}
END_TEST

START_TEST(images_can_be_made_wrong_by_a_margin)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const r =
        toy_run(w, "ead:kappa=1,c=0.1", NULL, INFINITY);
    size_t fooled = 0;
    for (size_t i = 0; i < TOY_N; i++) {
        const wsr__loss_target target = {w->labels[i], -1, NULL};
        float z[TOY_CLASSES];
        ck_assert_ok(toy_logits(z, wsr_attack_result_images(r, 0) + i * TOY_D,
                                1, &w->of));
        fooled += wsr_attack_result_success(r, 0)[i];
        ck_assert(!wsr_attack_result_success(r, 0)[i] ||
                  wsr__loss_margin(NULL, NULL, z, &target, TOY_CLASSES) >= 1);
    }
    ck_assert_uint_gt(fooled, 0);
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        its_l1_changes_are_smaller_than_those_of_the_euclidean_attack,
        a_heavier_l1_norm_changes_fewer_pixels,
        images_can_be_made_wrong_by_a_margin, NULL};
    return suite_of("ead", tests);
}
