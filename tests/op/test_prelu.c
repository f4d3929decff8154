// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

static double formula(double x, double weight)
{
    return x > 0 ? x : weight * x;
}

START_TEST(values_are_right)
{
    pairs_follow("prelu", formula);
}
END_TEST

START_TEST(gradients_are_right)
{
    broadcast_gradients("prelu", 0, 0);
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_refused)
{
    const wsr_shape shapes[] = {{4, {2, 3, 4, 5}}, {1, {3}}};
    op_refuses(WSR_SHAPE, "(3), which does not fit", "prelu", NULL, shapes, 2);
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
    return suite_of("prelu", tests);
}
