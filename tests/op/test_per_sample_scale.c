// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

START_TEST(each_sample_gets_its_factor)
{
    const float x[] = {1, 2, 3, 4};
    const float s[] = {2, -1};
    const float want[] = {2, 4, -3, -4};
    const op_value flat[] = {{{2, {2, 2}}, x}, {{1, {2}}, s}};
    const op_value column[] = {{{2, {2, 2}}, x}, {{2, {2, 1}}, s}};
    float y[4];
    op_forward(y, "per_sample_scale", NULL, flat, 2);
    ck_assert_mem_eq(y, want, sizeof(want));
    op_forward(y, "per_sample_scale", NULL, column, 2);
    ck_assert_mem_eq(y, want, sizeof(want));
}
END_TEST

START_TEST(gradients_are_right)
{
    static const wsr_shape shapes[] = {
        {4, {3, 7, 5, 3}}, {4, {3, 17, 1, 1}}, {2, {3, 5}}, {1, {3}}};
    for (size_t i = 0; i < 4; i++) {
        grad_case c = {.op = "per_sample_scale",
                       .n = 2,
                       .src = {{.shape = shapes[i]}, {.shape = {2, {3, 1}}}}};
        gradcheck(&c);
        c.blocked = true;
        c.src[1].shape = (wsr_shape){1, {3}};
        gradcheck(&c);
    }
}
END_TEST

START_TEST(factors_that_do_not_fit_are_refused)
{
    const wsr_shape shapes[] = {{2, {3, 4}}, {2, {3, 4}}};
    op_refuses(WSR_SHAPE, "(3, 4)", "per_sample_scale", NULL, shapes, 2);
    const wsr_shape other[] = {{2, {3, 4}}, {1, {4}}};
    op_refuses(WSR_SHAPE, "(4)", "per_sample_scale", NULL, other, 2);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        each_sample_gets_its_factor,
        gradients_are_right,
        factors_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("per_sample_scale", tests);
}
