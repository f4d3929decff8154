// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

#include <math.h>

START_TEST(values_are_those_of_ieee_arithmetic)
{
    const float x[] = {1, 7.5f, 0, -1, INFINITY, NAN};
    float y[6];
    op_forward(y, "log", NULL, &(op_value){{2, {2, 3}}, x}, 1);
    ck_assert(y[0] == 0);
    ck_assert_double_eq_tol((double)y[1], 2.014903021, 1e-6);
    ck_assert(isinf(y[2]) && y[2] < 0);
    ck_assert(isnan(y[3]) && isinf(y[4]) && isnan(y[5]));
}
END_TEST

START_TEST(gradients_are_right)
{
    elementwise_gradients("log", NULL, 0.5, 3, NULL);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_those_of_ieee_arithmetic,
        gradients_are_right,
        NULL,
    };
    return suite_of("log", tests);
}
