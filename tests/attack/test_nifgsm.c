// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

START_TEST(without_momentum_it_is_pgd)
{
    toy_world *const w = toy_begin(7);
    toy_expect_same(w, "nifgsm:steps=6,decay=0", "pgd:steps=6,ratio=1", 0.04f);
    toy_end(w);
}
END_TEST

START_TEST(looking_ahead_makes_a_difference_after_the_first_step)
{
    toy_world *const w = toy_begin(7);
    toy_expect_same(w, "nifgsm:steps=1", "mifgsm:steps=1", 0.04f);
    wsr_attack_result *const a =
        toy_run(w, "nifgsm:steps=8", "stop=false", 0.2f);
    wsr_attack_result *const b =
        toy_run(w, "mifgsm:steps=8", "stop=false", 0.2f);
    ck_assert_mem_ne(wsr_attack_result_images(a, 0),
                     wsr_attack_result_images(b, 0), sizeof(w->x));
    wsr_attack_result_free(a);
    wsr_attack_result_free(b);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        without_momentum_it_is_pgd,
        looking_ahead_makes_a_difference_after_the_first_step, NULL};
    return suite_of("nifgsm", tests);
}
