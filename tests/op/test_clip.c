// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

#include <math.h>

static double formula(double x)
{
    return x;
}

static double formula1(double x)
{
    return fmin(fmax(x, -1), 2);
}

static double formula2(double x)
{
    return fmax(x, 0.5);
}

static double formula3(double x)
{
    return fmin(x, -0.5);
}

START_TEST(values_are_right)
{
    values_follow("clip", NULL, formula, 100);
    values_follow("clip", "min=-1,max=2", formula1, 100);
    values_follow("clip", "min=0.5", formula2, 100);
    values_follow("clip", "max=-0.5", formula3, 100);
}
END_TEST

START_TEST(gradients_are_right)
{
    elementwise_gradients("clip", NULL, -4, 4, NULL);
    const double kinks1[2] = {-1, 2};
    elementwise_gradients("clip", "min=-1,max=2", -4, 4, kinks1);
    const double kinks2[2] = {0.5, 0.5};
    elementwise_gradients("clip", "min=0.5", -4, 4, kinks2);
    const double kinks3[2] = {-0.5, -0.5};
    elementwise_gradients("clip", "max=-0.5", -4, 4, kinks3);
}
END_TEST

START_TEST(a_nan_and_infinities_pass)
{
    infinities_become("clip", INFINITY, -INFINITY);
}
END_TEST

START_TEST(gradients_at_the_kinks_are_those_of_pytorch)
{
    static const float x[] = {-1.5f, -1, 0, 2, 2.5f};
    static const float want[] = {0, 1, 1, 1, 0};
    slopes_are("clip", "min=-1,max=2", x, want, sizeof(x) / sizeof(x[0]));
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
    return suite_of("clip", tests);
}
