// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

START_TEST(numbers_stay_and_dimensions_change)
{
    const float x[] = {1, 2, 3, 4, 5, 6};
    float y[6];
    op_forward(y, "reshape", "dims=[1, 3]", &(op_value){{2, {2, 3}}, x}, 1);
    ck_assert_mem_eq(y, x, sizeof(x));
}
END_TEST

static wsr_shape shape_after(const char *options, wsr_shape src)
{
    wsr_params *params = NULL;
    wsr_graph *graph = NULL;
    ck_assert_ok(wsr_params_new(&params, 1));
    ck_assert_ok(wsr_graph_new(&graph, params));
    const wsr_value x = wsr__input(graph, "x", src);
    const wsr_value y = wsr__op1(graph, "reshape", options, x);
    ck_assert_ok(wsr__graph_status(graph));
    const wsr_shape shape = *wsr_graph_shape(graph, y);
    wsr_graph_free(graph);
    wsr_params_free(params);
    return shape;
}

START_TEST(an_open_dimension_is_what_is_left)
{
    const wsr_shape src = {4, {5, 4, 2, 3}};
    const wsr_shape flat = {2, {5, 24}};
    const wsr_shape open = {3, {5, 6, 4}};
    const wsr_shape same = {1, {5}};
    wsr_shape got = shape_after(NULL, src);
    ck_assert(wsr_shape_equal(&got, &flat));
    got = shape_after("dims=[-1, 4]", src);
    ck_assert(wsr_shape_equal(&got, &open));
    got = shape_after("dims=[]", (wsr_shape){3, {5, 1, 1}});
    ck_assert(wsr_shape_equal(&got, &same));
}
END_TEST

START_TEST(gradients_are_right)
{
    grad_case c = {
        .op = "reshape", .n = 1, .src = {{.shape = {4, {3, 7, 5, 2}}}}};
    gradcheck(&c);
    c.blocked = true;
    gradcheck(&c);
    c.options = "dims=[2, 7, 5]";
    gradcheck(&c);
}
END_TEST

START_TEST(counts_that_do_not_fit_are_refused)
{
    const wsr_shape src = {3, {2, 3, 4}};
    const char *const words = "(2, 3, 4)";
    op_refuses(WSR_SHAPE, words, "reshape", "dims=[11]", &src, 1);
    op_refuses(WSR_SHAPE, words, "reshape", "dims=[5, -1]", &src, 1);
    op_refuses(WSR_SHAPE, words, "reshape", "dims=[-1, -1]", &src, 1);
    op_refuses(WSR_SHAPE, words, "reshape", "dims=[0, -1]", &src, 1);
    op_refuses(WSR_SHAPE, words, "reshape", "dims=[]", &src, 1);
    op_refuses(WSR_SHAPE, words, "reshape", "dims=[1, 1, 1, 1, 1, 12]", &src,
               1);
    op_refuses(WSR_SHAPE, words, "reshape",
               "dims=[1073741824, 1073741824, 1073741824, 12]", &src, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        numbers_stay_and_dimensions_change,
        an_open_dimension_is_what_is_left,
        gradients_are_right,
        counts_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("reshape", tests);
}
