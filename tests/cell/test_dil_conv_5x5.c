// SPDX-License-Identifier: Apache-2.0

#include "support/cell.h"

START_TEST(parameters_and_values_are_those_of_a_dilated_convolution)
{
    cell_check_dil_conv(&wsr__cell_dil_conv_5x5, 5);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        parameters_and_values_are_those_of_a_dilated_convolution, NULL};
    return suite_of("dil_conv_5x5", tests);
}
