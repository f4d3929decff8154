// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

// Mean change in a norm of the images that fooled; all that are right must.
static double mean_change(const wsr_attack_result *r, wsr__lp norm)
{
    double sum = 0;
    size_t fooled = 0;
    for (size_t i = 0; i < TOY_N; i++) {
        const float changes[3] = {wsr_attack_result_linf(r, 0)[i],
                                  wsr_attack_result_l2(r, 0)[i],
                                  wsr_attack_result_l1(r, 0)[i]};
        if (wsr_attack_result_success(r, 0)[i]) {
            sum += (double)changes[norm];
            fooled++;
        }
        ck_assert(!wsr_attack_result_robust(r, 0)[i]);
    }
    ck_assert_uint_gt(fooled, 0);
    return sum / (double)fooled;
}

START_TEST(it_finds_smaller_changes_than_deepfool)
{
    toy_world *const w = toy_begin(7);
    static const char *const specs[2][2] = {
        {"fab_t:norm=l2", "deepfool"},
        {"fab_t:norm=linf", "deepfool:norm=linf"}};
    for (size_t k = 0; k < 2; k++) {
        const wsr__lp norm = k == 0 ? WSR__L2 : WSR__LINF;
        wsr_attack_result *const a = toy_run(w, specs[k][0], NULL, INFINITY);
        wsr_attack_result *const b = toy_run(w, specs[k][1], NULL, INFINITY);
        ck_assert_double_lt(mean_change(a, norm), mean_change(b, norm));
        wsr_attack_result_free(a);
        wsr_attack_result_free(b);
    }
    toy_end(w);
}
END_TEST

START_TEST(changes_are_small_in_the_norm_that_is_asked_for)
{
    toy_world *const w = toy_begin(7);
    static const char *const specs[3] = {"fab_t", "fab_t:norm=l2",
                                         "fab_t:norm=l1"};
    wsr_attack_result *results[3];
    for (size_t k = 0; k < 3; k++) {
        results[k] = toy_run(w, specs[k], NULL, INFINITY);
    }
    for (int norm = 0; norm < 3; norm++) {
        for (size_t k = 0; k < 3; k++) {
            ck_assert_double_le(mean_change(results[norm], (wsr__lp)norm),
                                1.001 * mean_change(results[k], (wsr__lp)norm));
        }
    }
    for (size_t k = 0; k < 3; k++) {
        wsr_attack_result_free(results[k]);
    }
    toy_end(w);
}
END_TEST

START_TEST(more_steps_find_no_larger_changes)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const few = toy_run(w, "fab_t:steps=5", NULL, INFINITY);
    wsr_attack_result *const many =
        toy_run(w, "fab_t:steps=50", NULL, INFINITY);
    ck_assert_double_lt(mean_change(many, WSR__LINF),
                        mean_change(few, WSR__LINF));
    wsr_attack_result_free(few);
    wsr_attack_result_free(many);
    toy_end(w);
}
END_TEST

START_TEST(a_step_costs_a_forward_and_a_backward_pass)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const r =
        toy_run(w, "fab_t:steps=20,targets=1", NULL, INFINITY);
    for (size_t i = 0; i < TOY_N; i++) {
        if (wsr_attack_result_clean(r)[i]) {
            ck_assert_uint_eq(wsr_attack_result_gradients(r, 0)[i], 20);
            ck_assert_uint_le(wsr_attack_result_queries(r, 0)[i], 42);
        }
    }
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        it_finds_smaller_changes_than_deepfool,
        changes_are_small_in_the_norm_that_is_asked_for,
        more_steps_find_no_larger_changes,
        a_step_costs_a_forward_and_a_backward_pass, NULL};
    return suite_of("fab_t", tests);
}
