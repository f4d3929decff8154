// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

START_TEST(values_are_right)
{
    const float rows[] = {1, 4};
    const float columns[] = {1.5f, 2.5f, 3.5f};
    reduction_is("reduce_mean", rows, columns, 2.5f);
}
END_TEST

START_TEST(a_mean_of_a_million_numbers_is_right)
{
    // Sums in single precision would be off by a thousandth.
    enum { MILLION = 1000000 };
    float *const x = wsr__alloc(MILLION, sizeof(*x));
    ck_assert_ptr_nonnull(x);
    for (size_t i = 0; i < MILLION; i++) {
        x[i] = 0.1f;
    }
    float y[1];
    op_forward(y, "reduce_mean", NULL, &(op_value){{2, {1, MILLION}}, x}, 1);
    ck_assert_double_eq_tol((double)y[0], 0.1, 1e-8);
    wsr__free(x);
}
END_TEST

START_TEST(gradients_are_right)
{
    reduction_gradients("reduce_mean", DRAW_UNIFORM);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_right,
        a_mean_of_a_million_numbers_is_right,
        gradients_are_right,
        NULL,
    };
    return suite_of("reduce_mean", tests);
}
