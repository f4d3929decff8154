// SPDX-License-Identifier: Apache-2.0
//
// Two copies of a graph for products by the parameters. In one the relus are
// frozen: each is the product of its source with an input that is 1 where the
// source was positive, 0 elsewhere. The other has these sources as outputs.

#include "hessian/hessian.h"

void wsr__hessian_kink(char out[WSR__KINK_NAME], size_t kink)
{
    (void)snprintf(out, WSR__KINK_NAME, "kink.%zu", kink);
}

// Parameters, inputs and ops of a vertex in another graph; `at` holds where the
// earlier vertices are there.
static wsr_status copy_vertex(wsr_value *out, wsr_graph *to,
                              const wsr__vertex *v, const wsr_value *at)
{
    wsr_status status = WSR_OK;
    wsr_value *srcs = NULL;
    if (v->role == WSR__PARAM) {
        return wsr_graph_param(out, to, v->param->name);
    }
    if (v->role == WSR__INPUT) {
        return wsr_graph_input(out, to, v->name, &v->shape);
    }
    srcs = wsr__alloc(v->n, sizeof(*srcs));
    if (srcs == NULL) {
        return WSR_NOMEM;
    }
    for (size_t k = 0; k < v->n; k++) {
        srcs[k] = at[v->srcs[k]];
    }
    *out = wsr__opn_of(to, v->cls, v->options, srcs, v->n);
    WSR_TRY(wsr__graph_status(to));
out:
    wsr__free(srcs);
    return status;
}

// A relu with the source `u`: frozen in one copy, with its source as an output
// in the other.
static wsr_status freeze_relu(wsr_value *out, wsr_graph *to, wsr_value u,
                              size_t kink, bool frozen)
{
    wsr_status status = WSR_OK;
    char name[WSR__KINK_NAME];
    wsr_value pair[2] = {u, 0};
    wsr__hessian_kink(name, kink);
    if (frozen) {
        WSR_TRY(wsr_graph_input(&pair[1], to, name, wsr_graph_shape(to, u)));
        WSR_TRY(wsr_graph_op(out, to, "mul", pair, 2, NULL));
    } else {
        WSR_TRY(wsr_graph_output(to, name, u));
        WSR_TRY(wsr_graph_op(out, to, "relu", &u, 1, NULL));
    }
out:
    return status;
}

static wsr_status copy_graph(wsr_graph **out, size_t *kinks,
                             const wsr_graph *graph, bool frozen)
{
    wsr_status status = WSR_OK;
    wsr_graph *to = NULL;
    wsr_value *at = NULL;
    *out = NULL;
    *kinks = 0;
    WSR_TRY(wsr_graph_new(&to, graph->params));
    at = wsr__alloc(graph->count, sizeof(*at));
    if (at == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    for (size_t i = 0; i < graph->count; i++) {
        const wsr__vertex *const v = &graph->list[i];
        if (v->role == WSR__OP && v->cls->positive_part) {
            WSR_TRY(freeze_relu(&at[i], to, at[v->srcs[0]], *kinks, frozen));
            (*kinks)++;
        } else {
            WSR_TRY(copy_vertex(&at[i], to, v, at));
        }
    }
    for (size_t i = 0; i < graph->output_count; i++) {
        WSR_TRY(wsr_graph_output(to, graph->outputs[i].name,
                                 at[graph->outputs[i].value]));
    }
    *out = to;
    to = NULL;
out:
    wsr__free(at);
    wsr_graph_free(to);
    return status;
}

wsr_status wsr__hessian_freeze(wsr_graph **frozen, wsr_graph **signs,
                               size_t *kinks, const wsr_graph *graph)
{
    wsr_status status = WSR_OK;
    *frozen = NULL;
    *signs = NULL;
    WSR_TRY(copy_graph(frozen, kinks, graph, true));
    WSR_TRY(copy_graph(signs, kinks, graph, false));
out:
    return status;
}
