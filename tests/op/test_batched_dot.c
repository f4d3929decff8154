// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

START_TEST(values_are_inner_products)
{
    const float a[] = {1, 2, 3, 4, 5, 6};
    const float b[] = {1, 0, -1, 0.5f, 2, 1};
    const float want[] = {-2, 18};
    const op_value srcs[] = {{{2, {2, 3}}, a}, {{2, {2, 3}}, b}};
    float y[2];
    op_forward(y, "batched_dot", NULL, srcs, 2);
    ck_assert_mem_eq(y, want, sizeof(want));
}
END_TEST

START_TEST(gradients_are_right)
{
    grad_case c = {.op = "batched_dot",
                   .n = 2,
                   .src = {{.shape = {2, {3, 50}}}, {.shape = {2, {3, 50}}}}};
    gradcheck(&c);
    c.same = true;
    gradcheck(&c);
    c.same = false;
    c.blocked = true;
    c.src[0].shape = (wsr_shape){4, {2, 7, 3, 1}};
    c.src[1].shape = c.src[0].shape;
    gradcheck(&c);
}
END_TEST

START_TEST(different_shapes_are_refused)
{
    const wsr_shape shapes[] = {{2, {3, 4}}, {2, {3, 5}}};
    op_refuses(WSR_SHAPE, "(3, 5)", "batched_dot", NULL, shapes, 2);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_inner_products,
        gradients_are_right,
        different_shapes_are_refused,
        NULL,
    };
    return suite_of("batched_dot", tests);
}
