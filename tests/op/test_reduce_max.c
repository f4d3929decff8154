// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

START_TEST(values_are_right)
{
    const float rows[] = {2, 5};
    const float columns[] = {3, 4, 5};
    reduction_is("reduce_max", rows, columns, 5);
}
END_TEST

START_TEST(gradients_are_right)
{
    reduction_gradients("reduce_max", DRAW_SPACED);
}
END_TEST

START_TEST(equal_numbers_share_the_gradient)
{
    const float x[] = {2, 1, 2};
    const float want[] = {0.5f, 0, 0.5f};
    slopes_are("reduce_max", NULL, x, want, 3);
}
END_TEST

START_TEST(a_nan_wins)
{
    reduction_of_nan("reduce_max");
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
    return suite_of("reduce_max", tests);
}
