// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

START_TEST(a_node_hears_itself_and_its_neighbours)
{
    const float x[] = {1, 2, 3, 4}; // two nodes of two features
    const float a[] = {0, 1, 0.5F, 0};
    const float eps[] = {9, 1};
    const op_value srcs[] = {
        {{2, {2, 2}}, x}, {{3, {1, 2, 2}}, a}, {{1, {2}}, eps}};
    const float want[] = {2 + 3, 4 + 4, 6 + 0.5F, 8 + 1};
    float y[4];
    op_forward(y, "gin_aggregate", "layer=1", srcs, 3);
    ck_assert_mem_eq(y, want, sizeof(want));
}
END_TEST

START_TEST(gradients_are_right)
{
    grad_case c = {.op = "gin_aggregate",
                   .options = "layer=2",
                   .n = 3,
                   .src = {{.shape = {2, {12, 7}}},
                           {.shape = {3, {3, 4, 4}}},
                           {.shape = {1, {3}}, .weights = true}},
                   .mixes = true}; // a row of x alone is no sample
    gradcheck(&c);
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_refused)
{
    const wsr_shape shapes[][3] = {{{2, {10, 7}}, {3, {3, 4, 4}}, {1, {3}}},
                                   {{2, {12, 7}}, {3, {3, 4, 5}}, {1, {3}}},
                                   {{2, {12, 7}}, {3, {3, 4, 4}}, {1, {1}}}};
    op_refuses(WSR_SHAPE, "(3, 4, 4) does not fit features (10, 7)",
               "gin_aggregate", "layer=1", shapes[0], 3);
    op_refuses(WSR_SHAPE, "(3, 4, 5)", "gin_aggregate", "layer=1", shapes[1],
               3);
    op_refuses(WSR_SHAPE, "(1)", "gin_aggregate", "layer=1", shapes[2], 3);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_node_hears_itself_and_its_neighbours,
        gradients_are_right,
        shapes_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("gin_aggregate", tests);
}
