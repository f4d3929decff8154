// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

#include <math.h>

static double formula(double a, double b)
{
    return fmin(a, b);
}

START_TEST(values_are_right)
{
    pairs_follow("minimum", formula);
}
END_TEST

START_TEST(gradients_are_right)
{
    broadcast_gradients("minimum", 0, 0);
}
END_TEST

START_TEST(equal_numbers_share_the_gradient)
{
    ties_are_halves("minimum");
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_refused)
{
    const wsr_shape shapes[] = {{3, {2, 3, 4}}, {2, {2, 4}}};
    op_refuses(WSR_SHAPE, "(2, 4), which does not fit (2, 3, 4)", "minimum",
               NULL, shapes, 2);
    op_refuses(WSR_ARG, "sources", "minimum", NULL, shapes, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_right,
        gradients_are_right,
        equal_numbers_share_the_gradient,
        shapes_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("minimum", tests);
}
