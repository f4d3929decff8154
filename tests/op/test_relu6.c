// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

#include <math.h>

START_TEST(values_are_cut_at_0_and_6)
{
    const float x[] = {-1, 0, 2.5f, 6, 7, NAN, INFINITY, -INFINITY};
    const float want[] = {0, 0, 2.5f, 6, 6, NAN, 6, 0};
    float y[8];
    op_forward(y, "relu6", NULL, &(op_value){{2, {2, 4}}, x}, 1);
    for (size_t i = 0; i < 8; i++) {
        ck_assert(y[i] == want[i] || (isnan(y[i]) && isnan(want[i])));
    }
}
END_TEST

START_TEST(gradients_are_right)
{
    grad_case c = {.op = "relu6",
                   .n = 1,
                   .src = {{.shape = {4, {3, 7, 5, 3}}, .low = -3, .high = 9}},
                   .kinks = {0, 6},
                   .kink_count = 2};
    gradcheck(&c);
    c.blocked = true;
    gradcheck(&c);
    c.src[0].shape = (wsr_shape){1, {17}};
    gradcheck(&c);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_cut_at_0_and_6,
        gradients_are_right,
        NULL,
    };
    return suite_of("relu6", tests);
}
