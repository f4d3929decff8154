// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

START_TEST(values_are_those_of_the_definition)
{
    const float x[] = {1, 2, 3, -1};
    const float w[] = {1, 0, 0, 1, 1, 1};
    const float b[] = {0.5f, 0, -1};
    const float want[] = {1.5f, 2, 2, 3.5f, -1, 1};
    const op_value srcs[] = {{{2, {2, 2}}, x}, {{2, {3, 2}}, w}, {{1, {3}}, b}};
    float y[6];
    op_forward(y, "linear", NULL, srcs, 3);
    ck_assert_mem_eq(y, want, sizeof(want));
}
END_TEST

START_TEST(gradients_are_right)
{
    static const int64_t sizes[][3] = {
        {1, 1, 1}, {3, 7, 17}, {17, 31, 3}, {5, 90, 10}};
    for (size_t i = 0; i < 4; i++) {
        const int64_t n = sizes[i][0];
        const int64_t k = sizes[i][1];
        const int64_t m = sizes[i][2];
        grad_case c = {.op = "linear",
                       .n = 3,
                       .src = {{.shape = {2, {n, k}}},
                               {.shape = {2, {m, k}}, .weights = true},
                               {.shape = {1, {m}}, .weights = true}}};
        gradcheck(&c);
        c.n = 2;
        gradcheck(&c);
    }
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_refused)
{
    const wsr_shape weights[] = {{2, {2, 3}}, {2, {4, 2}}, {1, {4}}};
    op_refuses(WSR_SHAPE, "(4, 2) do not fit source (2, 3)", "linear", NULL,
               weights, 2);
    const wsr_shape bias[] = {{2, {2, 3}}, {2, {4, 3}}, {1, {3}}};
    op_refuses(WSR_SHAPE, "(3)", "linear", NULL, bias, 3);
    const wsr_shape image[] = {{4, {2, 3, 1, 1}}, {2, {4, 3}}};
    op_refuses(WSR_SHAPE, "(2, 3, 1, 1)", "linear", NULL, image, 2);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_those_of_the_definition,
        gradients_are_right,
        shapes_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("linear", tests);
}
