// SPDX-License-Identifier: Apache-2.0

#include "support/cell.h"

static float largest(const float *x, int n)
{
    float most = x[0];
    for (int i = 1; i < n; i++) {
        most = x[i] > most ? x[i] : most;
    }
    return most;
}

START_TEST(the_largest_of_nine_pixels_is_taken)
{
    cell_check_pool(&wsr__cell_max_pool_3x3, largest);
}
END_TEST

START_TEST(a_supernet_puts_a_norm_behind_it)
{
    ck_assert(wsr__cell_max_pool_3x3.bare);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {the_largest_of_nine_pixels_is_taken,
                                  a_supernet_puts_a_norm_behind_it, NULL};
    return suite_of("max_pool_3x3", tests);
}
