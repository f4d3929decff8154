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

START_TEST(other_windows_have_right_gradients)
{
    static const char *const options[] = {
        "pad=2",
        "kernel=4,pad=3,stride=2",
        "pad=2,stride=2",
        "kernel=[2,3],stride=[2,1]",
        "kernel=[1,4],pad=[0,1]",
        "kernel=3,pad=[1,0,0,1]",
        "kernel=3,stride=2,ceil_mode=true",
        "kernel=2,dilation=2,pad=1",
        "kernel=[2,3],dilation=[3,2],pad=[2,1]",
        "kernel=16,pad=8,stride=5",
        "kernel=2,stride=3,pad=1,ceil_mode=true"};
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        grad_case c = {.op = "max_pool", .options = options[i], .n = 1};
        c.src[0].shape = wsr__shape4(2, 9, 6, 8);
        c.src[0].draw = DRAW_SPACED;
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
    }
}
END_TEST

// Figures of torch 1.13, of the numbers 0 to 34 as (5, 7) images.
START_TEST(values_are_those_of_pytorch)
{
    float x[35];
    float y[64];
    for (int i = 0; i < 35; i++) {
        x[i] = (float)i;
    }
    const op_value src = {{4, {1, 1, 5, 7}}, x};
    const float want0[] = {8, 10, 12, 13, 22, 24, 26, 27, 29, 31, 33, 34};
    op_forward(y, "max_pool", "kernel=2,stride=2,ceil_mode=true", &src, 1);
    for (size_t i = 0; i < sizeof(want0) / sizeof(want0[0]); i++) {
        ck_assert_float_eq_tol(y[i], want0[i], 1e-5f);
    }
    const float want1[] = {2,  3,  4,  5,  6,  16, 17, 18,
                           19, 20, 30, 31, 32, 33, 34};
    op_forward(y, "max_pool", "kernel=[2,3],stride=[2,1],pad=[1,0]", &src, 1);
    for (size_t i = 0; i < sizeof(want1) / sizeof(want1[0]); i++) {
        ck_assert_float_eq_tol(y[i], want1[i], 1e-5f);
    }
    const float want2[] = {0, 3, 6, 21, 24, 27};
    op_forward(y, "max_pool", "kernel=2,stride=3,pad=1,ceil_mode=true", &src,
               1);
    for (size_t i = 0; i < sizeof(want2) / sizeof(want2[0]); i++) {
        ck_assert_float_eq_tol(y[i], want2[i], 1e-5f);
    }
    const float want3[] = {24, 26, 26, 24, 26, 26};
    op_forward(y, "max_pool", "kernel=3,stride=2,pad=1,dilation=2", &src, 1);
    for (size_t i = 0; i < sizeof(want3) / sizeof(want3[0]); i++) {
        ck_assert_float_eq_tol(y[i], want3[i], 1e-5f);
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
    op_refuses(WSR_ARG, "pad 3", "max_pool", "pad=3", &shape, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        windows_yield_their_largest_value,
        a_nan_wins,
        gradients_are_right,
        other_windows_have_right_gradients,
        values_are_those_of_pytorch,
        one_pixel_is_enough_with_padding,
        windows_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("max_pool", tests);
}
