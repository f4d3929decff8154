// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

#include <math.h>

static double formula(double x)
{
    return x > 0 ? x : 0.01 * x;
}

static double formula1(double x)
{
    return x > 0 ? x : 0.2 * x;
}

START_TEST(values_are_right)
{
    values_follow("leaky_relu", NULL, formula, 100);
    values_follow("leaky_relu", "slope=0.2", formula1, 100);
}
END_TEST

START_TEST(gradients_are_right)
{
    const double kinks0[2] = {0, 0};
    elementwise_gradients("leaky_relu", NULL, -4, 4, kinks0);
    const double kinks1[2] = {0, 0};
    elementwise_gradients("leaky_relu", "slope=0.2", -4, 4, kinks1);
}
END_TEST

START_TEST(a_nan_and_infinities_pass)
{
    infinities_become("leaky_relu", INFINITY, -INFINITY);
}
END_TEST

START_TEST(gradients_at_the_kinks_are_those_of_pytorch)
{
    static const float x[] = {0, -1, 1};
    static const float want[] = {0.01f, 0.01f, 1};
    slopes_are("leaky_relu", NULL, x, want, sizeof(x) / sizeof(x[0]));
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_right,
        gradients_are_right,
        a_nan_and_infinities_pass,
        gradients_at_the_kinks_are_those_of_pytorch,
        NULL,
    };
    return suite_of("leaky_relu", tests);
}
