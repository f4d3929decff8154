// SPDX-License-Identifier: Apache-2.0
//
// Graphs that are written as ONNX files and read again: they must compute the
// same bits.

#ifndef WSR_TESTS_ONNX_ROUND_TRIP_H
#define WSR_TESTS_ONNX_ROUND_TRIP_H

#include "graph/graph.h"
#include "onnx/onnx.h"
#include "support/files.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { RT_N = 3, RT_C = 4, RT_H = 6, RT_W = 8, RT_PIXELS = RT_C * RT_H * RT_W };

/// Numbers of both signs, zeros and repeated ones among them.
static inline float rt_number(size_t i)
{
    return (float)((int)(i * 37 % 101) - 50) / 40;
}

/// Logits and gradient of the images of a graph for a batch. [out, owned]
typedef struct rt_result {
    float *logits;
    float *grad;
    size_t n_logits;
    size_t n_grad;
} rt_result;

static inline void rt_free(rt_result *r)
{
    wsr__free(r->logits);
    wsr__free(r->grad);
}

static inline float *rt_copy(const float *from, size_t n)
{
    float *const to = wsr__alloc_raw(n, sizeof(*to));
    ck_assert_ptr_nonnull(to);
    memcpy(to, from, n * sizeof(*to));
    return to;
}

static inline rt_result rt_run(const wsr_graph *graph, size_t batch)
{
    wsr_plan *plan = NULL;
    ck_assert_ok(wsr_plan_new(&plan, graph, batch, WSR_GRAD_INPUT));
    rt_result r = {
        .n_logits = (size_t)wsr_shape_count(wsr_plan_shape(plan, "logits")),
        .n_grad = (size_t)wsr_shape_count(wsr__plan_src_shape(plan, "x"))};
    for (size_t i = 0; i < r.n_grad; i++) {
        wsr_plan_src(plan, "x")[i] = rt_number(i);
    }
    ck_assert_ok(wsr_plan_forward(plan));
    r.logits = rt_copy(wsr_plan_dst(plan, "logits"), r.n_logits);
    for (size_t i = 0; i < r.n_logits; i++) {
        wsr_plan_diff_dst(plan, "logits")[i] = rt_number(i + 5);
    }
    ck_assert_ok(wsr_plan_backward(plan));
    r.grad = rt_copy(wsr_plan_diff_src(plan, "x"), r.n_grad);
    wsr_plan_free(plan);
    return r;
}

static inline void rt_same(const wsr_graph *a, const wsr_graph *b,
                           const char *what)
{
    for (size_t batch = 1; batch <= RT_N; batch += RT_N - 1) {
        rt_result x = rt_run(a, batch);
        rt_result y = rt_run(b, batch);
        ck_assert_uint_eq(x.n_logits, y.n_logits);
        ck_assert_uint_eq(x.n_grad, y.n_grad);
        ck_assert_msg(same_bits(x.logits, y.logits, x.n_logits * sizeof(float)),
                      "%s: logits differ", what);
        ck_assert_msg(same_bits(x.grad, y.grad, x.n_grad * sizeof(float)),
                      "%s: gradients differ", what);
        rt_free(&x);
        rt_free(&y);
    }
}

/// A graph of its own parameters.
typedef struct rt_model {
    wsr_params *params;
    wsr_graph *graph;
} rt_model;

static inline void rt_close(rt_model *m)
{
    wsr_graph_free(m->graph);
    wsr_params_free(m->params);
}

static inline rt_model rt_read(const char *path, const char *what)
{
    rt_model m = {0};
    ck_assert_ok(wsr_params_new(&m.params, 0));
    const wsr_status status = wsr__onnx_read(&m.graph, m.params, path, NULL);
    ck_assert_msg(status == WSR_OK, "%s: %s", what, wsr_error_detail());
    return m;
}

static inline void rt_same_files(const char *a, const char *b)
{
    unsigned char *x = NULL;
    unsigned char *y = NULL;
    size_t n = 0;
    size_t m = 0;
    ck_assert_ok(wsr__file_read(&x, &n, a, SIZE_MAX / 2));
    ck_assert_ok(wsr__file_read(&y, &m, b, SIZE_MAX / 2));
    ck_assert_uint_eq(n, m);
    ck_assert(same_bits(x, y, n));
    wsr__free(x);
    wsr__free(y);
}

/// What was read has no other parameters.
static inline void rt_same_names(const wsr_graph *graph, const wsr_graph *read,
                                 const char *what)
{
    for (size_t i = 0; i < wsr_params_count(read->params); i++) {
        const char *const name = wsr__params_at(read->params, i)->name;
        ck_assert_msg(wsr__params_named(graph->params, name) != NULL ||
                          strstr(name, "num_batches_tracked") != NULL,
                      "%s: %s", what, name);
    }
}

/// Write the graph twice, read it, and what was read once more.
static inline void rt_check(const wsr_graph *graph, const char *what)
{
    const char *const folder = scratch_folder("round-trip");
    const char *const first = path_in(folder, "first.onnx");
    const char *const second = path_in(folder, "second.onnx");
    const wsr_status status = wsr__onnx_write(graph, first, NULL, 0);
    ck_assert_msg(status == WSR_OK, "%s: %s", what, wsr_error_detail());
    ck_assert_ok(wsr__onnx_write(graph, second, NULL, 0));
    rt_same_files(first, second);
    rt_model m = rt_read(first, what);
    rt_same(graph, m.graph, what);
    rt_same_names(graph, m.graph, what);
    ck_assert_ok(wsr__onnx_write(m.graph, second, NULL, 0));
    rt_model again = rt_read(second, what);
    rt_same(graph, again.graph, what);
    rt_close(&again);
    rt_close(&m);
}

/// One op behind `before` (NULL: the image), with the shapes of the parameters
/// that follow its source.
typedef struct rt_case {
    const char *op;
    const char *options; // NULL: none
    const char *before;  // op, and its options
    const char *before_options;
    wsr_shape params[5];
} rt_case;

static inline wsr_value rt_param(wsr_graph *graph, size_t i, wsr_shape shape)
{
    char name[16];
    wsr__param *param = NULL;
    (void)snprintf(name, sizeof(name), "p%zu", i);
    const wsr_value value =
        wsr__param_value(graph, name, shape, (wsr__init){.bound = 1});
    param = wsr__params_named(graph->params, name);
    ck_assert_ptr_nonnull(param);
    for (int64_t k = 0; k < param->count; k++) { // variances are positive
        param->data[k] = fabsf(rt_number((size_t)k + 11 * i)) + 0.125f;
    }
    return value;
}

/// The graph of a case: x, what is before, the op, and (n, rest) of its result.
/// Begin a graph of the images `x`; `*g` is m->graph.
static inline wsr_value rt_open(rt_model *m, wsr_graph **g)
{
    *m = (rt_model){0};
    ck_assert_ok(wsr_params_new(&m->params, 1));
    ck_assert_ok(wsr_graph_new(&m->graph, m->params));
    *g = m->graph;
    return wsr__input(*g, "x", wsr__shape4(1, RT_C, RT_H, RT_W));
}

/// Check the graph whose logits are all numbers of `y`, and free it.
static inline void rt_end(rt_model *m, wsr_value y, const char *what)
{
    wsr__set_output(m->graph, "logits",
                    wsr__op1(m->graph, "reshape", "dims=-1", y));
    ck_assert_ok(wsr__graph_status(m->graph));
    rt_check(m->graph, what);
    rt_close(m);
}

static inline rt_model rt_model_of(const rt_case *c)
{
    rt_model m = {0};
    wsr_value srcs[6];
    size_t n = 0;
    ck_assert_ok(wsr_params_new(&m.params, 1));
    ck_assert_ok(wsr_graph_new(&m.graph, m.params));
    wsr_value x = wsr__input(m.graph, "x", wsr__shape4(1, RT_C, RT_H, RT_W));
    if (c->before != NULL) {
        x = wsr__op1(m.graph, c->before, c->before_options, x);
    }
    srcs[n++] = x;
    for (size_t i = 0; i < 5 && c->params[i].ndims != 0; i++) {
        const bool scalar = c->params[i].ndims < 0;
        srcs[n++] =
            rt_param(m.graph, i, scalar ? (wsr_shape){0} : c->params[i]);
    }
    wsr_value y = wsr__opn(m.graph, c->op, c->options, srcs, n);
    y = wsr__op1(m.graph, "reshape", "dims=-1", y);
    wsr__set_output(m.graph, "logits", y);
    ck_assert_ok(wsr__graph_status(m.graph));
    return m;
}

static inline void rt_check_cases(const rt_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        rt_model m = rt_model_of(&cases[i]);
        char what[160];
        (void)snprintf(what, sizeof(what), "%s(%s)", cases[i].op,
                       cases[i].options != NULL ? cases[i].options : "");
        rt_check(m.graph, what);
        rt_close(&m);
    }
}

#define RT_CHECK(cases) \
    rt_check_cases((cases), sizeof(cases) / sizeof((cases)[0]))

#endif
