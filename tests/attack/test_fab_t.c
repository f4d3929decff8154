// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

START_TEST(it_finds_smaller_changes_than_deepfool)
{
    toy_world *const w = toy_begin(7);
    toy_expect_smaller(w, "fab_t:norm=l2", "deepfool", WSR__L2);
    toy_expect_smaller(w, "fab_t:norm=linf", "deepfool:norm=linf", WSR__LINF);
    toy_end(w);
}
END_TEST

START_TEST(changes_are_small_in_the_norm_that_is_asked_for)
{
    static const char *const specs[3] = {"fab_t", "fab_t:norm=l2",
                                         "fab_t:norm=l1"};
    toy_world *const w = toy_begin(7);
    toy_expect_of_norms(w, specs);
    toy_end(w);
}
END_TEST

START_TEST(more_steps_find_no_larger_changes)
{
    toy_world *const w = toy_begin(7);
    toy_expect_smaller(w, "fab_t:steps=50", "fab_t:steps=5", WSR__LINF);
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
