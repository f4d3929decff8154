// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

START_TEST(every_stride_th_pixel_is_kept)
{
    const float x[] = {0, 1, 2, 3, 4, 5, 6, 7, 8}; // 3 x 3
    const float even[] = {0, 2, 6, 8};
    const float odd[] = {4};
    const op_value src = {{4, {1, 1, 3, 3}}, x};
    float y[9];
    op_forward(y, "subsample", NULL, &src, 1);
    ck_assert_mem_eq(y, even, sizeof(even));
    op_forward(y, "subsample", "offset=1", &src, 1);
    ck_assert_mem_eq(y, odd, sizeof(odd));
    op_forward(y, "subsample", "stride=1", &src, 1);
    ck_assert_mem_eq(y, x, sizeof(x));
}
END_TEST

START_TEST(gradients_are_right)
{
    static const int64_t channels[] = {1, 3, 7, 17};
    static const char *const options[] = {NULL, "offset=1", "stride=3,offset=2",
                                          "stride=1"};
    for (size_t i = 0; i < 16; i++) {
        grad_case c = {.op = "subsample", .options = options[i / 4], .n = 1};
        c.src[0].shape = wsr__shape4(2, channels[i % 4], 5, 31);
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
        c.src[0].shape = wsr__shape4(3, channels[i % 4], 4, 6);
        gradcheck(&c);
    }
}
END_TEST

START_TEST(offsets_outside_are_refused)
{
    op_refuses(WSR_SHAPE, "(2, 3, 1, 5)", "subsample", "offset=1",
               &(wsr_shape){4, {2, 3, 1, 5}}, 1);
    op_refuses(WSR_SHAPE, "(2, 3)", "subsample", NULL, &(wsr_shape){2, {2, 3}},
               1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        every_stride_th_pixel_is_kept,
        gradients_are_right,
        offsets_outside_are_refused,
        NULL,
    };
    return suite_of("subsample", tests);
}
