// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

START_TEST(axes_are_exchanged)
{
    const float x[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}; // (2, 3, 2)
    const float want[] = {0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11};
    const op_value src = {{3, {2, 3, 2}}, x};
    float y[12];
    op_forward(y, "transpose", "order=[0, 2, 1]", &src, 1);
    ck_assert_mem_eq(y, want, sizeof(want));
    op_forward(y, "transpose", NULL, &src, 1);
    ck_assert_mem_eq(y, want, sizeof(want));
    op_forward(y, "transpose", "order=[0, 1, 2]", &src, 1);
    ck_assert_mem_eq(y, x, sizeof(x));
}
END_TEST

START_TEST(four_axes_follow_their_order)
{
    float x[2 * 3 * 4 * 5];
    float y[2 * 3 * 4 * 5];
    for (size_t i = 0; i < 120; i++) {
        x[i] = (float)i;
    }
    op_forward(y, "transpose", "order=[0, 3, 1, 2]",
               &(op_value){{4, {2, 3, 4, 5}}, x}, 1); // to (2, 5, 3, 4)
    for (size_t n = 0; n < 2; n++) {
        for (size_t i = 0; i < 60; i++) {
            const size_t w = i / 12;
            const size_t c = i / 4 % 3;
            const size_t h = i % 4;
            ck_assert_float_eq(y[n * 60 + i], x[n * 60 + (c * 4 + h) * 5 + w]);
        }
    }
}
END_TEST

START_TEST(gradients_are_right)
{
    static const char *const options[] = {"order=[0, 2, 3, 1]",
                                          "order=[0, 3, 2, 1]", NULL};
    for (size_t i = 0; i < 3; i++) {
        grad_case c = {.op = "transpose",
                       .options = options[i],
                       .n = 1,
                       .src = {{.shape = {4, {3, 7, 5, 3}}}}};
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
    }
}
END_TEST

START_TEST(six_axes_have_right_gradients)
{
    gradcheck(&(grad_case){.op = "transpose",
                           .options = "order=[0, 2, 4, 1, 5, 3]",
                           .n = 1,
                           .src = {{.shape = {6, {2, 3, 4, 2, 5, 3}}}}});
    gradcheck(&(grad_case){.op = "transpose",
                           .options = "order=[0, 1, 4, 3, 2]",
                           .n = 1,
                           .src = {{.shape = {5, {2, 3, 4, 2, 5}}}}});
}
END_TEST

START_TEST(what_is_no_permutation_is_refused)
{
    const wsr_shape shape = {3, {2, 3, 4}};
    const char *const words = "each axis";
    op_refuses(WSR_SHAPE, words, "transpose", "order=[1, 0, 2]", &shape, 1);
    op_refuses(WSR_SHAPE, words, "transpose", "order=[0, 1]", &shape, 1);
    op_refuses(WSR_SHAPE, words, "transpose", "order=[0, 1, 1]", &shape, 1);
    op_refuses(WSR_SHAPE, words, "transpose", "order=[0, 1, 3]", &shape, 1);
    op_refuses(WSR_SHAPE, "(2, 3, 4)", "transpose", "order=[0, 1, 2, 3]",
               &shape, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        axes_are_exchanged,
        four_axes_follow_their_order,
        gradients_are_right,
        six_axes_have_right_gradients,
        what_is_no_permutation_is_refused,
        NULL,
    };
    return suite_of("transpose", tests);
}
