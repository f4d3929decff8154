// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

START_TEST(points_that_are_not_apart_correct_nothing)
{
    toy_world *const w = toy_begin(7);
    toy_expect_same(w, "vmifgsm:steps=6,samples=1,beta=0", "mifgsm:steps=6",
                    0.04f);
    toy_expect_apart(w, "vmifgsm:steps=6", "mifgsm:steps=6", 0.2f);
    toy_end(w);
}
END_TEST

// One gradient per step and one per point around it, none after the last.
START_TEST(gradients_are_counted)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const r =
        toy_run(w, "vmifgsm:steps=3,samples=4", "stop=false", 0.05f);
    for (size_t i = 0; i < TOY_N; i++) {
        if (wsr_attack_result_clean(r)[i]) {
            ck_assert_uint_eq(wsr_attack_result_gradients(r, 0)[i], 3 + 2 * 4);
        }
    }
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {points_that_are_not_apart_correct_nothing,
                                  gradients_are_counted, NULL};
    return suite_of("vmifgsm", tests);
}
