// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

START_TEST(samples_become_rows_and_rows_samples)
{
    const float x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    float y[12];
    op_forward(y, "view", "dims=[2]", &(op_value){{3, {2, 3, 2}}, x}, 1);
    ck_assert_mem_eq(y, x, sizeof(x));
    op_forward(y, "view", "dims=[3, 2]", &(op_value){{2, {6, 2}}, x}, 1);
    ck_assert_mem_eq(y, x, sizeof(x));
}
END_TEST

START_TEST(the_first_dimension_takes_what_is_left)
{
    wsr_params *params = NULL;
    wsr_graph *graph = NULL;
    const wsr_shape rows = {2, {12, 5}};
    const wsr_shape back = {3, {4, 3, 5}};
    ck_assert_ok(wsr_params_new(&params, 1));
    ck_assert_ok(wsr_graph_new(&graph, params));
    const wsr_value x = wsr__input(graph, "x", (wsr_shape){3, {4, 3, 5}});
    const wsr_value y = wsr__op1(graph, "view", "dims=[5]", x);
    const wsr_value z = wsr__op1(graph, "view", "dims=[3, 5]", y);
    ck_assert_ok(wsr__graph_status(graph));
    ck_assert(wsr_shape_equal(wsr_graph_shape(graph, y), &rows));
    ck_assert(wsr_shape_equal(wsr_graph_shape(graph, z), &back));
    wsr_graph_free(graph);
    wsr_params_free(params);
}
END_TEST

START_TEST(gradients_are_right)
{
    grad_case c = {.op = "view",
                   .options = "dims=[5]",
                   .n = 1,
                   .src = {{.shape = {3, {3, 7, 5}}}}};
    gradcheck(&c);
    c.src[0].shape = (wsr_shape){2, {14, 5}};
    c.options = "dims=[7, 5]";
    c.mixes = true; // one row alone is no sample
    gradcheck(&c);
}
END_TEST

START_TEST(counts_that_do_not_fit_are_refused)
{
    const wsr_shape src = {3, {2, 3, 4}};
    const char *const words = "(2, 3, 4)";
    op_refuses(WSR_SHAPE, words, "view", "dims=[5]", &src, 1);
    op_refuses(WSR_SHAPE, words, "view", "dims=[48]", &src, 1);
    op_refuses(WSR_SHAPE, words, "view",
               "dims=[1073741824, 1073741824, 1073741824, 12]", &src, 1);
    op_refuses(WSR_SHAPE, words, "view", "dims=[1, 1, 1, 1, 1, 1]", &src, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        samples_become_rows_and_rows_samples,
        the_first_dimension_takes_what_is_left,
        gradients_are_right,
        counts_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("view", tests);
}
