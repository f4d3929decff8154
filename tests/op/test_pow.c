// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

#include <math.h>

static double formula(double a, double b)
{
    return pow(a, b);
}

START_TEST(values_are_right)
{
    pairs_follow("pow", formula);
}
END_TEST

START_TEST(gradients_are_right)
{
    broadcast_gradients("pow", 0.6, 1.6);
}
END_TEST

// The result, and the gradients of a and b for a gradient of 1.
static void pow_at(double out[3], float a, float b)
{
    wsr_params *params = NULL;
    wsr_graph *graph = NULL;
    wsr_plan *plan = NULL;
    ck_assert_ok(wsr_params_new(&params, 1));
    ck_assert_ok(wsr_graph_new(&graph, params));
    const wsr_value x = wsr__input(graph, "a", wsr__shape1(1));
    const wsr_value y = wsr__input(graph, "b", wsr__shape1(1));
    wsr__set_output(graph, "y", wsr__op2(graph, "pow", NULL, x, y));
    ck_assert_ok(wsr__graph_status(graph));
    ck_assert_ok(wsr_plan_new(&plan, graph, 1, WSR_GRAD_INPUT));
    wsr_plan_src(plan, "a")[0] = a;
    wsr_plan_src(plan, "b")[0] = b;
    ck_assert_ok(wsr_plan_forward(plan));
    wsr_plan_diff_dst(plan, "y")[0] = 1;
    ck_assert_ok(wsr_plan_backward(plan));
    out[0] = (double)wsr_plan_dst(plan, "y")[0];
    out[1] = (double)wsr_plan_diff_src(plan, "a")[0];
    out[2] = (double)wsr_plan_diff_src(plan, "b")[0];
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    wsr_params_free(params);
}

START_TEST(gradients_at_zero_are_those_of_pytorch)
{
    double y[3];
    pow_at(y, 0, 0);
    ck_assert(y[0] == 1 && y[1] == 0 && y[2] == 0);
    pow_at(y, 0, 2);
    ck_assert(y[0] == 0 && y[1] == 0 && y[2] == 0);
    pow_at(y, -2, 2);
    ck_assert(y[0] == 4 && y[1] == -4 && isnan(y[2]));
    pow_at(y, -2, 3);
    ck_assert(y[0] == -8 && y[1] == 12);
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_refused)
{
    const wsr_shape shapes[] = {{3, {2, 3, 4}}, {2, {2, 4}}};
    op_refuses(WSR_SHAPE, "(2, 4), which does not fit (2, 3, 4)", "pow", NULL,
               shapes, 2);
    op_refuses(WSR_ARG, "sources", "pow", NULL, shapes, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_right,
        gradients_are_right,
        gradients_at_zero_are_those_of_pytorch,
        shapes_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("pow", tests);
}
