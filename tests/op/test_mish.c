// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

#include <math.h>

static double formula(double x)
{
    return x * (x < 0 ? tanh(log1p(exp(x))) : tanh(x + log1p(exp(-x))));
}

START_TEST(values_are_right)
{
    values_follow("mish", NULL, formula, 100);
}
END_TEST

START_TEST(gradients_are_right)
{
    elementwise_gradients("mish", NULL, -4, 4, NULL);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_right,
        gradients_are_right,
        NULL,
    };
    return suite_of("mish", tests);
}
