// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

START_TEST(it_finds_smaller_changes_than_deepfool)
{
    toy_world *const w = toy_begin(7);
    toy_expect_smaller(w, "fab:norm=l2", "deepfool", WSR__L2);
    toy_expect_smaller(w, "fab:norm=linf", "deepfool:norm=linf", WSR__LINF);
    toy_end(w);
}
END_TEST

START_TEST(changes_are_small_in_the_norm_that_is_asked_for)
{
    static const char *const specs[3] = {"fab", "fab:norm=l2", "fab:norm=l1"};
    toy_world *const w = toy_begin(7);
    toy_expect_of_norms(w, specs);
    toy_end(w);
}
END_TEST

START_TEST(more_steps_find_no_larger_changes)
{
    toy_world *const w = toy_begin(7);
    toy_expect_smaller(w, "fab:steps=50", "fab:steps=5", WSR__LINF);
    toy_end(w);
}
END_TEST

START_TEST(restarts_find_no_larger_changes)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const one =
        toy_run(w, "fab:steps=10,restarts=1", NULL, INFINITY);
    wsr_attack_result *const many =
        toy_run(w, "fab:steps=10,restarts=3", NULL, INFINITY);
    for (size_t i = 0; i < TOY_N; i++) {
        ck_assert_float_le(wsr_attack_result_linf(many, 0)[i],
                           wsr_attack_result_linf(one, 0)[i]);
    }
    wsr_attack_result_free(one);
    wsr_attack_result_free(many);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        it_finds_smaller_changes_than_deepfool,
        changes_are_small_in_the_norm_that_is_asked_for,
        more_steps_find_no_larger_changes, restarts_find_no_larger_changes,
        NULL};
    return suite_of("fab", tests);
}
