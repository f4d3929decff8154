// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

#include <math.h>

static double formula(double x)
{
    return 0.5 * x * erfc(-x / sqrt(2.0));
}

static double formula1(double x)
{
    return x / (1 + exp(-2 * sqrt(2 / 3.14159265358979324) *
                        (x + 0.044715 * x * x * x)));
}

START_TEST(values_are_right)
{
    values_follow("gelu", NULL, formula, 100);
    values_follow("gelu", "approximate=tanh", formula1, 100);
}
END_TEST

START_TEST(gradients_are_right)
{
    elementwise_gradients("gelu", NULL, -4, 4, NULL);
    elementwise_gradients("gelu", "approximate=tanh", -4, 4, NULL);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_right,
        gradients_are_right,
        NULL,
    };
    return suite_of("gelu", tests);
}
