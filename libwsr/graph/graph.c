// SPDX-License-Identifier: Apache-2.0
//
// Builds graphs. Every value is checked when it is added and its sources must
// be there already, so the list is in topological order, its shapes fit, and
// the plan compiler needs no checks of its own. Shapes are inferred here for
// one image (inputs have n = 1 unless the caller says otherwise); a plan
// multiplies the first dimension by its batch.
//
// There are two sets of calls: the public ones return a status each, and the
// internal ones (wsr__op2 and the like) keep the first failure in the graph and
// do nothing afterwards, so that a network reads as its formula.

#include "graph/graph.h"

#include <string.h>

wsr_status wsr_graph_new(wsr_graph **out, wsr_params *params)
{
    *out = wsr__alloc(1, sizeof(**out));
    if (*out == NULL) {
        return WSR_NOMEM;
    }
    (*out)->params = params;
    return WSR_OK;
}

// Frees what a vertex owns; its parameter belongs to the parameter set.
static void vertex_free(wsr__vertex *vertex)
{
    wsr__free(vertex->name);
    wsr__free(vertex->options);
    wsr__free(vertex->srcs);
}

void wsr_graph_free(wsr_graph *graph)
{
    if (graph == NULL) {
        return;
    }
    for (size_t i = 0; i < graph->count; i++) {
        vertex_free(&graph->list[i]);
    }
    for (size_t i = 0; i < graph->output_count; i++) {
        wsr__free(graph->outputs[i].name);
    }
    wsr__free(graph->list);
    wsr__free(graph->outputs);
    wsr__free(graph);
}

// Append a vertex; takes over what it owns, also on failure. The list may move,
// so values are indices and never pointers.
static wsr_status append(wsr_value *out, wsr_graph *graph, wsr__vertex *vertex)
{
    const wsr_status status = wsr__reserve((void **)&graph->list,
                                           &graph->capacity, graph->count + 1,
                                           sizeof(*graph->list));
    if (status != WSR_OK) {
        vertex_free(vertex);
        return status;
    }
    *out = (wsr_value)graph->count;
    graph->list[graph->count++] = *vertex;
    return WSR_OK;
}

static bool is_input(const wsr_graph *graph, size_t i, const char *name)
{
    return graph->list[i].role == WSR__INPUT &&
           wsr__streq(graph->list[i].name, name);
}

// ARG unless a tensor of at least one dimension, the batch's, can have it. An
// empty tensor has no use in a network, and kernels rely on there being none.
static wsr_status check_input(const char *name, const wsr_shape *shape)
{
    wsr_status status = wsr__shape_check(shape);
    if (status == WSR_OK && shape->ndims == 0) {
        status = WSR_FAIL(WSR_ARG, "a scalar has no dimension for the batch");
    }
    return status == WSR_OK ? WSR_OK : wsr__fail_at(status, "input %s", name);
}

// Names of inputs are unique, since plans find their ports by name.
wsr_status wsr_graph_input(wsr_value *out, wsr_graph *graph, const char *name,
                           const wsr_shape *shape)
{
    const wsr_status status = check_input(name, shape);
    if (status != WSR_OK) {
        return status;
    }
    for (size_t i = 0; i < graph->count; i++) {
        if (is_input(graph, i, name)) {
            return WSR_FAIL(WSR_ARG, "input %s: exists already", name);
        }
    }
    wsr__vertex vertex = {.role = WSR__INPUT, .shape = *shape};
    vertex.name = wsr__strdup(name);
    if (vertex.name == NULL) {
        return WSR_NOMEM;
    }
    return append(out, graph, &vertex);
}

// One value per parameter, however often it is used: its gradient is then the
// sum over all uses.
static wsr_status refer(wsr_value *out, wsr_graph *graph, wsr__param *param)
{
    for (size_t i = 0; i < graph->count; i++) {
        if (graph->list[i].param == param) {
            *out = (wsr_value)i;
            return WSR_OK;
        }
    }
    wsr__vertex vertex = {
        .role = WSR__PARAM, .shape = param->shape, .param = param};
    return append(out, graph, &vertex);
}

wsr_status wsr_graph_param(wsr_value *out, wsr_graph *graph, const char *name)
{
    wsr__param *const param = wsr__params_named(graph->params, name);
    if (param == NULL) {
        return WSR_FAIL(WSR_NOTFOUND, "parameter %s: not one of the %zu here",
                        name, wsr_params_count(graph->params));
    }
    return refer(out, graph, param);
}

// The op itself checks the shapes of its sources; its failure gets the name of
// the op in front.
static wsr_status infer(wsr__vertex *vertex, const wsr_graph *graph)
{
    const wsr__op_class *const cls = vertex->cls;
    if (vertex->n < cls->min_srcs || vertex->n > cls->max_srcs) {
        return WSR_FAIL(WSR_ARG, "%s: %zu sources are outside [%zu, %zu]",
                        cls->super.name, vertex->n, cls->min_srcs,
                        cls->max_srcs);
    }
    wsr_shape *const shapes = wsr__alloc(vertex->n, sizeof(*shapes));
    if (shapes == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < vertex->n; i++) {
        shapes[i] = graph->list[vertex->srcs[i]].shape;
    }
    const wsr_status status =
        cls->infer(&vertex->shape, vertex->options, shapes, vertex->n);
    wsr__free(shapes);
    return status == WSR_OK ? status
                            : wsr__fail_at(status, "%s", cls->super.name);
}

// Append an op; takes over its options, also on failure. Sources are values
// that exist, so they are before the new vertex in the list: a graph has no
// cycles by construction.
static wsr_status append_op(wsr_value *out, wsr_graph *graph,
                            const wsr__op_class *cls, void *options,
                            const wsr_value *srcs, size_t n)
{
    wsr_status status = WSR_OK;
    wsr__vertex vertex = {
        .role = WSR__OP, .cls = cls, .options = options, .n = n};
    vertex.srcs = wsr__alloc(n, sizeof(*vertex.srcs));
    if (vertex.srcs == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        vertex.srcs[i] = srcs[i];
    }
    WSR_TRY(infer(&vertex, graph));
    return append(out, graph, &vertex);
out:
    vertex_free(&vertex);
    return status;
}

// Options are decoded once, here; the vertex keeps the decoded params.
wsr_status wsr_graph_op(wsr_value *out, wsr_graph *graph, const char *op,
                        const wsr_value *srcs, size_t n, const char *options)
{
    wsr_status status = WSR_OK;
    const wsr__op_class *cls = NULL;
    void *params = NULL;
    for (size_t i = 0; i < n; i++) {
        if (srcs[i] >= graph->count) {
            return WSR_FAIL(WSR_ARG, "%s: source %zu is not of this graph", op,
                            i);
        }
    }
    WSR_TRY(wsr__op_find(&cls, op));
    WSR_TRY(wsr__class_params(&params, &cls->super,
                              options == NULL ? "" : options));
    status = append_op(out, graph, cls, params, srcs, n);
out:
    return status;
}

// A value may be several outputs, under different names.
wsr_status wsr_graph_output(wsr_graph *graph, const char *name, wsr_value value)
{
    if (value >= graph->count) {
        return WSR_FAIL(WSR_ARG, "output %s: value is not of this graph", name);
    }
    for (size_t i = 0; i < graph->output_count; i++) {
        if (strcmp(graph->outputs[i].name, name) == 0) {
            return WSR_FAIL(WSR_ARG, "output %s: exists already", name);
        }
    }
    const wsr_status status =
        wsr__reserve((void **)&graph->outputs, &graph->output_capacity,
                     graph->output_count + 1, sizeof(*graph->outputs));
    if (status != WSR_OK) {
        return status;
    }
    char *const copy = wsr__strdup(name);
    if (copy == NULL) {
        return WSR_NOMEM;
    }
    graph->outputs[graph->output_count++] = (wsr__output){copy, value};
    return WSR_OK;
}

static wsr_status unknown_value(const wsr_graph *graph, const char *name)
{
    wsr_status status = WSR_OK;
    wsr__str all = {0};
    for (size_t i = 0; i < graph->output_count; i++) {
        wsr__str_addf(&all, "%s output %s", all.len == 0 ? "" : ",",
                      graph->outputs[i].name);
    }
    for (size_t i = 0; i < graph->count; i++) {
        if (graph->list[i].role == WSR__INPUT) {
            wsr__str_addf(&all, "%s input %s", all.len == 0 ? "" : ",",
                          graph->list[i].name);
        }
    }
    WSR_TRY(wsr__str_status(&all));
    status = WSR_FAIL(WSR_NOTFOUND,
                      "graph: nothing is called '%.64s', there are%.300s", name,
                      all.len == 0 ? " no names at all" : all.s);
out:
    wsr__str_free(&all);
    return status;
}

wsr_status wsr_graph_value(wsr_value *out, const wsr_graph *graph,
                           const char *name)
{
    for (size_t i = 0; i < graph->output_count; i++) {
        if (wsr__streq(graph->outputs[i].name, name)) {
            *out = graph->outputs[i].value;
            return WSR_OK;
        }
    }
    for (size_t i = 0; i < graph->count; i++) {
        if (is_input(graph, i, name)) {
            *out = (wsr_value)i;
            return WSR_OK;
        }
    }
    return unknown_value(graph, name);
}

const wsr_shape *wsr_graph_shape(const wsr_graph *graph, wsr_value value)
{
    return value < graph->count ? &graph->list[value].shape : NULL;
}

// The calls below are the sticky ones. After a failure they return value 0,
// which means nothing then: wsr__graph_status() must be asked before the graph
// is used.
wsr_status wsr__graph_status(const wsr_graph *graph)
{
    return graph->status;
}

wsr_value wsr__input(wsr_graph *graph, const char *name, wsr_shape shape)
{
    wsr_value value = 0;
    if (graph->status == WSR_OK) {
        graph->status = wsr_graph_input(&value, graph, name, &shape);
    }
    return value;
}

// An existing parameter of that name is shared, if its shape is the same.
wsr_value wsr__param_value(wsr_graph *graph, const char *name, wsr_shape shape,
                           wsr__init init)
{
    wsr_value value = 0;
    wsr__param *param = NULL;
    if (graph->status == WSR_OK) {
        graph->status =
            wsr__params_trained(&param, graph->params, name, &shape, init);
    }
    if (graph->status == WSR_OK) {
        graph->status = refer(&value, graph, param);
    }
    return value;
}

wsr_value wsr__buffer_value(wsr_graph *graph, const char *name, wsr_shape shape,
                            float value)
{
    wsr_value out = 0;
    wsr__param *param = NULL;
    if (graph->status == WSR_OK) {
        graph->status =
            wsr__params_buffer(&param, graph->params, name, &shape, value);
    }
    if (graph->status == WSR_OK) {
        graph->status = refer(&out, graph, param);
    }
    return out;
}

wsr_value wsr__opn(wsr_graph *graph, const char *op, const char *options,
                   const wsr_value *srcs, size_t n)
{
    wsr_value value = 0;
    if (graph->status == WSR_OK) {
        graph->status = wsr_graph_op(&value, graph, op, srcs, n, options);
    }
    return value;
}

// The same with decoded params instead of text: cells add thousands of layers,
// and printing options only to parse them again costs time and can round.
wsr_value wsr__opn_of(wsr_graph *graph, const wsr__op_class *cls,
                      const void *params, const wsr_value *srcs, size_t n)
{
    wsr_value value = 0;
    void *copy = NULL;
    if (graph->status == WSR_OK) {
        graph->status = wsr__class_copy(&copy, &cls->super, params);
    }
    if (graph->status == WSR_OK) {
        graph->status = append_op(&value, graph, cls, copy, srcs, n);
    }
    return value;
}

wsr_value wsr__op1_of(wsr_graph *graph, const wsr__op_class *cls,
                      const void *params, wsr_value a)
{
    return wsr__opn_of(graph, cls, params, &a, 1);
}

wsr_value wsr__op1(wsr_graph *graph, const char *op, const char *options,
                   wsr_value a)
{
    return wsr__opn(graph, op, options, &a, 1);
}

wsr_value wsr__op2(wsr_graph *graph, const char *op, const char *options,
                   wsr_value a, wsr_value b)
{
    const wsr_value srcs[] = {a, b};
    return wsr__opn(graph, op, options, srcs, 2);
}

wsr_value wsr__op3(wsr_graph *graph, const char *op, const char *options,
                   wsr_value a, wsr_value b, wsr_value c)
{
    const wsr_value srcs[] = {a, b, c};
    return wsr__opn(graph, op, options, srcs, 3);
}

void wsr__set_output(wsr_graph *graph, const char *name, wsr_value value)
{
    if (graph->status == WSR_OK) {
        graph->status = wsr_graph_output(graph, name, value);
    }
}

// Each weight is used once per position of the result.
double wsr__graph_madds(const wsr_graph *graph, size_t i)
{
    const wsr__vertex *const v = &graph->list[i];
    double madds = 0;
    for (size_t k = 0; v->role == WSR__OP && k < v->n && k < 32; k++) {
        if ((v->cls->weights >> k & 1) != 0) {
            madds += (double)wsr_shape_count(&graph->list[v->srcs[k]].shape) *
                     (double)wsr_shape_count(&v->shape) /
                     (double)v->shape.dims[1];
        }
    }
    return madds;
}
