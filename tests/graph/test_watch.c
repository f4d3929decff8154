// SPDX-License-Identifier: Apache-2.0
//
// A backward pass under watch: what is said to be complete is never written
// again, and all that is written is said to be complete.

#include "graph/plan_support.h"
#include "net/net.h"

#include <stdlib.h>
#include <string.h>

// Gradients as they were when they were said to be complete.
typedef struct seen {
    const wsr__grad_ready *order;
    size_t count;
    size_t at;
    size_t last; // step
    float **copies;
    size_t fails_at; // 0: never
} seen;

static wsr_status passed(void *ctx, size_t step)
{
    seen *const s = ctx;
    ck_assert_uint_eq(step <= s->last, 1);
    s->last = step;
    if (s->fails_at > 0 && step < s->fails_at) {
        return WSR_FAIL(WSR_BACKEND, "no more");
    }
    for (; s->at < s->count && s->order[s->at].step >= step; s->at++) {
        const wsr__param *const p = s->order[s->at].param;
        s->copies[s->at] = malloc((size_t)p->count * sizeof(float));
        ck_assert(p->has_grad);
        memcpy(s->copies[s->at], p->grad, (size_t)p->count * sizeof(float));
    }
    return WSR_OK;
}

static seen watch_pass(wsr_plan *plan, wsr_params *params)
{
    seen s = {.last = SIZE_MAX};
    size_t trained = 0;
    wsr_params_zero_grad(params, true);
    ck_assert_ok(wsr_plan_forward(plan));
    ck_assert_ok(wsr__plan_grads_ready(&s.order, &s.count, plan));
    s.copies = calloc(s.count + 1, sizeof(*s.copies));
    ck_assert_ok(wsr__plan_backward(plan, &(wsr__backward_watch){passed, &s}));
    ck_assert_uint_eq(s.at, s.count);
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        trained += wsr__params_at(params, i)->has_grad;
    }
    ck_assert_uint_eq(trained, s.count);
    for (size_t i = 0; i < s.count; i++) {
        const wsr__param *const p = s.order[i].param;
        ck_assert(
            same_bits(s.copies[i], p->grad, (size_t)p->count * sizeof(float)));
        free(s.copies[i]);
    }
    free(s.copies);
    return s;
}

static const struct {
    const char *kind;
    const char *options;
} nets[] = {
    {"small_cnn", "classes=3,image_size=16,image_channels=3"},
    {"resnet", "depth=18,classes=3,width=4"},
    {"network", "genotype=cna_r,channels=4,layers=3,classes=3,auxiliary=true"},
    {"wrn", "depth=10,width=1,classes=3"},
};

START_TEST(of_networks)
{
    wsr_net *net = NULL;
    wsr_graph *graph = NULL;
    wsr_plan *plan = NULL;
    static const unsigned purposes[] = {
        WSR_GRAD_PARAMS | WSR_TRAIN, WSR_GRAD_PARAMS | WSR_GRAD_INPUT,
        WSR_GRAD_PARAMS | WSR_TRAIN | WSR_UNFUSED};
    ck_assert_ok(wsr_net_new_kind(&net, nets[_i].kind, nets[_i].options, 1));
    ck_assert_ok(wsr_net_graph(&graph, net, true));
    for (size_t i = 0; i < 3; i++) {
        ck_assert_ok(wsr_plan_new(&plan, graph, 2, purposes[i]));
        fill(wsr_plan_src(plan, "x"),
             (size_t)wsr_shape_count(wsr__plan_src_shape(plan, "x")));
        ck_assert_ok(wsr_plan_forward(plan));
        fill(wsr_plan_diff_dst(plan, "logits"), 6);
        const seen s = watch_pass(plan, wsr_net_params(net));
        ck_assert_uint_gt(s.count, 4);
        ck_assert_uint_gt(s.order[0].step, s.order[s.count - 1].step);
        wsr_plan_free(plan);
    }
    wsr_graph_free(graph);
    wsr_net_free(net);
}
END_TEST

// w is read by two ops, and is an output with a gradient of its own; v is an
// output alone.
START_TEST(of_a_parameter_in_several_places)
{
    rig r = rig_open();
    const wsr__init init = {.value = 2};
    const wsr_value x = wsr__input(r.graph, "x", wsr__shape2(1, 4));
    const wsr_value w = wsr__param_value(r.graph, "w", wsr__shape2(1, 4), init);
    const wsr_value v = wsr__param_value(r.graph, "v", wsr__shape2(1, 4), init);
    const wsr_value a = wsr__op2(r.graph, "mul", NULL, x, w);
    const wsr_value b = wsr__op2(r.graph, "mul", NULL, a, w);
    wsr__set_output(r.graph, "b", b);
    wsr__set_output(r.graph, "w", w);
    wsr__set_output(r.graph, "v", v);
    rig_plan(&r, 1, WSR_GRAD_PARAMS);
    fill(wsr_plan_src(r.plan, "x"), 4);
    set_diff(r.plan, "b", 1);
    set_diff(r.plan, "w", 7);
    set_diff(r.plan, "v", 3);
    const seen s = watch_pass(r.plan, r.params);
    ck_assert_uint_eq(s.count, 2);
    ck_assert_str_eq(s.order[0].param->name, "v");
    ck_assert_uint_eq(s.order[1].step, 0);
    ck_assert_float_eq(grad_of(&r, "v")[0], 3);
    ck_assert_float_eq(grad_of(&r, "w")[1],
                       7 + 2 * 2 * wsr_plan_src(r.plan, "x")[1]);
    rig_close(&r);
}
END_TEST

START_TEST(a_failure_ends_the_pass)
{
    rig r = rig_open();
    const wsr_value x = wsr__input(r.graph, "x", wsr__shape2(1, 4));
    const wsr_value a = wsr__op1(r.graph, "scale", "factor=3", x);
    wsr__set_output(r.graph, "b", wsr__op1(r.graph, "relu", NULL, a));
    rig_plan(&r, 1, WSR_GRAD_INPUT | WSR_UNFUSED);
    seen s = {.last = SIZE_MAX, .fails_at = 2};
    ck_assert_ok(wsr_plan_forward(r.plan));
    ck_assert_fails(
        wsr__plan_backward(r.plan, &(wsr__backward_watch){passed, &s}),
        WSR_BACKEND, "no more");
    ck_assert_uint_eq(s.last, 1);
    rig_close(&r);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {of_a_parameter_in_several_places,
                                  a_failure_ends_the_pass, NULL};
    Suite *const s = suite_of("graph/watch", tests);
    TCase *const c = tcase_create("networks");
    tcase_add_loop_test(c, of_networks, 0, sizeof(nets) / sizeof(nets[0]));
    suite_add_tcase(s, c);
    return s;
}
