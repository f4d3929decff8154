// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

START_TEST(points_that_are_not_apart_correct_nothing)
{
    toy_world *const w = toy_begin(7);
    toy_expect_same(w, "vmifgsm:steps=6,samples=1,beta=0", "mifgsm:steps=6",
                    0.04f);
    wsr_attack_result *const a =
        toy_run(w, "vmifgsm:steps=6", "stop=false", 0.2f);
    wsr_attack_result *const b =
        toy_run(w, "mifgsm:steps=6", "stop=false", 0.2f);
    ck_assert_mem_ne(wsr_attack_result_images(a, 0),
                     wsr_attack_result_images(b, 0), sizeof(w->x));
    wsr_attack_result_free(a);
    wsr_attack_result_free(b);
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
