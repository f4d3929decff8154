// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

#include <math.h>

static double formula(double x)
{
    return fabs(x);
}

START_TEST(values_are_right)
{
    values_follow("abs", NULL, formula, 100);
}
END_TEST

START_TEST(gradients_are_right)
{
    const double kinks0[2] = {0, 0};
    elementwise_gradients("abs", NULL, -4, 4, kinks0);
}
END_TEST

START_TEST(gradients_at_the_kinks_are_those_of_pytorch)
{
    static const float x[] = {-2, 0, 2};
    static const float want[] = {-1, 0, 1};
    slopes_are("abs", NULL, x, want, sizeof(x) / sizeof(x[0]));
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_right,
        gradients_are_right,
        gradients_at_the_kinks_are_those_of_pytorch,
        NULL,
    };
    return suite_of("abs", tests);
}
