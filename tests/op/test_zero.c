// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

#include <math.h>

START_TEST(everything_becomes_zero_even_nan)
{
    const float x[] = {1, NAN, INFINITY, -3};
    const float want[] = {0, 0, 0, 0};
    float y[4];
    op_forward(y, "zero", NULL, &(op_value){{2, {2, 2}}, x}, 1);
    ck_assert_mem_eq(y, want, sizeof(want));
}
END_TEST

START_TEST(no_gradient_passes)
{
    grad_case c = {.op = "zero",
                   .n = 1,
                   .src = {{.shape = {4, {3, 7, 5, 3}}}},
                   .no_grad = true};
    gradcheck(&c);
    c.blocked = true;
    gradcheck(&c);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        everything_becomes_zero_even_nan,
        no_gradient_passes,
        NULL,
    };
    return suite_of("zero", tests);
}
