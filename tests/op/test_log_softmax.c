// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

#include <math.h>

START_TEST(rows_are_logarithms_of_distributions)
{
    const float x[] = {0, 1, 2, 1000, 1000, -1000};
    const double want[] = {-2.40760596, -1.40760596, -0.40760596,
                           -0.69314718, -0.69314718, -2000.69314718};
    float y[6];
    op_forward(y, "log_softmax", NULL, &(op_value){{2, {2, 3}}, x}, 1);
    for (size_t i = 0; i < 6; i++) {
        ck_assert_double_eq_tol((double)y[i], want[i], 2e-4);
    }
}
END_TEST

START_TEST(a_nan_spoils_its_row_alone)
{
    const float x[] = {0, NAN, 2, 1, 1, 1};
    float y[6];
    op_forward(y, "log_softmax", NULL, &(op_value){{2, {2, 3}}, x}, 1);
    ck_assert(isnan(y[0]) && isnan(y[1]) && isnan(y[2]));
    ck_assert_double_eq_tol((double)y[4], -1.09861229, 1e-6);
}
END_TEST

START_TEST(gradients_are_right)
{
    static const wsr_shape shapes[] = {
        {2, {3, 10}}, {2, {5, 1}}, {3, {3, 14, 8}}, {4, {2, 3, 5, 7}}};
    for (size_t i = 0; i < 4; i++) {
        grad_case c = {.op = "log_softmax",
                       .n = 1,
                       .src = {{.shape = shapes[i], .low = -2, .high = 2}}};
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
    }
}
END_TEST

START_TEST(a_saturated_row_has_zero_at_its_largest)
{
    const float x[] = {0, -200, -100};
    float y[3];
    op_forward(y, "log_softmax", NULL, &(op_value){{2, {1, 3}}, x}, 1);
    ck_assert(y[0] == 0 && y[1] == -200 && y[2] == -100);
}
END_TEST

START_TEST(other_axes_have_right_gradients)
{
    static const char *const options[] = {"axis=1", "axis=2", "axis=-2",
                                          "axis=-3"};
    for (size_t i = 0; i < 4; i++) {
        grad_case c = {
            .op = "log_softmax",
            .options = options[i],
            .n = 1,
            .src = {{.shape = {4, {2, 7, 5, 3}}, .low = -2, .high = 2}}};
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
    }
}
END_TEST

START_TEST(columns_are_rows_of_another_axis)
{
    const float x[] = {0, 5, 1, -2, 2, 4}; // (1, 3, 2)
    const float turned[] = {0, 1, 2, 5, -2, 4};
    float y[6];
    float want[6];
    op_forward(y, "log_softmax", "axis=1", &(op_value){{3, {1, 3, 2}}, x}, 1);
    op_forward(want, "log_softmax", NULL, &(op_value){{3, {1, 2, 3}}, turned},
               1);
    for (size_t i = 0; i < 6; i++) {
        ck_assert_float_eq(y[i], want[i % 2 * 3 + i / 2]);
    }
}
END_TEST

START_TEST(the_batch_axis_is_refused)
{
    op_refuses(WSR_SHAPE, "(5)", "log_softmax", NULL, &(wsr_shape){1, {5}}, 1);
    op_refuses(WSR_SHAPE, "(2, 5)", "log_softmax", "axis=-2",
               &(wsr_shape){2, {2, 5}}, 1);
    op_refuses(WSR_SHAPE, "(2, 5)", "log_softmax", "axis=2",
               &(wsr_shape){2, {2, 5}}, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        rows_are_logarithms_of_distributions,
        a_nan_spoils_its_row_alone,
        gradients_are_right,
        a_saturated_row_has_zero_at_its_largest,
        other_axes_have_right_gradients,
        columns_are_rows_of_another_axis,
        the_batch_axis_is_refused,
        NULL,
    };
    return suite_of("log_softmax", tests);
}
