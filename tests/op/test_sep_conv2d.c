// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

typedef struct sep_case {
    const char *options;
    int64_t src[4];
    int64_t kernel;
    int64_t co;
} sep_case;

static grad_case case_of(const sep_case *k)
{
    grad_case c = {.op = "sep_conv2d", .options = k->options, .n = 3};
    c.src[0].shape = wsr__shape4(k->src[0], k->src[1], k->src[2], k->src[3]);
    c.src[1].shape = wsr__shape4(k->src[1], 1, k->kernel, k->kernel);
    c.src[1].weights = true;
    c.src[2].shape = wsr__shape4(k->co, k->src[1], 1, 1);
    c.src[2].weights = true;
    return c;
}

START_TEST(gradients_are_right)
{
    static const sep_case cases[] = {
        {"pad=1", {2, 1, 5, 5}, 3, 3},
        {"pad=1", {2, 3, 5, 31}, 3, 7},
        {"pad=1,stride=2", {2, 7, 5, 9}, 3, 17},
        {"pad=2,dilation=2", {1, 17, 5, 5}, 3, 1},
        {"pad=2,dilation=2,stride=2", {2, 8, 9, 9}, 3, 8},
        {"pad=2", {2, 7, 1, 9}, 5, 7},
        {"pad=4,dilation=2", {2, 3, 9, 5}, 5, 3},
        {"pad=4,dilation=2,stride=[2, 2]", {2, 3, 9, 9}, 5, 16},
        {"pad=3", {2, 7, 9, 9}, 7, 3},
        {"pad=3,stride=2", {2, 7, 9, 9}, 7, 3},
        {NULL, {2, 7, 5, 5}, 1, 3},
        {"pad=1", {2, 7, 1, 1}, 3, 3},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        grad_case c = case_of(&cases[i]);
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
    }
}
END_TEST

START_TEST(it_is_a_depthwise_and_a_pointwise_convolution)
{
    wsr_params *params = NULL;
    wsr_graph *g = NULL;
    wsr_plan *plan = NULL;
    ck_assert_ok(wsr_params_new(&params, 1));
    ck_assert_ok(wsr_graph_new(&g, params));
    const wsr__init init = {.bound = 1};
    const wsr_value x = wsr__input(g, "x", wsr__shape4(1, 7, 5, 5));
    const wsr_value dw =
        wsr__param_value(g, "dw", wsr__shape4(7, 1, 3, 3), init);
    const wsr_value pw =
        wsr__param_value(g, "pw", wsr__shape4(3, 7, 1, 1), init);
    const wsr_value first =
        wsr__op2(g, "conv2d", "groups=7,pad=1,stride=2", x, dw);
    wsr__set_output(g, "two", wsr__op2(g, "conv2d", NULL, first, pw));
    wsr__set_output(g, "one",
                    wsr__op3(g, "sep_conv2d", "pad=1,stride=2", x, dw, pw));
    ck_assert_ok(wsr__graph_status(g));
    ck_assert_ok(wsr_plan_new(&plan, g, 2, WSR_REFERENCE));
    for (int i = 0; i < 350; i++) {
        wsr_plan_src(plan, "x")[i] = (float)(i % 13) - 6;
    }
    ck_assert_ok(wsr_plan_forward(plan));
    for (int i = 0; i < 54; i++) {
        ck_assert_float_eq_tol(wsr_plan_dst(plan, "one")[i],
                               wsr_plan_dst(plan, "two")[i], 1e-4f);
    }
    wsr_plan_free(plan);
    wsr_graph_free(g);
    wsr_params_free(params);
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_refused)
{
    const char *const op = "sep_conv2d";
    wsr_shape shapes[] = {
        {4, {2, 3, 5, 5}}, {4, {3, 1, 3, 3}}, {4, {4, 2, 1, 1}}};
    op_refuses(WSR_SHAPE, "(4, 2, 1, 1)", op, NULL, shapes, 3);
    shapes[2] = (wsr_shape){4, {4, 3, 1, 3}};
    op_refuses(WSR_SHAPE, "(4, 3, 1, 3)", op, NULL, shapes, 3);
    shapes[2] = (wsr_shape){4, {4, 3, 1, 1}};
    shapes[1] = (wsr_shape){4, {3, 1, 1, 3}};
    op_refuses(WSR_SHAPE, "(3, 1, 1, 3)", op, NULL, shapes, 3);
    shapes[1] = (wsr_shape){4, {3, 1, 3, 3}};
    op_refuses(WSR_SHAPE, "both directions", op, "stride=[1, 2]", shapes, 3);
    op_refuses(WSR_ARG, "stride", op, "stride=[]", shapes, 3);
    shapes[1] = (wsr_shape){4, {6, 1, 3, 3}};
    op_refuses(WSR_SHAPE, "(4, 3, 1, 1)", op, NULL, shapes, 3);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        gradients_are_right,
        it_is_a_depthwise_and_a_pointwise_convolution,
        shapes_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("sep_conv2d", tests);
}
