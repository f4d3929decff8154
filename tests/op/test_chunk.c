// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

START_TEST(a_part_is_taken)
{
    const float x[] = {1, 2, 3, 4, 5, 6, 7, 8};
    const float second[] = {5, 6, 7, 8};
    const float columns[] = {3, 4, 7, 8};
    const op_value src = {{2, {2, 4}}, x};
    float y[4];
    op_forward(y, "chunk", "count=2,index=1", &src, 1);
    ck_assert_mem_eq(y, second, sizeof(second));
    op_forward(y, "chunk", "axis=1,count=2,index=1", &src, 1);
    ck_assert_mem_eq(y, columns, sizeof(columns));
}
END_TEST

START_TEST(gradients_are_right)
{
    static const char *const options[] = {"count=2,index=0", "count=2,index=1",
                                          "axis=1,count=3,index=1",
                                          "axis=3,count=5,index=4", "count=1"};
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        grad_case c = {.op = "chunk",
                       .options = options[i],
                       .n = 1,
                       .src = {{.shape = {4, {2, 9, 3, 5}}}},
                       .mixes = true};
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
    }
}
END_TEST

START_TEST(parts_that_do_not_fit_are_refused)
{
    const wsr_shape shape = {2, {4, 6}};
    op_refuses(WSR_SHAPE, "part 0 of 3 along axis 0 does not fit (4, 6)",
               "chunk", "count=3", &shape, 1);
    op_refuses(WSR_SHAPE, "part 2 of 2", "chunk", "count=2,index=2", &shape, 1);
    op_refuses(WSR_SHAPE, "axis 3", "chunk", "axis=3", &shape, 1);
    op_refuses(WSR_SHAPE, "part 0 of 8", "chunk", "count=8", &shape, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_part_is_taken,
        gradients_are_right,
        parts_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("chunk", tests);
}
