// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

#include <math.h>

START_TEST(values_are_right)
{
    const float x[] = {0, 0.5f, -2, INFINITY, -INFINITY, NAN};
    const double want[] = {0, 0.4621171573, -0.9640275801, 1, -1, NAN};
    float y[6];
    op_forward(y, "tanh", NULL, &(op_value){{2, {2, 3}}, x}, 1);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_double_eq_tol((double)y[i], want[i], 1e-7);
    }
    ck_assert(isnan(y[5]));
}
END_TEST

START_TEST(gradients_are_right)
{
    elementwise_gradients("tanh", NULL, -2, 2, NULL);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_right,
        gradients_are_right,
        NULL,
    };
    return suite_of("tanh", tests);
}
