// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

#include <math.h>

static double formula(double a, double b)
{
    return fmin(a, b);
}

START_TEST(values_are_right)
{
    pairs_follow("minimum", formula);
}
END_TEST

START_TEST(gradients_are_right)
{
    broadcast_gradients("minimum", 0, 0);
}
END_TEST

START_TEST(gradients_of_equal_numbers_are_halves)
{
    wsr_params *params = NULL;
    wsr_graph *graph = NULL;
    wsr_plan *plan = NULL;
    ck_assert_ok(wsr_params_new(&params, 1));
    ck_assert_ok(wsr_graph_new(&graph, params));
    const wsr_value a = wsr__input(graph, "a", wsr__shape1(1));
    const wsr_value b = wsr__input(graph, "b", wsr__shape1(1));
    wsr__set_output(graph, "y", wsr__op2(graph, "minimum", NULL, a, b));
    ck_assert_ok(wsr__graph_status(graph));
    ck_assert_ok(wsr_plan_new(&plan, graph, 1, WSR_GRAD_INPUT));
    wsr_plan_src(plan, "a")[0] = 3;
    wsr_plan_src(plan, "b")[0] = 3;
    ck_assert_ok(wsr_plan_forward(plan));
    wsr_plan_diff_dst(plan, "y")[0] = 1;
    ck_assert_ok(wsr_plan_backward(plan));
    ck_assert_float_eq(wsr_plan_diff_src(plan, "a")[0], 0.5f);
    ck_assert_float_eq(wsr_plan_diff_src(plan, "b")[0], 0.5f);
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    wsr_params_free(params);
}
END_TEST

START_TEST(a_nan_passes)
{
    const float a[] = {NAN, 1};
    const float b[] = {1, NAN};
    const op_value srcs[] = {{{1, {2}}, a}, {{1, {2}}, b}};
    float y[2];
    op_forward(y, "minimum", NULL, srcs, 2);
    ck_assert(isnan(y[0]) && isnan(y[1]));
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_refused)
{
    const wsr_shape shapes[] = {{3, {2, 3, 4}}, {2, {2, 4}}};
    op_refuses(WSR_SHAPE, "(2, 4), which does not fit (2, 3, 4)", "minimum",
               NULL, shapes, 2);
    op_refuses(WSR_ARG, "sources", "minimum", NULL, shapes, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_right,
        gradients_are_right,
        gradients_of_equal_numbers_are_halves,
        a_nan_passes,
        shapes_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("minimum", tests);
}
