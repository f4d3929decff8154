// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

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
    grad_case c = {.op = "sigmoid",
                   .n = 1,
                   .src = {{.shape = {4, {3, 7, 5, 3}}, .low = -4, .high = 4}}};
    gradcheck(&c);
    c.blocked = true;
    gradcheck(&c);
    c.src[0].shape = (wsr_shape){2, {17, 1}};
    gradcheck(&c);
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
