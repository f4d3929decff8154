// SPDX-License-Identifier: Apache-2.0

#include "support/cell.h"

#define SEPARABLE                     \
    "conv.op.1.weight (8, 1, 3, 3)\n" \
    "conv.op.2.weight (8, 8, 1, 1)\n" \
    "conv.op.3 norm\n"                \
    "conv.op.5.weight (8, 1, 3, 3)\n" \
    "conv.op.6.weight (8, 8, 1, 1)\n" \
    "conv.op.7 norm\n"

START_TEST(parameters_are_those_of_the_convolution_and_of_the_shortcut)
{
    cell_expect(&wsr__cell_res_sep_conv_3x3, 1, false, SEPARABLE);
    cell_expect(&wsr__cell_res_sep_conv_3x3, 2, false,
                SEPARABLE "res.conv_1.weight (4, 8, 1, 1)\n"
                          "res.conv_2.weight (4, 8, 1, 1)\n"
                          "res.bn norm\n");
}
END_TEST

START_TEST(the_result_is_the_sum_of_both)
{
    float x[CELL_FLOATS];
    float y[CELL_FLOATS];
    cell_bench bench;
    cell_open(&bench, &wsr__cell_res_sep_conv_3x3, 1, false);
    cell_set_tap(&bench, "conv.op.1.weight", 4);
    cell_set_tap(&bench, "conv.op.5.weight", 4);
    cell_set_identity(&bench, "conv.op.2.weight");
    cell_set_identity(&bench, "conv.op.6.weight");
    cell_image(x);
    cell_forward(y, &bench, x);
    for (int64_t i = 0; i < CELL_FLOATS; i++) {
        const float relu = x[i] > 0 ? x[i] : 0;
        ck_assert_float_eq_tol(y[i], x[i] + relu / 1.00001f, 1e-6f);
    }
    cell_close(&bench);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        parameters_are_those_of_the_convolution_and_of_the_shortcut,
        the_result_is_the_sum_of_both, NULL};
    return suite_of("res_sep_conv_3x3", tests);
}
