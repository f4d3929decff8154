// SPDX-License-Identifier: Apache-2.0

#include "support/cell.h"

static float mean(const float *x, int n)
{
    float sum = 0;
    for (int i = 0; i < n; i++) {
        sum += x[i];
    }
    return sum / (float)n;
}

START_TEST(the_mean_is_over_pixels_inside_of_the_image)
{
    cell_check_pool(&wsr__cell_avg_pool_3x3, mean);
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
