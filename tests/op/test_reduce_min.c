// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

START_TEST(values_are_right)
{
    const float rows[] = {0, 3};
    const float columns[] = {0, 1, 2};
    reduction_is("reduce_min", rows, columns, 0);
}
END_TEST

START_TEST(gradients_are_right)
{
    reduction_gradients("reduce_min", DRAW_SPACED);
}
END_TEST

START_TEST(equal_numbers_share_the_gradient)
{
    const float x[] = {2, 1, 2};
    const float want[] = {0, 1, 0};
    slopes_are("reduce_min", NULL, x, want, 3);
}
END_TEST

START_TEST(a_nan_wins)
{
    reduction_of_nan("reduce_min");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_right,
        gradients_are_right,
        equal_numbers_share_the_gradient,
        a_nan_wins,
        NULL,
    };
    return suite_of("reduce_min", tests);
}
