// SPDX-License-Identifier: Apache-2.0

#include "support/cell.h"

#include <math.h>
#include <string.h>

START_TEST(parameters_are_two_dense_convolutions_and_a_norm)
{
    for (int64_t stride = 1; stride <= 2; stride++) {
        cell_expect(&wsr__cell_conv_7x1_1x7, stride, stride == 1,
                    "1.weight (8, 8, 1, 7)\n"
                    "2.weight (8, 8, 7, 1)\n"
                    "3 norm\n");
    }
}
END_TEST

// One at the given tap from each channel to itself.
static void set_tap(const cell_bench *bench, const char *name, size_t tap)
{
    size_t i = 0;
    ck_assert_ok(wsr_params_find(&i, bench->params, name));
    float *const data = wsr_params_edit(bench->params, i);
    memset(data, 0, CELL_CHANNELS * CELL_CHANNELS * 7 * sizeof(*data));
    for (size_t c = 0; c < CELL_CHANNELS; c++) {
        data[(c * CELL_CHANNELS + c) * 7 + tap] = 1;
    }
}

START_TEST(the_first_moves_along_rows_and_the_second_along_columns)
{
    float x[CELL_FLOATS];
    float y[CELL_FLOATS];
    cell_image(x);
    for (int64_t s = 1; s <= 2; s++) {
        const int64_t side = CELL_SIDE / s;
        cell_bench bench;
        cell_open(&bench, &wsr__cell_conv_7x1_1x7, s, true);
        set_tap(&bench, "1.weight", 6); // three to the right
        set_tap(&bench, "2.weight", 1); // two up
        cell_forward(y, &bench, x);
        for (int64_t i = 0; i < CELL_CHANNELS * side * side; i++) {
            const float want = cell_relu_at(x, i / (side * side),
                                            i / side % side * s - 2,
                                            i % side * s + 3);
            ck_assert_float_eq_tol(y[i], want / sqrtf(1.00001f), 1e-6f);
        }
        cell_close(&bench);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        parameters_are_two_dense_convolutions_and_a_norm,
        the_first_moves_along_rows_and_the_second_along_columns, NULL};
    return suite_of("conv_7x1_1x7", tests);
}
