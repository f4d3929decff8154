// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

START_TEST(without_momentum_it_is_pgd)
{
    toy_world *const w = toy_begin(7);
    toy_expect_same(w, "nifgsm:steps=6,decay=0", "pgd:steps=6,rel_length=1",
                    0.04f);
    toy_end(w);
}
END_TEST

START_TEST(looking_ahead_makes_a_difference_after_the_first_step)
{
    toy_world *const w = toy_begin(7);
    toy_expect_same(w, "nifgsm:steps=1", "mifgsm:steps=1", 0.04f);
    toy_expect_apart(w, "nifgsm:steps=8", "mifgsm:steps=8", 0.2f);
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
