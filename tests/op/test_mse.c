// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

START_TEST(values_are_means_of_squares)
{
    const float a[] = {1, 2, 3, 4};
    const float b[] = {1, 4, 0, 4};
    const float want[] = {2, 4.5f};
    const op_value srcs[] = {{{2, {2, 2}}, a}, {{2, {2, 2}}, b}};
    float y[2];
    op_forward(y, "mse", NULL, srcs, 2);
    ck_assert_mem_eq(y, want, sizeof(want));
}
END_TEST

START_TEST(gradients_are_right)
{
    grad_case c = {
        .op = "mse",
        .n = 2,
        .src = {{.shape = {4, {3, 7, 5, 3}}}, {.shape = {4, {3, 7, 5, 3}}}}};
    gradcheck(&c);
    c.blocked = true;
    gradcheck(&c);
    c.same = true; // zero, and so are both gradients together
    gradcheck(&c);
    c = (grad_case){
        .op = "mse", .n = 2, .src = {{.shape = {1, {5}}}, {.shape = {1, {5}}}}};
    gradcheck(&c);
}
END_TEST

START_TEST(different_shapes_are_refused)
{
    const wsr_shape shapes[] = {{2, {3, 4}}, {1, {3}}};
    op_refuses(WSR_SHAPE, "(3, 4)", "mse", NULL, shapes, 2);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_means_of_squares,
        gradients_are_right,
        different_shapes_are_refused,
        NULL,
    };
    return suite_of("mse", tests);
}
