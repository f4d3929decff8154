// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

START_TEST(values_are_weighted_sums)
{
    const float a[] = {1, 2, 3, 4};
    const float b[] = {10, 20, 30, 40};
    const float coef[] = {1, 0.5f, -1, 0};
    const float want[] = {6, 12, -3, -4};
    const op_value srcs[] = {
        {{2, {2, 2}}, a}, {{2, {2, 2}}, b}, {{2, {2, 2}}, coef}};
    float y[4];
    op_forward(y, "weighted_sum", NULL, srcs, 3);
    ck_assert_mem_eq(y, want, sizeof(want));
}
END_TEST

START_TEST(gradients_are_right)
{
    grad_case c = {.op = "weighted_sum",
                   .n = 4,
                   .src = {{.shape = {4, {3, 7, 2, 3}}},
                           {.shape = {4, {3, 7, 2, 3}}},
                           {.shape = {4, {3, 7, 2, 3}}},
                           {.shape = {2, {3, 3}}}}};
    gradcheck(&c);
    c.blocked = true;
    gradcheck(&c);
    c = (grad_case){.op = "weighted_sum",
                    .n = 2,
                    .src = {{.shape = {2, {5, 1}}}, {.shape = {2, {5, 1}}}}};
    gradcheck(&c);
    c.same = true; // its own weights
    gradcheck(&c);
}
END_TEST

START_TEST(weights_that_do_not_fit_are_refused)
{
    const wsr_shape shapes[] = {{2, {3, 4}}, {2, {3, 4}}, {2, {3, 3}}};
    op_refuses(WSR_SHAPE, "(3, 2), not (3, 3)", "weighted_sum", NULL, shapes,
               3);
    const wsr_shape other[] = {{2, {3, 4}}, {2, {3, 5}}, {2, {3, 2}}};
    op_refuses(WSR_SHAPE, "(3, 5)", "weighted_sum", NULL, other, 3);
    op_refuses(WSR_ARG, "1 sources", "weighted_sum", NULL, other, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_weighted_sums,
        gradients_are_right,
        weights_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("weighted_sum", tests);
}
