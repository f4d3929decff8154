// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

#include <math.h>

static double formula(double x)
{
    return x > 30 ? x : log1p(exp(x));
}

static double formula1(double x)
{
    return x > 20 ? x : log1p(exp(3 * x)) / 3;
}

START_TEST(values_are_right)
{
    values_follow("softplus", NULL, formula, 100);
    values_follow("softplus", "beta=3,threshold=1000", formula1, 100);
}
END_TEST

START_TEST(gradients_are_right)
{
    elementwise_gradients("softplus", NULL, -4, 4, NULL);
    elementwise_gradients("softplus", "beta=3,threshold=1000", -4, 4, NULL);
}
END_TEST

START_TEST(above_the_threshold_it_is_the_source)
{
    const float x[] = {2, -3};
    float y[2];
    op_forward(y, "softplus", "threshold=1", &(op_value){{2, {1, 2}}, x}, 1);
    ck_assert_float_eq(y[0], 2);
    ck_assert_float_gt(y[1], 0);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_right,
        gradients_are_right,
        above_the_threshold_it_is_the_source,
        NULL,
    };
    return suite_of("softplus", tests);
}
