// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

#include <math.h>

START_TEST(values_are_right)
{
    const float x[] = {0, 1, 2, 3, 4, 5}; // (1, 2, 3)
    const float rows[] = {2, 5};
    const float columns[] = {3, 4, 5};
    const float all[] = {5};
    const op_value src = {{3, {1, 2, 3}}, x};
    float y[6];
    op_forward(y, "reduce_max", "axes=[-1]", &src, 1);
    ck_assert_mem_eq(y, rows, sizeof(rows));
    op_forward(y, "reduce_max", "axes=[1],keep_dims=false", &src, 1);
    ck_assert_mem_eq(y, columns, sizeof(columns));
    op_forward(y, "reduce_max", NULL, &src, 1);
    ck_assert_mem_eq(y, all, sizeof(all));
}
END_TEST

START_TEST(gradients_are_right)
{
    static const char *const options[] = {
        NULL,         "axes=[2,3]", "axes=[1],keep_dims=false",
        "axes=[1,3]", "axes=[-1]",  "axes=[-3,-2],keep_dims=false"};
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        grad_case c = {
            .op = "reduce_max",
            .options = options[i],
            .n = 1,
            .src = {{.shape = {4, {3, 7, 5, 4}}, .draw = DRAW_SPACED}}};
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
    }
}
END_TEST

START_TEST(equal_numbers_share_the_gradient)
{
    static const float x[] = {2, 1, 2};
    float dx[3];
    slopes_at(dx, "reduce_max", NULL, x, 3);
    ck_assert(dx[0] == 0.5f && dx[1] == 0 && dx[2] == 0.5f);
}
END_TEST

START_TEST(a_nan_wins)
{
    const float x[] = {1, NAN, 3, 4};
    float y[2];
    op_forward(y, "reduce_max", NULL, &(op_value){{2, {2, 2}}, x}, 1);
    ck_assert(isnan(y[0]) && !isnan(y[1]));
}
END_TEST

START_TEST(the_batch_is_refused)
{
    const wsr_shape shape = {3, {2, 3, 4}};
    op_refuses(WSR_SHAPE, "axis 0", "reduce_max", "axes=[0]", &shape, 1);
    op_refuses(WSR_SHAPE, "axis -3", "reduce_max", "axes=[-3]", &shape, 1);
    op_refuses(WSR_SHAPE, "axis 3", "reduce_max", "axes=[1,3]", &shape, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_right,
        gradients_are_right,
        equal_numbers_share_the_gradient,
        a_nan_wins,
        the_batch_is_refused,
        NULL,
    };
    return suite_of("reduce_max", tests);
}
