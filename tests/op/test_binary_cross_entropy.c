// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

#include <math.h>

START_TEST(values_are_those_of_the_definition)
{
    const float p[] = {0.5F, 0.25F, 0.9F, 0.1F};
    const float t[] = {1, 0, 0.5F, 0};
    const op_value srcs[] = {{{2, {2, 2}}, p}, {{2, {2, 2}}, t}};
    float y[2];
    op_forward(y, "binary_cross_entropy", NULL, srcs, 2);
    ck_assert_double_eq_tol((double)y[0], -(log(0.5) + log(0.75)) / 2, 1e-6);
    ck_assert_double_eq_tol(
        (double)y[1], -(0.5 * log(0.9) + 0.5 * log(0.1) + log(0.9)) / 2, 1e-6);
}
END_TEST

// As PyTorch's: a certain error costs 100, and not infinitely much.
START_TEST(logarithms_are_bounded)
{
    const float p[] = {0, 1, 1, 0};
    const float t[] = {1, 0, 1, 0};
    const op_value srcs[] = {{{2, {2, 2}}, p}, {{2, {2, 2}}, t}};
    float y[2];
    op_forward(y, "binary_cross_entropy", NULL, srcs, 2);
    ck_assert_float_eq(y[0], 100);
    ck_assert_float_eq(y[1], 0);
}
END_TEST

START_TEST(gradients_are_right)
{
    grad_case c = {.op = "binary_cross_entropy",
                   .n = 2,
                   .src = {{.shape = {3, {3, 7, 5}}, .low = 0.3, .high = 0.7},
                           {.shape = {3, {3, 7, 5}}, .fixed = true, .high = 1}},
                   .step = 1.0 / 256};
    gradcheck(&c);
}
END_TEST

START_TEST(different_shapes_are_refused)
{
    const wsr_shape shapes[] = {{2, {3, 4}}, {2, {3, 5}}};
    op_refuses(WSR_SHAPE, "(3, 5)", "binary_cross_entropy", NULL, shapes, 2);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_those_of_the_definition,
        logarithms_are_bounded,
        gradients_are_right,
        different_shapes_are_refused,
        NULL,
    };
    return suite_of("binary_cross_entropy", tests);
}
