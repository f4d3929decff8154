// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

START_TEST(it_asks_for_logits_alone)
{
    toy_world *const w = toy_begin(7);
    toy_expect_black_box(w, "spsa:steps=10,samples=40");
    toy_end(w);
}
END_TEST

// The first step of Adam is lr * sign(g).
START_TEST(gradients_are_those_of_the_margin)
{
    const float lr = 0.01f;
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const r =
        toy_run(w, "spsa:steps=1,samples=3000,lr=0.01", "stop=false", 0.5f);
    size_t same = 0;
    size_t all = 0;
    for (size_t n = 0; n < TOY_N; n++) {
        const wsr__loss_target target = {w->labels[n], -1, NULL};
        float z[TOY_CLASSES];
        float dz[TOY_CLASSES] = {0};
        float dx[TOY_D];
        ck_assert_ok(toy_logits(z, w->x + n * TOY_D, 1, &w->of));
        (void)wsr__loss_margin(dz, NULL, z, &target, TOY_CLASSES);
        ck_assert_ok(toy_backward(dx, dz, 1, &w->of));
        for (size_t i = 0; i < TOY_D && wsr_attack_result_clean(r)[n]; i++) {
            const float x0 = w->x[n * TOY_D + i];
            const float moved = wsr_attack_result_images(r, 0)[n * TOY_D + i] -
                                x0;
            if (x0 > lr && x0 < 1 - lr) {
                ck_assert_float_eq_tol(fabsf(moved), lr, 1e-5f);
                same += (moved > 0) == (dx[i] > 0);
                all++;
            }
        }
    }
    ck_assert_uint_gt(all, 100);
    ck_assert_msg(same * 100 > all * 90, "%zu of %zu", same, all);
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

START_TEST(queries_are_counted)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const r =
        toy_run(w, "spsa:steps=3,samples=5", "stop=false", 0.01f);
    for (size_t i = 0; i < TOY_N; i++) {
        if (wsr_attack_result_clean(r)[i]) {
            // Clean, three times ten, and three checks.
            ck_assert_uint_eq(wsr_attack_result_queries(r, 0)[i], 1 + 30 + 3);
        }
    }
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {it_asks_for_logits_alone,
                                  gradients_are_those_of_the_margin,
                                  queries_are_counted, NULL};
    return suite_of("spsa", tests);
}
