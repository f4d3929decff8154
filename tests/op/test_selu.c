// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

#include <math.h>

static double formula(double x)
{
    return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * expm1(x));
}

START_TEST(values_are_right)
{
    values_follow("selu", NULL, formula, 100);
}
END_TEST

START_TEST(gradients_are_right)
{
    const double kinks0[2] = {0, 0};
    elementwise_gradients("selu", NULL, -4, 4, kinks0);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_right,
        gradients_are_right,
        NULL,
    };
    return suite_of("selu", tests);
}
