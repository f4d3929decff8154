// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

#include <math.h>

START_TEST(values_below_zero_become_zero)
{
    const float x[] = {-1, 0, 2.5f, NAN, INFINITY, -INFINITY};
    const float want[] = {0, 0, 2.5f, NAN, INFINITY, 0};
    float y[6];
    op_forward(y, "relu", NULL, &(op_value){{2, {2, 3}}, x}, 1);
    for (size_t i = 0; i < 6; i++) {
        ck_assert(y[i] == want[i] || (isnan(y[i]) && isnan(want[i])));
    }
}
END_TEST

START_TEST(gradients_are_right)
{
    static const wsr_shape shapes[] = {
        {4, {3, 1, 1, 1}},  {4, {3, 3, 5, 31}}, {4, {2, 17, 5, 5}},
        {4, {1, 7, 31, 1}}, {2, {3, 7}},        {1, {5}},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        grad_case c = {.op = "relu",
                       .n = 1,
                       .src = {{.shape = shapes[i], .draw = DRAW_SPACED}}};
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_below_zero_become_zero,
        gradients_are_right,
        NULL,
    };
    return suite_of("relu", tests);
}
