// SPDX-License-Identifier: Apache-2.0

#include "support/cell.h"

// The mean of the window around a place, straight from the definition.
static float window(const float *x, int64_t c, int64_t row, int64_t column)
{
    float sum = 0;
    int count = 0;
    for (int64_t i = 0; i < 9; i++) {
        const int64_t r = row + i / 3 - 1;
        const int64_t k = column + i % 3 - 1;
        if (r >= 0 && r < CELL_SIDE && k >= 0 && k < CELL_SIDE) {
            sum += x[(c * CELL_SIDE + r) * CELL_SIDE + k];
            count++;
        }
    }
    return sum / (float)count;
}

START_TEST(the_mean_is_over_pixels_inside_of_the_image)
{
    float x[CELL_FLOATS];
    float y[CELL_FLOATS];
    cell_image(x);
    for (int64_t s = 1; s <= 2; s++) {
        const int64_t side = CELL_SIDE / s;
        cell_bench bench;
        cell_expect(&wsr__cell_avg_pool_3x3, s, true, "");
        cell_open(&bench, &wsr__cell_avg_pool_3x3, s, true);
        cell_forward(y, &bench, x);
        for (int64_t i = 0; i < CELL_CHANNELS * side * side; i++) {
            const float want =
                window(x, i / (side * side), i / side % side * s, i % side * s);
            ck_assert_float_eq_tol(y[i], want, 1e-6f);
        }
        cell_close(&bench);
    }
}
END_TEST

START_TEST(a_supernet_puts_a_norm_behind_it)
{
    ck_assert(wsr__cell_avg_pool_3x3.bare);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {the_mean_is_over_pixels_inside_of_the_image,
                                  a_supernet_puts_a_norm_behind_it, NULL};
    return suite_of("avg_pool_3x3", tests);
}
