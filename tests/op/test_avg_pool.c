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
    op_refuses(WSR_ARG, "pad 2", "avg_pool", "pad=2", &shape, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_border_counts_or_does_not,
        gradients_are_right,
        one_pixel_is_enough_with_padding,
        windows_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("avg_pool", tests);
}
