// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

START_TEST(values_are_right)
{
    const float rows[] = {3, 12};
    const float columns[] = {3, 5, 7};
    reduction_is("reduce_sum", rows, columns, 15);
}
END_TEST

START_TEST(gradients_are_right)
{
    reduction_gradients("reduce_sum", DRAW_UNIFORM);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_right,
        gradients_are_right,
        NULL,
    };
    return suite_of("reduce_sum", tests);
}
