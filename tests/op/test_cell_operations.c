// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

START_TEST(each_node_has_its_kind)
{
    // Two edges of three candidates; the first greatest counts.
    const float x[] = {0.1F, 0.8F, 0.1F, 0.5F, 0.2F, 0.5F};
    const float want[] = {1, 0, 0, 0, 0, 0,  // first input
                          0, 1, 0, 0, 0, 0,  // second
                          0, 0, 0, 1, 0, 0,  // candidate 1
                          0, 0, 1, 0, 0, 0,  // candidate 0
                          0, 0, 0, 0, 0, 1}; // output
    float y[30];
    op_forward(y, "cell_operations", NULL, &(op_value){{3, {1, 2, 3}}, x}, 1);
    ck_assert_mem_eq(y, want, sizeof(want));
}
END_TEST

START_TEST(no_gradient_passes)
{
    grad_case c = {.op = "cell_operations",
                   .n = 1,
                   .src = {{.shape = {3, {2, 5, 4}}, .draw = DRAW_SPACED}},
                   .no_grad = true};
    gradcheck(&c);
}
END_TEST

START_TEST(other_numbers_of_edges_are_refused)
{
    const wsr_shape src = {3, {2, 4, 4}};
    op_refuses(WSR_SHAPE, "(2, 4, 4)", "cell_operations", NULL, &src, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        each_node_has_its_kind,
        no_gradient_passes,
        other_numbers_of_edges_are_refused,
        NULL,
    };
    return suite_of("cell_operations", tests);
}
