// SPDX-License-Identifier: Apache-2.0

#include "support/cell.h"

START_TEST(parameters_and_values_are_those_of_a_dense_convolution)
{
    cell_check_nor_conv(&wsr__cell_nor_conv_3x3, 3);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        parameters_and_values_are_those_of_a_dense_convolution, NULL};
    return suite_of("nor_conv_3x3", tests);
}
