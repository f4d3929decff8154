// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

#include <math.h>

static double formula(double a, double b)
{
    return a - b;
}

START_TEST(values_are_right)
{
    pairs_follow("sub", formula);
}
END_TEST

START_TEST(gradients_are_right)
{
    broadcast_gradients("sub", -1, 1);
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_refused)
{
    const wsr_shape shapes[] = {{3, {2, 3, 4}}, {2, {2, 4}}};
    op_refuses(WSR_SHAPE, "(2, 4), which does not fit (2, 3, 4)", "sub", NULL,
               shapes, 2);
    const wsr_shape large[] = {{2, {1 << 30, 1}}, {2, {1, 1 << 30}}};
    op_refuses(WSR_ARG, "more than", "sub", NULL, large, 2);
    op_refuses(WSR_ARG, "sources", "sub", NULL, shapes, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_right,
        gradients_are_right,
        shapes_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("sub", tests);
}
