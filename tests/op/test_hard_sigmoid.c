// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

#include <math.h>

static double formula(double x)
{
    return fmin(fmax((x + 3) / 6, 0), 1);
}

static double formula1(double x)
{
    return fmin(fmax(0.2 * x + 0.5, 0), 1);
}

START_TEST(values_are_right)
{
    values_follow("hard_sigmoid", NULL, formula, 100);
    values_follow("hard_sigmoid", "slope=0.2", formula1, 100);
}
END_TEST

START_TEST(gradients_are_right)
{
    const double kinks0[2] = {-3, 3};
    elementwise_gradients("hard_sigmoid", NULL, -4, 4, kinks0);
    const double kinks1[2] = {-2.5, 2.5};
    elementwise_gradients("hard_sigmoid", "slope=0.2", -4, 4, kinks1);
}
END_TEST

START_TEST(a_nan_and_infinities_pass)
{
    infinities_become("hard_sigmoid", 1, 0);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_right,
        gradients_are_right,
        a_nan_and_infinities_pass,
        NULL,
    };
    return suite_of("hard_sigmoid", tests);
}
