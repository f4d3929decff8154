// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

START_TEST(values_are_right)
{
    const float x[] = {0, 1, 2, 3, 4, 5}; // (1, 2, 3)
    const float rows[] = {1, 4};
    const float columns[] = {1.5f, 2.5f, 3.5f};
    const float all[] = {2.5f};
    const op_value src = {{3, {1, 2, 3}}, x};
    float y[6];
    op_forward(y, "reduce_mean", "axes=[-1]", &src, 1);
    ck_assert_mem_eq(y, rows, sizeof(rows));
    op_forward(y, "reduce_mean", "axes=[1],keep_dims=false", &src, 1);
    ck_assert_mem_eq(y, columns, sizeof(columns));
    op_forward(y, "reduce_mean", NULL, &src, 1);
    ck_assert_mem_eq(y, all, sizeof(all));
}
END_TEST

// Sums in single precision would be off by a thousandth.
START_TEST(a_mean_of_a_million_numbers_is_right)
{
    enum { MILLION = 1000000 };
    float *const x = wsr__alloc(MILLION, sizeof(*x));
    ck_assert_ptr_nonnull(x);
    for (size_t i = 0; i < MILLION; i++) {
        x[i] = 0.1f;
    }
    float y[1];
    op_forward(y, "reduce_mean", NULL, &(op_value){{2, {1, MILLION}}, x}, 1);
    ck_assert_double_eq_tol((double)y[0], 0.1, 1e-8);
    wsr__free(x);
}
END_TEST

START_TEST(gradients_are_right)
{
    static const char *const options[] = {
        NULL,         "axes=[2,3]", "axes=[1],keep_dims=false",
        "axes=[1,3]", "axes=[-1]",  "axes=[-3,-2],keep_dims=false"};
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        grad_case c = {.op = "reduce_mean",
                       .options = options[i],
                       .n = 1,
                       .src = {{.shape = {4, {3, 7, 5, 4}}}}};
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
    }
}
END_TEST

START_TEST(the_batch_is_refused)
{
    const wsr_shape shape = {3, {2, 3, 4}};
    op_refuses(WSR_SHAPE, "axis 0", "reduce_mean", "axes=[0]", &shape, 1);
    op_refuses(WSR_SHAPE, "axis -3", "reduce_mean", "axes=[-3]", &shape, 1);
    op_refuses(WSR_SHAPE, "axis 3", "reduce_mean", "axes=[1,3]", &shape, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_right,
        a_mean_of_a_million_numbers_is_right,
        gradients_are_right,
        the_batch_is_refused,
        NULL,
    };
    return suite_of("reduce_mean", tests);
}
