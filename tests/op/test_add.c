// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

static double formula(double a, double b)
{
    return a + b;
}

START_TEST(values_are_sums)
{
    const float a[] = {1, 2, 3, 4};
    const float b[] = {10, 20, 30, 40};
    const float c[] = {0.5f, 0.25f, 0, -4};
    const float want[] = {11.5f, 22.25f, 33, 40};
    const op_value srcs[] = {
        {{2, {2, 2}}, a}, {{2, {2, 2}}, b}, {{2, {2, 2}}, c}};
    float y[4];
    op_forward(y, "add", NULL, srcs, 3);
    ck_assert_mem_eq(y, want, sizeof(want));
    op_forward(y, "add", NULL, srcs, 1);
    ck_assert_mem_eq(y, a, sizeof(a));
}
END_TEST

START_TEST(gradients_are_right)
{
    static const wsr_shape shapes[] = {{4, {3, 1, 1, 1}},
                                       {4, {3, 3, 5, 31}},
                                       {4, {2, 17, 5, 5}},
                                       {4, {1, 7, 31, 1}},
                                       {2, {3, 7}}};
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        grad_case c = {.op = "add",
                       .n = 3,
                       .src = {{.shape = shapes[i]},
                               {.shape = shapes[i]},
                               {.shape = shapes[i]}}};
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
        c.same = true; // three times the source
        gradcheck(&c);
    }
}
END_TEST

START_TEST(shapes_are_broadcast)
{
    pairs_follow("add", formula);
    broadcast_gradients("add", -1, 1);
}
END_TEST

START_TEST(different_shapes_are_refused)
{
    const wsr_shape shapes[] = {{2, {3, 4}}, {2, {3, 4}}, {2, {3, 5}}};
    op_refuses(WSR_SHAPE, "source 2 has shape (3, 5)", "add", NULL, shapes, 3);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_sums,
        gradients_are_right,
        shapes_are_broadcast,
        different_shapes_are_refused,
        NULL,
    };
    return suite_of("add", tests);
}
