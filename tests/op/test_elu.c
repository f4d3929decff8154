// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

#include <math.h>

static double formula(double x)
{
    return x > 0 ? x : expm1(x);
}

static double formula1(double x)
{
    return x > 0 ? x : 0.5 * expm1(x);
}

START_TEST(values_are_right)
{
    values_follow("elu", NULL, formula, 100);
    values_follow("elu", "alpha=0.5", formula1, 100);
}
END_TEST

START_TEST(gradients_are_right)
{
    const double kinks0[2] = {0, 0};
    elementwise_gradients("elu", NULL, -4, 4, kinks0);
    const double kinks1[2] = {0, 0};
    elementwise_gradients("elu", "alpha=0.5", -4, 4, kinks1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_right,
        gradients_are_right,
        NULL,
    };
    return suite_of("elu", tests);
}
