// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

#include <math.h>

static double formula(double x)
{
    return sqrt(fabs(x));
}

START_TEST(values_are_right)
{
    values_follow("sqrt", NULL, formula, 0);
}
END_TEST

START_TEST(gradients_are_right)
{
    elementwise_gradients("sqrt", NULL, 0.5, 3, NULL);
}
END_TEST

START_TEST(roots_are_those_of_ieee)
{
    const float x[] = {0, 2, 1e-30f, -1};
    float y[4];
    op_forward(y, "sqrt", NULL, &(op_value){{2, {1, 4}}, x}, 1);
    ck_assert_float_eq(y[0], 0);
    ck_assert_float_eq(y[1], sqrtf(2));
    ck_assert_float_eq(y[2], sqrtf(1e-30f));
    ck_assert(isnan(y[3]));
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_right,
        gradients_are_right,
        roots_are_those_of_ieee,
        NULL,
    };
    return suite_of("sqrt", tests);
}
