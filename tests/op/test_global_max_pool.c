// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

#include <math.h>

START_TEST(values_are_the_largest_of_planes)
{
    const float x[] = {1, 2, 9, 6, -3, -1, -2, -4};
    const float want[] = {9, -1};
    const float first[] = {2, -1};
    const op_value src = {{4, {1, 2, 2, 2}}, x};
    float y[2];
    op_forward(y, "global_max_pool", NULL, &src, 1);
    ck_assert_mem_eq(y, want, sizeof(want));
    op_forward(y, "global_max_pool", "height=1", &src, 1);
    ck_assert_mem_eq(y, first, sizeof(first));
}
END_TEST

START_TEST(a_nan_is_the_largest)
{
    const float x[] = {1, NAN, 3, 2};
    float y = 0;
    op_forward(&y, "global_max_pool", NULL, &(op_value){{4, {1, 1, 2, 2}}, x},
               1);
    ck_assert(isnan(y));
}
END_TEST

START_TEST(gradients_are_right)
{
    static const int64_t channels[] = {1, 3, 17};
    static const char *const options[] = {NULL, "height=3,width=2", "width=4"};
    for (size_t i = 0; i < 9; i++) {
        grad_case c = {.op = "global_max_pool",
                       .options = options[i / 3],
                       .n = 1,
                       .src = {{.shape = {4, {2, channels[i % 3], 5, 4}},
                                .draw = DRAW_SPACED}}};
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
    }
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    const wsr_shape image = {4, {1, 2, 3, 4}};
    op_refuses(WSR_SHAPE, "(2, 3)", "global_max_pool", NULL,
               &(wsr_shape){2, {2, 3}}, 1);
    op_refuses(WSR_SHAPE, "as large as the window", "global_max_pool",
               "height=4", &image, 1);
    op_refuses(WSR_SHAPE, "as large as the window", "global_max_pool",
               "width=5", &image, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_the_largest_of_planes,
        a_nan_is_the_largest,
        gradients_are_right,
        what_does_not_fit_is_refused,
        NULL,
    };
    return suite_of("global_max_pool", tests);
}
