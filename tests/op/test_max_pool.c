// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

#include <math.h>

START_TEST(windows_yield_their_largest_value)
{
    const float x[] = {-5, -2, -7, -4, -9, -1, -3, -8, -6}; // 3 x 3
    const float padded[] = {-2, -1, -1, -2, -1, -1, -3, -1, -1};
    const float strided[] = {-2, -1, -3, -1};
    const float alone[] = {-1};
    const op_value src = {{4, {1, 1, 3, 3}}, x};
    float y[9];
    op_forward(y, "max_pool", "pad=1", &src, 1);
    ck_assert_mem_eq(y, padded, sizeof(padded)); // zeros outside never win
    op_forward(y, "max_pool", "pad=1,stride=2", &src, 1);
    ck_assert_mem_eq(y, strided, sizeof(strided));
    op_forward(y, "max_pool", NULL, &src, 1);
    ck_assert_mem_eq(y, alone, sizeof(alone));
}
END_TEST

START_TEST(a_nan_wins)
{
    const float x[] = {1, NAN, 3, 4};
    float y[1];
    op_forward(y, "max_pool", "kernel=2", &(op_value){{4, {1, 1, 2, 2}}, x}, 1);
    ck_assert(isnan(y[0]));
}
END_TEST

START_TEST(gradients_are_right)
{
    static const int64_t channels[] = {1, 3, 7, 17};
    static const int64_t sizes[][2] = {{5, 5}, {31, 3}, {5, 31}, {4, 6}};
    static const char *const options[] = {
        "pad=1", "pad=1,stride=2", "kernel=2,stride=2", "kernel=3,stride=3"};
    for (size_t i = 0; i < 16; i++) {
        grad_case c = {.op = "max_pool", .options = options[i / 4], .n = 1};
        c.src[0].shape =
            wsr__shape4(2, channels[i % 4], sizes[i / 4][0], sizes[i / 4][1]);
        c.src[0].draw = DRAW_SPACED;
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
    }
}
END_TEST

START_TEST(one_pixel_is_enough_with_padding)
{
    grad_case c = {.op = "max_pool", .options = "pad=1", .n = 1};
    c.src[0].shape = wsr__shape4(2, 3, 1, 1);
    c.src[0].draw = DRAW_SPACED;
    gradcheck(&c);
}
END_TEST

START_TEST(windows_that_do_not_fit_are_refused)
{
    const wsr_shape shape = {4, {2, 3, 2, 5}};
    op_refuses(WSR_SHAPE, "(2, 3, 2, 5)", "max_pool", NULL, &shape, 1);
    op_refuses(WSR_ARG, "pad 2", "max_pool", "pad=2", &shape, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        windows_yield_their_largest_value,
        a_nan_wins,
        gradients_are_right,
        one_pixel_is_enough_with_padding,
        windows_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("max_pool", tests);
}
