// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

static const float linf[3] = {0.007f, 0.01f, 0.014f};
static const float l2[3] = {0.07f, 0.1f, 0.15f};
static const float l1[3] = {0.6f, 1, 1.6f};

START_TEST(it_is_at_least_as_strong_as_pgd)
{
    toy_world *const w = toy_begin(7);
    toy_expect_stronger(w, "apgd_ce:steps=40", "pgd:steps=40", linf);
    toy_expect_stronger(w, "apgd_ce:steps=40,norm=l2", "pgdl2:steps=40", l2);
    toy_expect_stronger(w, "apgd_ce:steps=40,norm=l1",
                        "apgd_ce:steps=2,norm=l1", l1);
    toy_end(w);
}
END_TEST

START_TEST(restarts_find_no_less)
{
    toy_world *const w = toy_begin(7);
    toy_expect_stronger(w, "apgd_ce:steps=3,restarts=4", "apgd_ce:steps=3",
                        linf);
    toy_end(w);
}
END_TEST

START_TEST(averaging_changes_nothing_without_randomness)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const a =
        toy_run(w, "apgd_ce:steps=9,eot=2", NULL, 0.01f);
    wsr_attack_result *const b = toy_run(w, "apgd_ce:steps=9", NULL, 0.01f);
    ck_assert_mem_eq(wsr_attack_result_images(a, 0),
                     wsr_attack_result_images(b, 0), sizeof(w->x));
    wsr_attack_result_free(a);
    wsr_attack_result_free(b);
    toy_end(w);
}
END_TEST

START_TEST(changes_in_the_l1_ball_are_sparse)
{
    toy_world *const w = toy_begin(7);
    static const char *const specs[] = {"apgd_ce:norm=l1",
                                        "apgd_ce:norm=l1,large=true"};
    for (size_t k = 0; k < 2; k++) {
        wsr_attack_result *const r = toy_run(w, specs[k], NULL, 1);
        size_t changed = 0;
        size_t fooled = 0;
        for (size_t i = 0; i < TOY_N; i++) {
            const float *const adv = wsr_attack_result_images(r, 0) + i * TOY_D;
            fooled += wsr_attack_result_success(r, 0)[i];
            for (size_t p = 0; p < TOY_D; p++) {
                changed += fabsf(adv[p] - w->x[i * TOY_D + p]) > 0;
            }
        }
        ck_assert_uint_gt(fooled, 3);
        ck_assert_uint_lt(changed, TOY_N * TOY_D / 2);
        wsr_attack_result_free(r);
    }
    toy_end(w);
}
END_TEST

START_TEST(a_run_costs_a_forward_more_than_it_has_steps)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const r =
        toy_run(w, "apgd_ce:steps=20", "stop=false", 1e-6f);
    for (size_t i = 0; i < TOY_N; i++) {
        if (wsr_attack_result_robust(r, 0)[i]) {
            // One for the clean image and one for the start.
            ck_assert_uint_eq(wsr_attack_result_queries(r, 0)[i], 22);
            ck_assert_uint_eq(wsr_attack_result_gradients(r, 0)[i], 20);
        }
    }
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {it_is_at_least_as_strong_as_pgd,
                                  restarts_find_no_less,
                                  averaging_changes_nothing_without_randomness,
                                  changes_in_the_l1_ball_are_sparse,
                                  a_run_costs_a_forward_more_than_it_has_steps,
                                  NULL};
    return suite_of("apgd_ce", tests);
}
