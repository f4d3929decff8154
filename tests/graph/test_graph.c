// SPDX-License-Identifier: Apache-2.0

#include "graph/graph.h"
#include "op/pool.h"
#include "support/oom.h"
#include "support/support.h"

#include <string.h>

typedef struct rig {
    wsr_params *params;
    wsr_graph *graph;
} rig;

static rig rig_open(void)
{
    rig r = {0};
    ck_assert_ok(wsr_params_new(&r.params, 1));
    ck_assert_ok(wsr_graph_new(&r.graph, r.params));
    return r;
}

static void rig_close(rig *r)
{
    wsr_graph_free(r->graph);
    wsr_params_free(r->params);
}

START_TEST(errors_name_the_op_and_both_shapes)
{
    rig r = rig_open();
    wsr_value out = 0;
    const wsr_value srcs[] = {wsr__input(r.graph, "a", wsr__shape2(1, 3)),
                              wsr__input(r.graph, "b", wsr__shape2(1, 4))};
    ck_assert_fails(wsr_graph_op(&out, r.graph, "add", srcs, 2, NULL),
                    WSR_SHAPE, "add: ");
    ck_assert_ptr_nonnull(strstr(wsr_error_detail(), "(1, 3)"));
    ck_assert_ptr_nonnull(strstr(wsr_error_detail(), "(1, 4)"));
    rig_close(&r);
}
END_TEST

START_TEST(an_unknown_op_gets_a_suggestion)
{
    rig r = rig_open();
    wsr_value out = 0;
    const wsr_value x = wsr__input(r.graph, "x", wsr__shape2(1, 3));
    ck_assert_fails(wsr_graph_op(&out, r.graph, "sofmax", &x, 1, NULL),
                    WSR_NOTFOUND, "did you mean 'softmax'");
    rig_close(&r);
}
END_TEST

START_TEST(options_are_checked)
{
    rig r = rig_open();
    wsr_value out = 0;
    const wsr_value x = wsr__input(r.graph, "x", wsr__shape4(1, 3, 4, 4));
    ck_assert_fails(wsr_graph_op(&out, r.graph, "max_pool", &x, 1, "strid=2"),
                    WSR_CONFIG, "did you mean 'max_pool.stride'");
    ck_assert_fails(wsr_graph_op(&out, r.graph, "max_pool", &x, 1, "stride=0"),
                    WSR_CONFIG, "max_pool.stride: 0 is outside [1, 4096]");
    ck_assert_fails(wsr_graph_op(&out, r.graph, "relu", &x, 1, "slope=1"),
                    WSR_CONFIG, "slope");
    rig_close(&r);
}
END_TEST

START_TEST(an_op_of_params_is_that_of_the_same_text)
{
    rig r = rig_open();
    const wsr__pool2d window = wsr__pool2d_square(2, 2, 0);
    const wsr_value x = wsr__input(r.graph, "x", wsr__shape4(1, 3, 8, 8));
    const wsr_value values[] = {
        wsr__op1(r.graph, "max_pool", "kernel=2,stride=2", x),
        wsr__op1_of(r.graph, &wsr__op_max_pool, &window, x),
        wsr__op1(r.graph, "max_pool", NULL, x),
        wsr__op1_of(r.graph, &wsr__op_max_pool, NULL, x)};
    ck_assert_ok(wsr__graph_status(r.graph));
    for (size_t i = 0; i < 4; i += 2) {
        const wsr__vertex *const a = &r.graph->list[values[i]];
        const wsr__vertex *const b = &r.graph->list[values[i + 1]];
        ck_assert(a->cls == b->cls && a->options != b->options);
        ck_assert(wsr_shape_equal(&a->shape, &b->shape));
        ck_assert_mem_eq(a->options, b->options, sizeof(window));
    }
    (void)wsr__op1_of(r.graph, &wsr__op_matmul, NULL, x);
    ck_assert_int_eq(wsr__graph_status(r.graph), WSR_ARG);
    ck_assert_uint_eq(wsr__op1_of(r.graph, &wsr__op_relu, NULL, x), 0);
    rig_close(&r);
}
END_TEST

START_TEST(the_number_of_sources_is_checked)
{
    rig r = rig_open();
    wsr_value out = 0;
    const wsr_value x = wsr__input(r.graph, "x", wsr__shape2(1, 3));
    ck_assert_fails(wsr_graph_op(&out, r.graph, "mul", &x, 1, NULL), WSR_ARG,
                    "mul: 1 sources are outside [2, 2]");
    ck_assert_fails(wsr_graph_op(&out, r.graph, "relu", NULL, 0, NULL), WSR_ARG,
                    "relu: 0 sources");
    rig_close(&r);
}
END_TEST

START_TEST(values_of_no_graph_are_refused)
{
    rig r = rig_open();
    wsr_value out = 0;
    const wsr_value bad = 7;
    ck_assert_fails(wsr_graph_op(&out, r.graph, "relu", &bad, 1, NULL), WSR_ARG,
                    "source 0");
    ck_assert_fails(wsr_graph_output(r.graph, "y", bad), WSR_ARG, "y");
    ck_assert_ptr_null(wsr_graph_shape(r.graph, bad));
    rig_close(&r);
}
END_TEST

START_TEST(names_are_unique)
{
    rig r = rig_open();
    wsr_value x = 0;
    const wsr_shape shape = wsr__shape2(1, 3);
    ck_assert_ok(wsr_graph_input(&x, r.graph, "x", &shape));
    ck_assert_fails(wsr_graph_input(&x, r.graph, "x", &shape), WSR_ARG,
                    "input x");
    ck_assert_ok(wsr_graph_output(r.graph, "y", x));
    ck_assert_fails(wsr_graph_output(r.graph, "y", x), WSR_ARG, "output y");
    rig_close(&r);
}
END_TEST

START_TEST(inputs_have_positive_dimensions)
{
    static const wsr_shape shapes[] = {
        {0, {0}}, {2, {1, 0}}, {2, {-1, 3}}, {7, {1}}};
    rig r = rig_open();
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        wsr_value x = 0;
        ck_assert_fails(wsr_graph_input(&x, r.graph, "x", &shapes[i]), WSR_ARG,
                        "input x");
    }
    rig_close(&r);
}
END_TEST

START_TEST(parameters_are_found_by_name_and_are_one_value)
{
    rig r = rig_open();
    wsr_value again = 0;
    const wsr_shape shape = wsr__shape2(2, 3);
    const wsr_value w =
        wsr__param_value(r.graph, "w", shape, (wsr__init){.bound = 1});
    ck_assert_ok(wsr_graph_param(&again, r.graph, "w"));
    ck_assert_uint_eq(again, w);
    ck_assert_fails(wsr_graph_param(&again, r.graph, "v"), WSR_NOTFOUND,
                    "parameter v");
    (void)wsr__param_value(r.graph, "w", wsr__shape2(2, 4),
                           (wsr__init){.bound = 1});
    ck_assert_int_eq(wsr__graph_status(r.graph), WSR_SHAPE);
    ck_assert_ptr_nonnull(strstr(wsr_error_detail(), "parameter w"));
    rig_close(&r);
}
END_TEST

START_TEST(sticky_calls_remember_the_first_failure)
{
    rig r = rig_open();
    const wsr_value x = wsr__input(r.graph, "x", wsr__shape2(1, 3));
    const wsr_value y = wsr__op1(r.graph, "rellu", NULL, x);
    ck_assert_uint_eq(y, 0);
    ck_assert_uint_eq(wsr__op2(r.graph, "mul", NULL, x, y), 0);
    ck_assert_uint_eq(wsr__input(r.graph, "z", wsr__shape1(1)), 0);
    wsr__set_output(r.graph, "y", y);
    ck_assert_int_eq(wsr__graph_status(r.graph), WSR_NOTFOUND);
    wsr_plan *plan = NULL;
    ck_assert_int_eq(wsr_plan_new(&plan, r.graph, 1, WSR_FORWARD),
                     WSR_NOTFOUND);
    ck_assert_ptr_null(plan);
    rig_close(&r);
}
END_TEST

// relu of x; with `dead`, also much that no output needs.
static wsr_plan *plan_of(rig *r, bool dead)
{
    wsr_plan *plan = NULL;
    const wsr_value x = wsr__input(r->graph, "x", wsr__shape4(1, 8, 4, 4));
    if (dead) {
        const wsr_value other =
            wsr__input(r->graph, "other", wsr__shape4(1, 64, 32, 32));
        const wsr_value w = wsr__param_value(
            r->graph, "w", wsr__shape4(64, 64, 3, 3), (wsr__init){.bound = 1});
        const wsr_value big = wsr__op2(r->graph, "conv2d", "pad=1", other, w);
        (void)wsr__op1(r->graph, "relu", NULL, big);
        (void)wsr__op1(r->graph, "softmax", NULL, x);
    }
    const wsr_value y = wsr__op1(r->graph, "relu", NULL, x);
    wsr__set_output(r->graph, "y", y);
    ck_assert_ok(wsr__graph_status(r->graph));
    ck_assert_ok(
        wsr_plan_new(&plan, r->graph, 2, WSR_GRAD_INPUT | WSR_GRAD_PARAMS));
    return plan;
}

START_TEST(dead_nodes_cost_nothing)
{
    rig alive = rig_open();
    rig both = rig_open();
    wsr_plan *const small = plan_of(&alive, false);
    wsr_plan *const same = plan_of(&both, true);
    char *text = NULL;
    ck_assert_uint_eq(wsr_plan_bytes(small), wsr_plan_bytes(same));
    ck_assert_ptr_null(wsr_plan_src(same, "other"));
    ck_assert_ptr_nonnull(wsr_plan_src(same, "x"));
    ck_assert_ok(wsr_plan_dump(&text, same));
    ck_assert_ptr_nonnull(strstr(text, "relu"));
    ck_assert_ptr_null(strstr(text, "conv2d"));
    ck_assert_ptr_null(strstr(text, "softmax"));
    ck_assert_ok(wsr_plan_forward(same));
    ck_assert_ok(wsr_plan_backward(same));
    ck_assert_ptr_null(wsr_params_grad(both.params, 0));
    wsr_text_free(text);
    wsr_plan_free(small);
    wsr_plan_free(same);
    rig_close(&alive);
    rig_close(&both);
}
END_TEST

START_TEST(a_plan_outlives_its_graph)
{
    rig r = rig_open();
    wsr_plan *const plan = plan_of(&r, true);
    wsr_graph_free(r.graph);
    r.graph = NULL;
    for (size_t i = 0; i < 256; i++) {
        wsr_plan_src(plan, "x")[i] = (float)i - 128;
    }
    ck_assert_ok(wsr_plan_forward(plan));
    ck_assert_float_eq(wsr_plan_dst(plan, "y")[200], 72);
    ck_assert_float_eq(wsr_plan_dst(plan, "y")[100], 0);
    wsr_plan_free(plan);
    rig_close(&r);
}
END_TEST

static wsr_status build_and_run(void *ctx)
{
    (void)ctx;
    wsr_status status = WSR_OK;
    wsr_params *params = NULL;
    wsr_graph *g = NULL;
    wsr_plan *plan = NULL;
    char *text = NULL;
    WSR_TRY(wsr_params_new(&params, 1));
    WSR_TRY(wsr_graph_new(&g, params));
    const wsr_value x = wsr__input(g, "x", wsr__shape4(1, 8, 5, 5));
    const wsr_value w = wsr__param_value(g, "w", wsr__shape4(8, 1, 3, 3),
                                         (wsr__init){.bound = 1});
    const wsr_value v = wsr__param_value(g, "v", wsr__shape4(8, 8, 1, 1),
                                         (wsr__init){.bound = 1});
    wsr_value y = wsr__op1(g, "relu", NULL, x);
    y = wsr__op2(g, "conv2d", "pad=1,groups=8", y, w);
    y = wsr__op2(g, "conv2d", NULL, y, v);
    y = wsr__op2(g, "add", NULL, x, wsr__op1(g, "max_pool", "pad=1", y));
    y = wsr__op1(g, "reshape", NULL, wsr__op1(g, "transpose", NULL, y));
    wsr__set_output(g, "y", y);
    WSR_TRY(wsr__graph_status(g));
    WSR_TRY(wsr_plan_new(&plan, g, 2, WSR_GRAD_INPUT | WSR_GRAD_PARAMS));
    memset(wsr_plan_src(plan, "x"), 0, 400 * sizeof(float));
    WSR_TRY(wsr_plan_forward(plan));
    WSR_TRY(wsr_plan_backward(plan));
    WSR_TRY(wsr_plan_dump(&text, plan));
out:
    wsr_text_free(text);
    wsr_plan_free(plan);
    wsr_graph_free(g);
    wsr_params_free(params);
    return status;
}

START_TEST(memory_that_runs_short_is_reported_and_nothing_is_lost)
{
    ck_assert_uint_gt(oom_sweep(build_and_run, NULL), 20);
}
END_TEST

START_TEST(named_values_can_be_built_on)
{
    rig r = rig_open();
    wsr_value found = 99;
    const wsr_value x = wsr__input(r.graph, "x", wsr__shape2(1, 3));
    const wsr_value y = wsr__op1(r.graph, "relu", "", x);
    wsr__set_output(r.graph, "logits", y);
    ck_assert_ok(wsr_graph_value(&found, r.graph, "logits"));
    ck_assert_uint_eq(found, y);
    ck_assert_ok(wsr_graph_value(&found, r.graph, "x"));
    ck_assert_uint_eq(found, x);
    ck_assert_fails(wsr_graph_value(&found, r.graph, "logit"), WSR_NOTFOUND,
                    "'logit', there are output logits, input x");
    // An output may have the name of an input; it is what plans hand out.
    wsr__set_output(r.graph, "x", y);
    ck_assert_ok(wsr_graph_value(&found, r.graph, "x"));
    ck_assert_uint_eq(found, y);
    rig_close(&r);
}
END_TEST

START_TEST(inputs_that_no_tensor_can_have_are_refused)
{
    rig r = rig_open();
    wsr_value out = 0;
    const wsr_shape huge = {2, {INT64_C(1) << 40, INT64_C(1) << 40}};
    const wsr_shape scalar = {0, {0}};
    ck_assert_fails(wsr_graph_input(&out, r.graph, "h", &huge), WSR_ARG,
                    "input h: shape");
    ck_assert_fails(wsr_graph_input(&out, r.graph, "s", &scalar), WSR_ARG,
                    "no dimension for the batch");
    rig_close(&r);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        errors_name_the_op_and_both_shapes,
        an_unknown_op_gets_a_suggestion,
        options_are_checked,
        an_op_of_params_is_that_of_the_same_text,
        the_number_of_sources_is_checked,
        values_of_no_graph_are_refused,
        names_are_unique,
        inputs_have_positive_dimensions,
        parameters_are_found_by_name_and_are_one_value,
        sticky_calls_remember_the_first_failure,
        dead_nodes_cost_nothing,
        a_plan_outlives_its_graph,
        memory_that_runs_short_is_reported_and_nothing_is_lost,
        named_values_can_be_built_on,
        inputs_that_no_tensor_can_have_are_refused,
        NULL,
    };
    return suite_of("graph", tests);
}
