// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

START_TEST(values_are_means_of_planes)
{
    const float x[] = {1, 2, 3, 6, 0, 0, 1, 3};
    const float want[] = {3, 1};
    float y[2];
    op_forward(y, "global_avg_pool", NULL, &(op_value){{4, {1, 2, 2, 2}}, x},
               1);
    ck_assert_mem_eq(y, want, sizeof(want));
}
END_TEST

START_TEST(gradients_are_right)
{
    static const int64_t channels[] = {1, 3, 7, 17};
    static const int64_t sizes[][2] = {{1, 1}, {5, 31}, {8, 8}};
    for (size_t i = 0; i < 12; i++) {
        grad_case c = {.op = "global_avg_pool", .n = 1};
        c.src[0].shape =
            wsr__shape4(2, channels[i % 4], sizes[i / 4][0], sizes[i / 4][1]);
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
    }
}
END_TEST

START_TEST(what_is_no_image_is_refused)
{
    op_refuses(WSR_SHAPE, "(2, 3)", "global_avg_pool", NULL,
               &(wsr_shape){2, {2, 3}}, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_means_of_planes,
        gradients_are_right,
        what_is_no_image_is_refused,
        NULL,
    };
    return suite_of("global_avg_pool", tests);
}
