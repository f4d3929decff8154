// SPDX-License-Identifier: Apache-2.0

#include "support/cell.h"

START_TEST(parameters_and_values_are_those_of_two_separable_convolutions)
{
    cell_check_sep_conv(&wsr__cell_sep_conv_7x7, 7);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        parameters_and_values_are_those_of_two_separable_convolutions, NULL};
    return suite_of("sep_conv_7x7", tests);
}
