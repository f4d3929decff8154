// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

START_TEST(values_are_scaled_and_shifted)
{
    const float x[] = {1, -2, 0, 4};
    const float want[] = {-1.5f, 4.5f, 0.5f, -7.5f};
    float y[4];
    op_forward(y, "scale", "factor=-2,offset=0.5", &(op_value){{2, {2, 2}}, x},
               1);
    ck_assert_mem_eq(y, want, sizeof(want));
    op_forward(y, "scale", NULL, &(op_value){{2, {2, 2}}, x}, 1);
    ck_assert_mem_eq(y, x, sizeof(x));
}
END_TEST

START_TEST(gradients_are_right)
{
    elementwise_gradients("scale", "factor=-1.5", -1, 1, NULL);
    elementwise_gradients("scale", "factor=3,offset=2", -1, 1, NULL);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_scaled_and_shifted,
        gradients_are_right,
        NULL,
    };
    return suite_of("scale", tests);
}
