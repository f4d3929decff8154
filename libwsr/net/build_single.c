// SPDX-License-Identifier: Apache-2.0
//
// Networks of a single space, as those of NAS-Bench-201 (Dong and Yang 2020,
// arXiv:2001.00326): a stem, cells that all have one source and the
// architecture of the one cell, in place of those a third and two thirds of the
// way down a residual block that halves the image and doubles the width, a norm
// and a ReLU, and the classifier. 17 cells of 16 channels are the network of
// the benchmark.
//
// A cell's result is its last node. Names are those of the benchmark's code:
// layers.N of edge N in networks of a genotype, edges.I<-J.K of candidate K on
// the edge from state J to I in supernets.

#include "net/net.h"

typedef struct chain {
    const wsr__build *build;
    const wsr__space_class *space;
    wsr__site site; // of the whole network, the current width
    wsr_value last;
} chain;

const wsr__space_class *wsr__net_single(const wsr_net *net)
{
    const wsr__space_class *const space = wsr__supernet_space(net);
    const wsr_genotype *const genotype = space == NULL ? wsr_net_genotype(net)
                                                       : NULL;
    if (space != NULL) {
        return space->single ? space : NULL;
    }
    return genotype != NULL ? wsr__genotype_single(genotype) : NULL;
}

wsr_status wsr__net_check_single(const wsr_net *net)
{
    const wsr__cells_options *const o = wsr__net_cells_options(net);
    if (wsr__net_single(net) == NULL) {
        return WSR_OK;
    }
    if (net->stem->second != NULL) {
        return WSR_FAIL(WSR_CONFIG,
                        "stem: %s gives two sources, cells of the space %s "
                        "have one; permitted are cifar and int",
                        net->stem->name, wsr__net_single(net)->super.name);
    }
    if (o->layers < 3) {
        return WSR_FAIL(WSR_CONFIG,
                        "layers: %lld leave no cell beside the residual "
                        "blocks, at least 3 do",
                        (long long)o->layers);
    }
    if (o->auxiliary || o->drop_path > 0) {
        return WSR_FAIL(WSR_CONFIG,
                        "auxiliary and drop_path are not there for cells of "
                        "the space %s",
                        wsr__net_single(net)->super.name);
    }
    return WSR_OK;
}

// ------------------------------------------------------------------- cells

// What stands on an edge: its operation in a network of a genotype, a candidate
// in a supernet.
static void add_operation(wsr__cell *cell, const char *op, const char *name,
                          size_t state, size_t number)
{
    const wsr__build *const build = cell->build;
    char factor[WSR__SITE_NAME];
    wsr__edge edge = {
        .state = state, .number = number, .name = name, .weight = 1};
    if (build->open) {
        wsr__edge_weight_name(factor, cell->number, number);
        edge.factor = factor;
    }
    if (build->weights != NULL) {
        edge.weight = build->weights[number];
    }
    const wsr_status status = wsr__cell_find(&edge.cls, op);
    if (status != WSR_OK) {
        wsr__site_fail(&cell->site, status, "operation is unknown");
        return;
    }
    wsr__cell_edge(cell, &edge);
}

static void add_edge(const chain *c, wsr__cell *cell, size_t state,
                     size_t number)
{
    const wsr__build *const build = c->build;
    const wsr_genotype *const genotype = wsr_net_genotype(build->net);
    char name[64];
    if (genotype != NULL) {
        (void)snprintf(name, sizeof(name), "layers.%zu.", number);
        add_operation(cell,
                      wsr_genotype_op(genotype, WSR_GENOTYPE_NORMAL, number),
                      name, state, number);
        return;
    }
    for (size_t k = 0; k < c->space->n_primitives; k++) {
        if (build->all || build->choices[number] == k) {
            (void)snprintf(name, sizeof(name), "edges.%zu<-%zu.%zu.",
                           cell->n_states, state, k);
            add_operation(cell, c->space->primitives[k], name, state, number);
        }
    }
}

static wsr_value build_cell(const chain *c, size_t index)
{
    wsr__cell cell = {.build = c->build, .number = index, .n_states = 1};
    size_t number = 0;
    cell.site = wsr__site_below(&c->site, "cells.%zu.", index);
    cell.site.affine = c->build->net->cls->affine;
    cell.states[0] = c->last;
    for (size_t node = 0; node < c->space->nodes; node++) {
        for (size_t state = 0; state <= node; state++, number++) {
            add_edge(c, &cell, state, number);
        }
        wsr__cell_node(&cell);
    }
    return cell.states[c->space->nodes];
}

// Twice ReLU, 3x3 convolution, norm; beside them a 2x2 pool and a 1x1
// convolution.
static wsr_value build_reduction(const chain *c, size_t index)
{
    static const wsr__layer first[] = {WSR__RELU, WSR__CONV(3, 2, 2), WSR__NORM,
                                       WSR__LAYERS_END};
    static const wsr__layer second[] = {WSR__RELU, WSR__CONV(3, 1, 2),
                                        WSR__NORM, WSR__LAYERS_END};
    static const wsr__layer beside[] = {
        {WSR__ROW(WSR__LAYER_AVG_POOL, 2, 2, 1), .valid = true},
        WSR__CONV(1, 1, 2),
        WSR__LAYERS_END};
    const wsr__site cell = wsr__site_below(&c->site, "cells.%zu.", index);
    const wsr__site a = wsr__site_below(&cell, "conv_a.op.");
    const wsr__site b = wsr__site_below(&cell, "conv_b.op.");
    const wsr__site short_cut = wsr__site_below(&cell, "downsample.");
    const wsr_status before = cell.graph->status;
    const wsr_value y =
        wsr__build_layers(&b, second, wsr__build_layers(&a, first, c->last));
    const wsr_value sum =
        wsr__op2(cell.graph, "add", NULL,
                 wsr__build_layers(&short_cut, beside, c->last), y);
    wsr__site_blame(&cell, before);
    return sum;
}

static void build_cells(chain *c)
{
    const size_t layers = wsr__net_layers(c->build->net);
    for (size_t i = 0; i < layers; i++) {
        const bool reduces = i == layers / 3 || i == 2 * layers / 3;
        c->site.channels *= reduces ? 2 : 1;
        c->last = wsr__build_stage(c->build, c->last,
                                   reduces ? build_reduction(c, i)
                                           : build_cell(c, i));
    }
}

// The stem has the width of the first cell, not three times as much.
wsr_value wsr__single_body(const wsr__build *build, const wsr__site *site,
                           const wsr__space_class *space, wsr_value x)
{
    static const wsr__layer last[] = {WSR__NORM, WSR__RELU, WSR__LAYERS_END};
    const wsr_net *const net = build->net;
    chain c = {.build = build, .space = space, .site = *site};
    c.site.channels = wsr__net_cells_options(net)->channels;
    const wsr__site stem = wsr__site_below(&c.site, "stem.");
    const wsr__layer first[] = {WSR__CONV(3, net->stem->first[0].stride[0], 2),
                                WSR__NORM, WSR__LAYERS_END};
    c.last = wsr__build_layers(&stem, first, x);
    build_cells(&c);
    const wsr__site head = wsr__site_below(&c.site, "lastact.");
    c.last = wsr__build_layers(&head, last, c.last);
    return wsr__build_classifier(&c.site,
                                 wsr__build_last_pool(&c.site, 0, c.last), net);
}
