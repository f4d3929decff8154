// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

#include <math.h>

START_TEST(losses_are_those_of_the_definition)
{
    const float z[] = {0, 1, 2, 1000, 0, -1000};
    const float y[] = {1, 0};
    const op_value srcs[] = {{{2, {2, 3}}, z}, {{1, {2}}, y}};
    float loss[2];
    op_forward(loss, "cross_entropy", NULL, srcs, 2);
    ck_assert_double_eq_tol((double)loss[0], 1.40760596, 1e-6);
    ck_assert_double_eq_tol((double)loss[1], 0, 1e-6);
}
END_TEST

START_TEST(smoothing_spreads_the_target)
{
    // targets 0.1/3, 0.9 + 0.1/3, 0.1/3 on log-probabilities
    // -2.40760596, -1.40760596, -0.40760596
    const float z[] = {0, 1, 2};
    const float y[] = {0};
    const op_value srcs[] = {{{2, {1, 3}}, z}, {{1, {1}}, y}};
    float loss[1];
    op_forward(loss, "cross_entropy", "smoothing=0.1", srcs, 2);
    ck_assert_double_eq_tol((double)loss[0],
                            0.9 * 2.40760596 + 0.1 * 1.40760596, 1e-6);
}
END_TEST

START_TEST(gradients_are_right)
{
    static const char *const options[] = {NULL, "smoothing=0.1", "smoothing=1"};
    for (size_t i = 0; i < 3; i++) {
        grad_case c = {.op = "cross_entropy",
                       .options = options[i],
                       .n = 2,
                       .src = {{.shape = {2, {5, 10}}, .low = -2, .high = 2},
                               {.shape = {1, {5}},
                                .fixed = true,
                                .draw = DRAW_INDEX,
                                .high = 9}}};
        gradcheck(&c);
    }
}
END_TEST

static wsr_status run_with_label(float label)
{
    wsr_params *params = NULL;
    wsr_graph *graph = NULL;
    wsr_plan *plan = NULL;
    ck_assert_ok(wsr_params_new(&params, 1));
    ck_assert_ok(wsr_graph_new(&graph, params));
    const wsr_value z = wsr__input(graph, "z", wsr__shape2(1, 3));
    const wsr_value y = wsr__input(graph, "y", wsr__shape1(1));
    const wsr_value loss = wsr__op2(graph, "cross_entropy", NULL, z, y);
    wsr__set_output(graph, "loss", loss);
    ck_assert_ok(wsr_plan_new(&plan, graph, 2, WSR_FORWARD));
    for (size_t i = 0; i < 6; i++) {
        wsr_plan_src(plan, "z")[i] = 0;
    }
    wsr_plan_src(plan, "y")[0] = 2;
    wsr_plan_src(plan, "y")[1] = label;
    const wsr_status status = wsr_plan_forward(plan);
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    wsr_params_free(params);
    return status;
}

START_TEST(labels_that_are_no_class_are_refused)
{
    ck_assert_ok(run_with_label(0));
    const char *const words = "of sample 1 is outside [0, 2]";
    ck_assert_fails(run_with_label(3), WSR_ARG, words);
    ck_assert_fails(run_with_label(-1), WSR_ARG, words);
    ck_assert_fails(run_with_label(NAN), WSR_ARG, words);
    ck_assert_fails(run_with_label(1e30f), WSR_ARG, words);
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_refused)
{
    const wsr_shape labels[] = {{2, {3, 4}}, {1, {2}}};
    op_refuses(WSR_SHAPE, "(2)", "cross_entropy", NULL, labels, 2);
    const wsr_shape images[] = {{4, {3, 4, 1, 1}}, {1, {3}}};
    op_refuses(WSR_SHAPE, "(3, 4, 1, 1)", "cross_entropy", NULL, images, 2);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        losses_are_those_of_the_definition,
        smoothing_spreads_the_target,
        gradients_are_right,
        labels_that_are_no_class_are_refused,
        shapes_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("cross_entropy", tests);
}
