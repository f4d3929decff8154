// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

START_TEST(the_numbers_stay_the_same)
{
    float x[2 * 3 * 4];
    float y[2 * 3 * 4];
    for (size_t i = 0; i < 24; i++) {
        x[i] = (float)i;
    }
    op_forward(y, "reorder", NULL, &(op_value){{4, {2, 3, 2, 2}}, x}, 1);
    ck_assert_mem_eq(y, x, sizeof(x));
}
END_TEST

START_TEST(gradients_are_right)
{
    static const int64_t channels[] = {1, 3, 7, 8, 17};
    static const int64_t sizes[] = {1, 5, 31};
    for (size_t i = 0; i < 15; i++) {
        grad_case c = {.op = "reorder", .n = 1};
        c.src[0].shape =
            wsr__shape4(2, channels[i % 5], sizes[i / 5], sizes[(i + 1) % 3]);
        gradcheck(&c);
        c.blocked = true; // and back
        gradcheck(&c);
    }
}
END_TEST

START_TEST(what_is_no_image_is_refused)
{
    op_refuses(WSR_SHAPE, "(2, 3)", "reorder", NULL, &(wsr_shape){2, {2, 3}},
               1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_numbers_stay_the_same,
        gradients_are_right,
        what_is_no_image_is_refused,
        NULL,
    };
    return suite_of("reorder", tests);
}
