// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

START_TEST(the_outcome_is_the_worst_case_of_its_members)
{
    toy_world *const w = toy_begin(7);
    static const char *const members[] = {"fgsm", "pgd:steps=3",
                                          "square:queries=30"};
    wsr_attack_result *const r = toy_run(
        w, "chain:attacks=[fgsm,pgd:steps=3,square:queries=30]", NULL, 0.015f);
    // Square draws other numbers inside a chain; the others have none.
    for (size_t k = 0; k < 2; k++) {
        wsr_attack_result *const one = toy_run(w, members[k], NULL, 0.015f);
        for (size_t i = 0; i < TOY_N; i++) {
            ck_assert(!wsr_attack_result_robust(r, 0)[i] ||
                      wsr_attack_result_robust(one, 0)[i]);
        }
        ck_assert_uint_le(toy_robust(r), toy_robust(one));
        wsr_attack_result_free(one);
    }
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

START_TEST(a_success_costs_the_later_members_nothing)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const one = toy_run(w, "fgsm", NULL, 0.015f);
    wsr_attack_result *const r =
        toy_run(w, "chain:attacks=[fgsm,square:queries=30]", NULL, 0.015f);
    for (size_t i = 0; i < TOY_N; i++) {
        if (wsr_attack_result_success(one, 0)[i]) {
            ck_assert_uint_eq(wsr_attack_result_queries(r, 0)[i],
                              wsr_attack_result_queries(one, 0)[i]);
        }
    }
    wsr_attack_result_free(one);
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

START_TEST(min_norm_attacks_measure_by_the_strength)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const r =
        toy_run(w, "chain:attacks=[fab_t:targets=2,norm=linf,pgd:steps=9]",
                NULL, 0.01f);
    for (size_t i = 0; i < TOY_N; i++) {
        ck_assert_float_le(wsr_attack_result_linf(r, 0)[i], 0.01f);
    }
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

START_TEST(members_that_do_not_fit_are_named)
{
    toy_world *const w = toy_begin(7);
    wsr_attack *attack = NULL;
    (void)w;
    ck_assert_fails(wsr_attack_new(&attack, "chain:attacks=[fgsm,pdg]", NULL),
                    WSR_NOTFOUND, "did you mean 'pgd'");
    ck_assert_fails(
        wsr_attack_new(&attack, "chain:attacks=[fgsm,pgd:norm=l2]", NULL),
        WSR_CONFIG, "fgsm is in linf, pgd in l2");
    ck_assert_fails(wsr_attack_new(&attack, "chain:attacks=[]", NULL),
                    WSR_CONFIG, "none");
    ck_assert_ok(wsr_attack_new(&attack, "chain:attacks=[square,gn]", NULL));
    ck_assert(!wsr_attack_needs_gradients(attack));
    wsr_attack_free(attack);
    ck_assert_ok(wsr_attack_new(&attack, "chain", NULL));
    ck_assert(wsr_attack_needs_gradients(attack));
    wsr_attack_free(attack);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {the_outcome_is_the_worst_case_of_its_members,
                                  a_success_costs_the_later_members_nothing,
                                  min_norm_attacks_measure_by_the_strength,
                                  members_that_do_not_fit_are_named, NULL};
    return suite_of("chain", tests);
}
