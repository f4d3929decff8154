// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

START_TEST(with_patience_its_changes_are_as_small_as_deepfools)
{
    // The toy is nearly linear, so that DeepFool's are close to the smallest.
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const r =
        toy_run(w, "cw:steps=1000,c=0.1", NULL, INFINITY);
    wsr_attack_result *const d = toy_run(w, "deepfool", NULL, INFINITY);
    ck_assert_double_lt(toy_mean_change(r, WSR__L2),
                        1.05 * toy_mean_change(d, WSR__L2));
    wsr_attack_result_free(d);
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

START_TEST(searching_the_constant_finds_smaller_changes)
{
    toy_world *const w = toy_begin(7);
    toy_expect_smaller(w, "cw:search=6,c=10", "cw:search=1,c=10", WSR__L2);
    toy_end(w);
}
END_TEST

START_TEST(images_can_be_made_wrong_by_a_margin)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const r = toy_run(w, "cw:kappa=1", NULL, INFINITY);
    for (size_t i = 0; i < TOY_N; i++) {
        const wsr__loss_target target = {w->labels[i], -1, NULL};
        float z[TOY_CLASSES];
        ck_assert_ok(toy_logits(z, wsr_attack_result_images(r, 0) + i * TOY_D,
                                1, &w->of));
        ck_assert(!wsr_attack_result_success(r, 0)[i] ||
                  wsr__loss_margin(NULL, NULL, z, &target, TOY_CLASSES) >= 1);
    }
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

START_TEST(pixels_at_the_edge_of_the_range_move)
{
    toy_world *const w = toy_begin(7);
    for (size_t i = 0; i < TOY_N * TOY_D; i++) {
        w->x[i] = (float)(i % 2);
    }
    for (size_t i = 0; i < TOY_N; i++) {
        float z[TOY_CLASSES];
        ck_assert_ok(toy_logits(z, w->x + i * TOY_D, 1, &w->of));
        w->labels[i] = wsr__argmax(z, TOY_CLASSES);
    }
    wsr_attack_result *const r =
        toy_run(w, "cw:lr=0.1,steps=200", NULL, INFINITY);
    ck_assert_uint_eq(toy_robust(r), 0);
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        with_patience_its_changes_are_as_small_as_deepfools,
        searching_the_constant_finds_smaller_changes,
        images_can_be_made_wrong_by_a_margin,
        pixels_at_the_edge_of_the_range_move, NULL};
    return suite_of("cw", tests);
}
