// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

START_TEST(the_border_counts_or_does_not)
{
    const float x[] = {4, 8, 12, 16}; // 2 x 2
    const float inside[] = {10, 10, 10, 10};
    const float whole[] = {40 / 9.0f, 40 / 9.0f, 40 / 9.0f, 40 / 9.0f};
    const op_value src = {{4, {1, 1, 2, 2}}, x};
    float y[4];
    op_forward(y, "avg_pool", "pad=1", &src, 1);
    ck_assert_mem_eq(y, inside, sizeof(inside));
    op_forward(y, "avg_pool", "pad=1,count_pad=true", &src, 1);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_float_eq_tol(y[i], whole[i], 1e-6f);
    }
}
END_TEST

START_TEST(gradients_are_right)
{
    static const int64_t channels[] = {1, 3, 7, 17};
    static const int64_t sizes[][2] = {{5, 5}, {31, 3}, {5, 31}, {6, 8}};
    static const char *const options[] = {"pad=1", "pad=1,stride=2",
                                          "pad=1,stride=2,count_pad=true",
                                          "kernel=5,stride=3"};
    for (size_t i = 0; i < 16; i++) {
        grad_case c = {.op = "avg_pool", .options = options[i / 4], .n = 1};
        c.src[0].shape =
            wsr__shape4(2, channels[i % 4], sizes[i / 4][0], sizes[i / 4][1]);
        if (i / 4 == 3) {
            c.src[0].shape.dims[2] = 8;
        }
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
    }
}
END_TEST

START_TEST(one_pixel_is_enough_with_padding)
{
    grad_case c = {.op = "avg_pool", .options = "pad=1", .n = 1};
    c.src[0].shape = wsr__shape4(2, 3, 1, 1);
    gradcheck(&c);
}
END_TEST

START_TEST(windows_that_do_not_fit_are_refused)
{
    const wsr_shape shape = {4, {2, 3, 2, 5}};
    op_refuses(WSR_SHAPE, "(2, 3, 2, 5)", "avg_pool", NULL, &shape, 1);
    op_refuses(WSR_ARG, "pad 3", "avg_pool", "pad=3", &shape, 1);
}
END_TEST

START_TEST(other_windows_have_right_gradients)
{
    static const char *const options[] = {
        "kernel=[2,3],stride=[2,1]",
        "kernel=[1,4],pad=[0,1],count_pad=true",
        "kernel=3,pad=[1,0,0,1]",
        "kernel=3,stride=2,ceil_mode=true",
        "kernel=16,pad=8,stride=5",
        "pad=2,count_pad=true",
        "kernel=4,pad=3,stride=2",
        "kernel=3,stride=2,pad=1,ceil_mode=true,count_pad=true"};
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        grad_case c = {.op = "avg_pool",
                       .options = options[i],
                       .n = 1,
                       .src = {{.shape = {4, {2, 9, 6, 8}}}}};
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
    const float want0[] = {4,  6,     8,     9.5f,  18,    20,
                           22, 23.5f, 28.5f, 30.5f, 32.5f, 34};
    op_forward(y, "avg_pool", "kernel=2,stride=2,ceil_mode=true", &src, 1);
    for (size_t i = 0; i < sizeof(want0) / sizeof(want0[0]); i++) {
        ck_assert_float_eq_tol(y[i], want0[i], 1e-5f);
    }
    const float want1[] = {
        1.7777777910232544f, 4.333333492279053f, 4, 14.333333015441895f, 24,
        17.66666603088379f};
    op_forward(y, "avg_pool",
               "kernel=3,stride=3,pad=1,ceil_mode=true,count_pad=true", &src,
               1);
    for (size_t i = 0; i < sizeof(want1) / sizeof(want1[0]); i++) {
        ck_assert_float_eq_tol(y[i], want1[i], 1e-5f);
    }
    const float want2[] = {1.7777777910232544f,
                           3.6666667461395264f,
                           5,
                           4,
                           9.666666984558105f,
                           16,
                           18,
                           13,
                           11.11111068725586f,
                           17.66666603088379f,
                           19,
                           13.333333015441895f};
    op_forward(y, "avg_pool",
               "kernel=3,stride=2,pad=1,ceil_mode=true,count_pad=true", &src,
               1);
    for (size_t i = 0; i < sizeof(want2) / sizeof(want2[0]); i++) {
        ck_assert_float_eq_tol(y[i], want2[i], 1e-5f);
    }
    const float want3[] = {4, 6.5f, 9, 21.5f, 24, 26.5f};
    op_forward(y, "avg_pool", "kernel=3,stride=3,pad=1,ceil_mode=true", &src,
               1);
    for (size_t i = 0; i < sizeof(want3) / sizeof(want3[0]); i++) {
        ck_assert_float_eq_tol(y[i], want3[i], 1e-5f);
    }
    const float want4[] = {1.1666666269302368f, 4,  6, 7, 16.5f, 19.5f,
                           8.166666984558105f,  18, 20};
    op_forward(y, "avg_pool",
               "kernel=[3,2],stride=[2,3],pad=[1,1],count_pad=true", &src, 1);
    for (size_t i = 0; i < sizeof(want4) / sizeof(want4[0]); i++) {
        ck_assert_float_eq_tol(y[i], want4[i], 1e-5f);
    }
    const float want5[] = {
        4,     5,     6,     7,     8,     9,     7.5f,  8.5f,  9.5f,  10.5f,
        11.5f, 12.5f, 14.5f, 15.5f, 16.5f, 17.5f, 18.5f, 19.5f, 21.5f, 22.5f,
        23.5f, 24.5f, 25.5f, 26.5f, 25,    26,    27,    28,    29,    30};
    op_forward(y, "avg_pool", "kernel=[3,2],pad=[1,0]", &src, 1);
    for (size_t i = 0; i < sizeof(want5) / sizeof(want5[0]); i++) {
        ck_assert_float_eq_tol(y[i], want5[i], 1e-5f);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_border_counts_or_does_not,
        gradients_are_right,
        one_pixel_is_enough_with_padding,
        windows_that_do_not_fit_are_refused,
        other_windows_have_right_gradients,
        values_are_those_of_pytorch,
        NULL,
    };
    return suite_of("avg_pool", tests);
}
