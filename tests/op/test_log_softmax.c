// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

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
    row_gradients("log_softmax");
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

START_TEST(columns_are_rows_of_another_axis)
{
    rows_along_axes("log_softmax");
}
END_TEST

START_TEST(the_batch_axis_is_refused)
{
    rows_of_the_batch("log_softmax");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        rows_are_logarithms_of_distributions,
        a_nan_spoils_its_row_alone,
        gradients_are_right,
        a_saturated_row_has_zero_at_its_largest,
        columns_are_rows_of_another_axis,
        the_batch_axis_is_refused,
        NULL,
    };
    return suite_of("log_softmax", tests);
}
