// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

#include <math.h>

static double formula(double x)
{
    return x * fmin(fmax(x + 3, 0), 6) / 6;
}

START_TEST(values_are_right)
{
    values_follow("hard_swish", NULL, formula, 100);
}
END_TEST

START_TEST(gradients_are_right)
{
    const double kinks0[2] = {-3, 3};
    elementwise_gradients("hard_swish", NULL, -4, 4, kinks0);
}
END_TEST

START_TEST(gradients_at_the_kinks_are_those_of_pytorch)
{
    static const float x[] = {-3.5f, -3, 0, 3, 3.5f};
    static const float want[] = {0, -0.5f, 0.5f, 1.5f, 1};
    slopes_are("hard_swish", NULL, x, want, sizeof(x) / sizeof(x[0]));
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
    return suite_of("hard_swish", tests);
}
