// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

#include <math.h>

START_TEST(values_are_right_even_where_exp_overflows)
{
    const float x[] = {0, 1, -1, 200, -200, INFINITY, -INFINITY, NAN};
    const double want[] = {0.5, 0.7310585786, 0.2689414214, 1, 0, 1, 0, NAN};
    float y[8];
    op_forward(y, "sigmoid", NULL, &(op_value){{2, {2, 4}}, x}, 1);
    for (size_t i = 0; i < 7; i++) {
        ck_assert_double_eq_tol((double)y[i], want[i], 1e-7);
    }
    ck_assert(isnan(y[7]));
}
END_TEST

START_TEST(gradients_are_right)
{
    elementwise_gradients("sigmoid", NULL, -4, 4, NULL);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_right_even_where_exp_overflows,
        gradients_are_right,
        NULL,
    };
    return suite_of("sigmoid", tests);
}
