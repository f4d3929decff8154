// SPDX-License-Identifier: Apache-2.0

#include "attack/engine/momentum_attack.h"
#include "attack/model_support.h"

START_TEST(without_momentum_it_is_pgd)
{
    toy_world *const w = toy_begin(7);
    toy_expect_same(w, "mifgsm:steps=6,decay=0", "pgd:steps=6,rel_length=1",
                    0.04f);
    toy_end(w);
}
END_TEST

START_TEST(momentum_adds_up_normalised_gradients)
{
    toy_world *const w = toy_begin(7);
    const float g[4] = {1, -3, 0, 4};
    float m[4] = {0.5f, 1, 0, -1};
    wsr__momentum(m, g, 0.5, 4);
    ck_assert_float_eq_tol(m[0], 0.25f + 0.5f, 1e-6f);
    ck_assert_float_eq_tol(m[1], 0.5f - 1.5f, 1e-6f);
    ck_assert_float_eq_tol(m[2], 0, 1e-6f);
    ck_assert_float_eq_tol(m[3], -0.5f + 2, 1e-6f);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {without_momentum_it_is_pgd,
                                  momentum_adds_up_normalised_gradients, NULL};
    return suite_of("mifgsm", tests);
}
