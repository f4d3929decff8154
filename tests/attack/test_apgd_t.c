// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

static const float linf[3] = {0.007f, 0.01f, 0.014f};
static const float l2[3] = {0.07f, 0.1f, 0.15f};
static const float l1[3] = {0.6f, 1, 1.6f};

START_TEST(it_is_at_least_as_strong_as_pgd)
{
    toy_world *const w = toy_begin(7);
    toy_expect_stronger(w, "apgd_t:steps=40", "pgd:steps=40", linf);
    toy_expect_stronger(w, "apgd_t:steps=40,norm=l2", "pgdl2:steps=40", l2);
    toy_expect_stronger(w, "apgd_t:steps=40,norm=l1", "apgd_t:steps=2,norm=l1",
                        l1);
    toy_end(w);
}
END_TEST

START_TEST(more_targets_find_no_less)
{
    toy_world *const w = toy_begin(7);
    toy_expect_stronger(w, "apgd_t:steps=10,targets=4",
                        "apgd_t:steps=10,targets=1", linf);
    toy_end(w);
}
END_TEST

START_TEST(every_target_has_its_steps)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const r =
        toy_run(w, "apgd_t:steps=5,targets=9,restarts=2", NULL, 1e-6f);
    for (size_t i = 0; i < TOY_N; i++) {
        if (wsr_attack_result_robust(r, 0)[i]) {
            // The four other classes, twice.
            ck_assert_uint_eq(wsr_attack_result_gradients(r, 0)[i], 4 * 2 * 5);
        }
    }
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {it_is_at_least_as_strong_as_pgd,
                                  more_targets_find_no_less,
                                  every_target_has_its_steps, NULL};
    return suite_of("apgd_t", tests);
}
