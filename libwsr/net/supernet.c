// SPDX-License-Identifier: Apache-2.0
//
// The supernet: every edge of every cell holds all candidates of a search
// space, and a path takes one of them per edge, the same in all normal cells
// and the same in all reduction cells. The edge's weight multiplies the
// result; it is a constant of the graph, or an input where its gradient is
// asked for. Norms have no weights, and the candidates without a norm get one.

#include "net/net.h"

#include <math.h>

void wsr__edge_weight_name(char out[WSR__SITE_NAME], size_t cell, size_t row)
{
    (void)snprintf(out, WSR__SITE_NAME, "edge_weight.%zu.%zu", cell, row);
}

static void add_candidate(wsr__cell *cell, size_t state, size_t number,
                          size_t candidate)
{
    const wsr__build *const build = cell->build;
    const wsr__space_class *const space = build->net->space;
    const size_t edges = wsr__space_edges(space);
    const size_t row = number + (cell->reduce ? edges : 0);
    char below[32];
    (void)snprintf(below, sizeof(below), "_ops.%zu.", candidate);
    wsr__edge edge = {.state = state,
                      .number = number,
                      .below = below,
                      .norm = true,
                      .weight = 1};
    char factor[WSR__SITE_NAME];
    if (build->open) {
        wsr__edge_weight_name(factor, cell->number, row);
        edge.factor = factor;
    }
    if (build->weights != NULL) {
        edge.weight = build->weights[row];
    }
    const wsr_status status =
        wsr__cell_find(&edge.cls, space->primitives[candidate]);
    if (status != WSR_OK) {
        wsr__site_fail(&cell->site, status, "primitive is unknown");
        return;
    }
    wsr__cell_edge(cell, &edge);
}

static void add_edge(wsr__cell *cell, size_t state, size_t number)
{
    const wsr__build *const build = cell->build;
    const wsr__space_class *const space = build->net->space;
    const size_t edges = wsr__space_edges(space);
    if (build->all) {
        for (size_t k = 0; k < space->n_primitives; k++) {
            add_candidate(cell, state, number, k);
        }
    } else {
        const size_t row = number + (cell->reduce ? edges : 0);
        add_candidate(cell, state, number, build->choices[row]);
    }
}

static wsr_value inside(wsr__cell *cell)
{
    const size_t nodes = cell->build->net->space->nodes;
    size_t states[WSR__STATES];
    size_t number = 0;
    for (size_t node = 0; node < nodes; node++) {
        for (size_t state = 0; state < node + 2; state++, number++) {
            add_edge(cell, state, number);
        }
        wsr__cell_node(cell);
        states[node] = node + 2;
    }
    return wsr__cell_concat(cell, states, nodes);
}

const wsr__net_kind wsr__supernet = {
    .name = "supernet",
    .schema = wsr__supernet_schema,
    .adaptive = true,
    .inside = inside,
};

wsr_status wsr_supernet_new(wsr_net **out, const char *options, uint64_t seed)
{
    return wsr__net_decode(out, &wsr__supernet, NULL, NULL, options, seed);
}

size_t wsr_supernet_edges(const wsr_net *net)
{
    return net->space == NULL ? 0 : 2 * wsr__space_edges(net->space);
}

size_t wsr_supernet_candidates(const wsr_net *net)
{
    return net->space == NULL ? 0 : net->space->n_primitives;
}

const char *wsr_supernet_candidate(const wsr_net *net, size_t i)
{
    return i < wsr_supernet_candidates(net) ? net->space->primitives[i] : NULL;
}

static wsr_status check_choices(const wsr_net *net,
                                const unsigned char *choices)
{
    if (net->space == NULL) {
        return WSR_FAIL(WSR_ARG, "net: a %s is no supernet", net->kind->name);
    }
    const size_t n = wsr_supernet_candidates(net);
    for (size_t i = 0; i < wsr_supernet_edges(net); i++) {
        if (choices[i] >= n) {
            return WSR_FAIL(WSR_ARG,
                            "choices: %d is outside [0, %zu] (edge "
                            "%zu)",
                            choices[i], n - 1, i);
        }
    }
    return WSR_OK;
}

wsr_status wsr_supernet_graph(wsr_graph **out, const wsr_net *net,
                              const unsigned char *choices,
                              const float *weights)
{
    wsr_status status = WSR_OK;
    *out = NULL;
    WSR_TRY(check_choices(net, choices));
    for (size_t i = 0; weights != NULL && i < wsr_supernet_edges(net); i++) {
        if (!isfinite(weights[i])) {
            return WSR_FAIL(WSR_ARG, "weights: that of edge %zu is not finite",
                            i);
        }
    }
    const wsr__build build = {
        .net = net, .choices = choices, .weights = weights};
    WSR_TRY(wsr__net_build(out, &build));
out:
    return status;
}

wsr_status wsr__supernet_open(wsr_graph **out, const wsr_net *net,
                              const unsigned char *choices)
{
    wsr_status status = WSR_OK;
    const wsr__build build = {.net = net, .choices = choices, .open = true};
    *out = NULL;
    WSR_TRY(check_choices(net, choices));
    WSR_TRY(wsr__net_build(out, &build));
out:
    return status;
}
