// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

START_TEST(it_is_pgd_from_the_image)
{
    toy_world *const w = toy_begin(7);
    toy_expect_same(w, "bim:steps=6,alpha=0.01", "pgd:steps=6,alpha=0.01",
                    0.04f);
    toy_end(w);
}
END_TEST

START_TEST(steps_follow_from_the_strength)
{
    toy_world *const w = toy_begin(7);
    // min(255 eps + 4, 1.25 * 255 eps) = 5 at 4/255, 20 at 16/255.
    toy_expect_same(w, "bim", "pgd:steps=5,alpha=1/255", 4.0f / 255);
    toy_expect_same(w, "bim", "pgd:steps=20,alpha=1/255", 16.0f / 255);
    toy_expect_same(w, "bim:alpha=0,steps=4", "pgd:steps=4,rel_length=1",
                    0.04f);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {it_is_pgd_from_the_image,
                                  steps_follow_from_the_strength, NULL};
    return suite_of("bim", tests);
}
