// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

#include <math.h>

START_TEST(values_are_those_of_the_definition)
{
    const float log_q[] = {-1, -2, -3, -1, -INFINITY, -3};
    const float p[] = {0.2f, 0.5f, 0.3f, 1, 0, 0};
    const op_value srcs[] = {{{2, {2, 3}}, log_q}, {{2, {2, 3}}, p}};
    const double want = 0.2 * (log(0.2) + 1) + 0.5 * (log(0.5) + 2) +
                        0.3 * (log(0.3) + 3);
    float y[2];
    op_forward(y, "kl_div", NULL, srcs, 2);
    ck_assert_double_eq_tol((double)y[0], want, 1e-6);
    ck_assert_double_eq_tol((double)y[1], 1, 1e-6); // 0 ln 0 is 0
}
END_TEST

START_TEST(gradients_are_right)
{
    grad_case c = {.op = "kl_div",
                   .n = 2,
                   .src = {{.shape = {2, {5, 10}}, .low = -3, .high = -1},
                           {.shape = {2, {5, 10}}, .low = 0.3, .high = 1}}};
    gradcheck(&c);
    c.src[0].shape = (wsr_shape){4, {3, 7, 1, 5}};
    c.src[1].shape = c.src[0].shape;
    c.blocked = true;
    gradcheck(&c);
}
END_TEST

START_TEST(different_shapes_are_refused)
{
    const wsr_shape shapes[] = {{2, {3, 4}}, {2, {3, 5}}};
    op_refuses(WSR_SHAPE, "(3, 5)", "kl_div", NULL, shapes, 2);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_those_of_the_definition,
        gradients_are_right,
        different_shapes_are_refused,
        NULL,
    };
    return suite_of("kl_div", tests);
}
