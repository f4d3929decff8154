// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

START_TEST(values_are_means_of_samples)
{
    const float x[] = {1, 2, 6, -4, 4, 0.75f};
    const float want[] = {3, 0.25f};
    float y[2];
    op_forward(y, "mean", NULL, &(op_value){{2, {2, 3}}, x}, 1);
    ck_assert_mem_eq(y, want, sizeof(want));
}
END_TEST

START_TEST(gradients_are_right)
{
    static const wsr_shape shapes[] = {
        {1, {5}}, {2, {3, 10}}, {4, {3, 7, 5, 3}}};
    for (size_t i = 0; i < 3; i++) {
        grad_case c = {.op = "mean", .n = 1, .src = {{.shape = shapes[i]}}};
        gradcheck(&c);
        c.blocked = true; // padding channels must not count
        gradcheck(&c);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_means_of_samples,
        gradients_are_right,
        NULL,
    };
    return suite_of("mean", tests);
}
