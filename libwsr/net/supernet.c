// SPDX-License-Identifier: Apache-2.0
//
// The supernet: every edge of every cell holds all candidate operations of a
// search space. A path takes one candidate per edge, the same in all normal
// cells and the same in all reduction cells.
//
// The weight of an edge multiplies its result. It is a constant of the graph,
// or an input ("edge_weight.CELL.ROW") where its gradient is needed. Batch
// norms have no affine parameters, and candidates without a norm get one, as
// in DARTS.
//
// Rows of choices and weights: the edges of the normal cell, then those of the
// reduction cell. Edge i (i + 3) / 2 + j leads from state j to node i. A single
// space has other cells: build_single.c.

#include "net/net.h"

#include <math.h>
#include <string.h>

void wsr__edge_weight_name(char out[WSR__SITE_NAME], size_t cell, size_t row)
{
    (void)snprintf(out, WSR__SITE_NAME, "edge_weight.%zu.%zu", cell, row);
}

// One candidate on an edge. `number` is that of the edge in its cell, `row`
// that in the list of all edges.
static void add_candidate(wsr__cell *cell, size_t state, size_t number,
                          size_t candidate)
{
    const wsr__build *const build = cell->build;
    const wsr__space_class *const space = build->net->cells;
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

// When the parameters are made, an edge holds all candidates; in the graph of
// a path it holds the chosen one.
static void add_edge(wsr__cell *cell, size_t state, size_t number)
{
    const wsr__build *const build = cell->build;
    const wsr__space_class *const space = build->net->cells;
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

// Every node is the sum of edges from all states before it; the cell's output
// concatenates its nodes.
static wsr_value inside(wsr__cell *cell)
{
    const size_t nodes = wsr__supernet_space(cell->build->net)->nodes;
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

static const wsr__option schema[] = {
    {"space", WSR__TEXT, WSR__CELLS_AT(cells), "darts", 0, 0, "",
     "search space that the candidates come from", NULL},
    WSR__CELLS_OPTIONS("16", "8"),
    {0},
};

// A space is a constant of the library, so the network's cells are a pointer
// to it. The union takes const away; nothing writes through it.
static wsr_status make(void **out, const wsr__cells_options *options,
                       const void *given)
{
    const wsr__class *cls = given;
    const wsr_status status =
        given != NULL ? WSR_OK
                      : wsr__class_find(&cls, &wsr__spaces, options->cells.s);
    union {
        const void *constant;
        void *cells;
    } space = {.constant = cls};
    *out = space.cells;
    return status;
}

static const char *name_of(const void *cells)
{
    return ((const wsr__space_class *)cells)->super.name;
}

// Recognises the kind of a network from the name of a tensor: only supernets
// have several operations on an edge.
static bool tells(const char *name)
{
    return strstr(name, "._ops.0._ops.") != NULL ||
           strstr(name, ".edges.1<-0.") != NULL;
}

static const wsr__space_class *space_of(const wsr_net *net)
{
    return net->cells;
}

const wsr__net_class wsr__net_supernet = {
    .super = {"supernet", "all candidates of a search space on each edge",
              "arXiv:1806.09055", schema, sizeof(wsr__cells_options)},
    .cells = {.key = "space", .make = make, .name = name_of},
    .adaptive = true,
    .paths = true,
    .space = space_of,
    .check = wsr__net_check_single,
    .tells = tells,
    .inside = inside,
};

wsr_status wsr_supernet_new(wsr_net **out, const char *options, uint64_t seed)
{
    return wsr__net_decode(out, &wsr__net_supernet, NULL, options, seed);
}

const wsr__space_class *wsr__supernet_space(const wsr_net *net)
{
    return net->cls->space != NULL ? net->cls->space(net) : NULL;
}

size_t wsr_supernet_edges(const wsr_net *net)
{
    const wsr__space_class *const space = wsr__supernet_space(net);
    return space == NULL ? 0 : wsr__space_rows(space);
}

size_t wsr_supernet_candidates(const wsr_net *net)
{
    const wsr__space_class *const space = wsr__supernet_space(net);
    return space == NULL ? 0 : space->n_primitives;
}

const char *wsr_supernet_candidate(const wsr_net *net, size_t i)
{
    return i < wsr_supernet_candidates(net)
               ? wsr__supernet_space(net)->primitives[i]
               : NULL;
}

// Choices come from callers; they index arrays from here on.
wsr_status wsr__supernet_check(const wsr_net *net, const unsigned char *choices)
{
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

static wsr_status check_path(const wsr_net *net, const unsigned char *choices)
{
    if (!net->cls->paths) {
        return WSR_FAIL(WSR_ARG, "net: a %s is no supernet",
                        net->cls->super.name);
    }
    return wsr__supernet_check(net, choices);
}

wsr_status wsr_supernet_graph(wsr_graph **out, const wsr_net *net,
                              const unsigned char *choices,
                              const float *weights)
{
    wsr_status status = WSR_OK;
    *out = NULL;
    WSR_TRY(check_path(net, choices));
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

// The graph of a path with its edge weights as inputs.
wsr_status wsr__supernet_open(wsr_graph **out, const wsr_net *net,
                              const unsigned char *choices)
{
    wsr_status status = WSR_OK;
    const wsr__build build = {.net = net, .choices = choices, .open = true};
    *out = NULL;
    WSR_TRY(check_path(net, choices));
    WSR_TRY(wsr__net_build(out, &build));
out:
    return status;
}
