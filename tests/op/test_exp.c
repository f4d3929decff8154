// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

#include <math.h>

START_TEST(values_are_right)
{
    const float x[] = {0, 1, -2, INFINITY, -INFINITY, NAN};
    const double want[] = {1, 2.718281828, 0.1353352832, 0, 0, NAN};
    float y[6];
    op_forward(y, "exp", NULL, &(op_value){{2, {2, 3}}, x}, 1);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_double_eq_tol((double)y[i], want[i], 1e-6);
    }
    ck_assert(isinf(y[3]) && y[4] == 0 && isnan(y[5]));
}
END_TEST

START_TEST(gradients_are_right)
{
    elementwise_gradients("exp", NULL, -2, 1, NULL);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_right,
        gradients_are_right,
        NULL,
    };
    return suite_of("exp", tests);
}
