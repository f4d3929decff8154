// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

START_TEST(one_sample_is_pgd)
{
    toy_world *const w = toy_begin(7);
    toy_expect_same(w, "eotpgd:steps=6,samples=1,random_start=false",
                    "pgd:steps=6", 0.04f);
    toy_end(w);
}
END_TEST

START_TEST(samples_add_up)
{
    toy_world *const w = toy_begin(7);
    // Of a model without randomness they only change the length.
    toy_expect_same(w, "eotpgd:steps=6,samples=4", "eotpgd:steps=6,samples=1",
                    0.04f);
    wsr_attack_result *const r =
        toy_run(w, "eotpgd:steps=6,samples=4", "stop=false", 0.04f);
    ck_assert_uint_eq(wsr_attack_result_gradients(r, 0)[0], 24);
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {one_sample_is_pgd, samples_add_up, NULL};
    return suite_of("eotpgd", tests);
}
