// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

#include <math.h>

START_TEST(rows_are_distributions)
{
    const float x[] = {0, 1, 2, 1000, 1000, -1000};
    const double want[] = {0.09003057, 0.24472847, 0.66524096, 0.5, 0.5, 0};
    float y[6];
    op_forward(y, "softmax", NULL, &(op_value){{2, {2, 3}}, x}, 1);
    for (size_t i = 0; i < 6; i++) {
        ck_assert_double_eq_tol((double)y[i], want[i], 1e-7);
    }
}
END_TEST

START_TEST(a_nan_spoils_its_row_alone)
{
    const float x[] = {0, NAN, 2, 1, 1, 1};
    float y[6];
    op_forward(y, "softmax", NULL, &(op_value){{2, {2, 3}}, x}, 1);
    ck_assert(isnan(y[0]) && isnan(y[1]) && isnan(y[2]));
    ck_assert_double_eq_tol((double)y[4], 1.0 / 3, 1e-7);
}
END_TEST

START_TEST(gradients_are_right)
{
    row_gradients("softmax");
}
END_TEST

START_TEST(columns_are_rows_of_another_axis)
{
    rows_along_axes("softmax");
}
END_TEST

START_TEST(the_batch_axis_is_refused)
{
    rows_of_the_batch("softmax");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        rows_are_distributions,    a_nan_spoils_its_row_alone,
        gradients_are_right,       columns_are_rows_of_another_axis,
        the_batch_axis_is_refused, NULL,
    };
    return suite_of("softmax", tests);
}
