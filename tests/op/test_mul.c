// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

static double formula(double a, double b)
{
    return a * b;
}

START_TEST(values_are_products)
{
    const float a[] = {1, -2, 3, 4};
    const float b[] = {5, 6, 0, -0.5f};
    const float want[] = {5, -12, 0, -2};
    const op_value srcs[] = {{{2, {2, 2}}, a}, {{2, {2, 2}}, b}};
    float y[4];
    op_forward(y, "mul", NULL, srcs, 2);
    ck_assert_mem_eq(y, want, sizeof(want));
}
END_TEST

START_TEST(gradients_are_right)
{
    grad_case c = {
        .op = "mul",
        .n = 2,
        .src = {{.shape = {4, {3, 7, 5, 3}}}, {.shape = {4, {3, 7, 5, 3}}}}};
    gradcheck(&c);
    c.blocked = true;
    gradcheck(&c);
    c.same = true; // a square
    gradcheck(&c);
}
END_TEST

START_TEST(shapes_are_broadcast)
{
    pairs_follow("mul", formula);
    broadcast_gradients("mul", -1, 1);
}
END_TEST

START_TEST(different_shapes_are_refused)
{
    const wsr_shape shapes[] = {{2, {3, 4}}, {2, {3, 5}}};
    op_refuses(WSR_SHAPE, "(3, 5)", "mul", NULL, shapes, 2);
    op_refuses(WSR_ARG, "sources", "mul", NULL, shapes, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_products,
        gradients_are_right,
        shapes_are_broadcast,
        different_shapes_are_refused,
        NULL,
    };
    return suite_of("mul", tests);
}
