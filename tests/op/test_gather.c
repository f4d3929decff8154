// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

START_TEST(elements_come_in_the_order_of_the_indices)
{
    const float x[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}; // (2, 3, 2)
    const float rows[] = {4, 5, 0, 1, 4, 5, 10, 11, 6, 7, 10, 11};
    const float columns[] = {1, 3, 5, 7, 9, 11};
    const op_value src = {{3, {2, 3, 2}}, x};
    float y[12];
    op_forward(y, "gather", "indices=[2, 0, 2]", &src, 1);
    ck_assert_mem_eq(y, rows, sizeof(rows));
    op_forward(y, "gather", "axis=2,indices=[1]", &src, 1);
    ck_assert_mem_eq(y, columns, sizeof(columns));
}
END_TEST

START_TEST(gradients_are_right_and_add_up)
{
    static const char *const options[] = {"indices=[6, 0, 3, 3]",
                                          "axis=2,indices=[4]",
                                          "axis=3,indices=[0, 1, 2, 2, 1, 0]"};
    for (size_t i = 0; i < 3; i++) {
        grad_case c = {.op = "gather",
                       .options = options[i],
                       .n = 1,
                       .src = {{.shape = {4, {3, 7, 5, 3}}}}};
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
    }
}
END_TEST

START_TEST(indices_outside_are_refused)
{
    const wsr_shape shape = {3, {2, 3, 4}};
    op_refuses(WSR_SHAPE, "index 3 of axis 1", "gather", "indices=[0, 3]",
               &shape, 1);
    op_refuses(WSR_SHAPE, "index 0 of axis 3", "gather", "axis=3", &shape, 1);
    op_refuses(WSR_SHAPE, "no index", "gather", "indices=[]", &shape, 1);
    op_refuses(WSR_CONFIG, "outside", "gather", "indices=[-1]", &shape, 1);
    op_refuses(WSR_CONFIG, "0 is outside", "gather", "axis=0", &shape, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        elements_come_in_the_order_of_the_indices,
        gradients_are_right_and_add_up,
        indices_outside_are_refused,
        NULL,
    };
    return suite_of("gather", tests);
}
