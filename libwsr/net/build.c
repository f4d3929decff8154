// SPDX-License-Identifier: Apache-2.0
//
// A network from the image to the logits: stem, cell, and classifiers on the
// mean of the last cell's output and, in training, on that of the second
// reduction cell. The cells a third and two thirds of the way down halve the
// image and double the width.

#include "net/net.h"
#include "op/pool.h"

typedef struct chain {
    const wsr__build *build;
    wsr__site site;   // of the whole network: no prefix, the current width
    wsr_value before; // output of the cell before the last one
    wsr_value last;   // output of the last cell
    bool halved;      // between these two
    wsr_value middle; // output of the second reduction cell
} chain;

// Images as the stem reads them: callers, attacks and augmentation stay in
// [0, 1], whatever a network was trained on.
static wsr_value normalized(const chain *c, wsr_value x)
{
    const wsr__normalize *const p = &c->build->net->options->normalize;
    return wsr__normalize_given(p)
               ? wsr__op1_of(c->site.graph, &wsr__op_normalize, p, x)
               : x;
}

static void build_stem(chain *c, wsr_value x)
{
    const wsr__stem *const stem = c->build->net->stem;
    const bool two = stem->second != NULL;
    const wsr__site first = wsr__site_below(&c->site, two ? "stem0." : "stem.");
    const wsr__site second = wsr__site_below(&c->site, "stem1.");
    c->before = wsr__build_layers(&first, stem->first, x);
    c->last = two ? wsr__build_layers(&second, stem->second, c->before)
                  : c->before;
    c->halved = stem->halves;
}

static void build_cell(chain *c, size_t number, bool reduce)
{
    const wsr_net *const net = c->build->net;
    wsr__cell cell = {.build = c->build, .number = number, .reduce = reduce};
    c->site.channels *= reduce ? 2 : 1;
    cell.site = wsr__site_below(&c->site, "cells.%zu.", number);
    cell.site.affine = net->cls->affine;
    const wsr__site pre0 = wsr__site_below(&cell.site, "preprocess0.");
    const wsr__site pre1 = wsr__site_below(&cell.site, "preprocess1.");
    wsr_status before = c->site.graph->status;
    cell.states[0] = c->halved ? wsr__build_factorized_reduce(&pre0, c->before)
                               : wsr__build_relu_conv_norm(&pre0, c->before);
    wsr__site_blame(&pre0, before);
    before = c->site.graph->status;
    cell.states[1] = wsr__build_relu_conv_norm(&pre1, c->last);
    wsr__site_blame(&pre1, before);
    cell.n_states = 2;
    const wsr_value y = net->cls->inside(&cell);
    c->before = c->last;
    c->last = y;
    c->halved = reduce;
}

static void build_cells(chain *c)
{
    const size_t layers = (size_t)c->build->net->options->layers;
    for (size_t i = 0; i < layers; i++) {
        const bool second = i == 2 * layers / 3;
        build_cell(c, i, i == layers / 3 || second);
        if (second) {
            c->middle = c->last;
        }
    }
}

static wsr_value classify(const wsr__site *site, wsr_value features,
                          const wsr_net *net)
{
    wsr__site at = wsr__site_below(site, "classifier.");
    at.channels = net->options->classes;
    return wsr__build_linear(&at, features);
}

static void build_auxiliary(const chain *c)
{
    const wsr_net *const net = c->build->net;
    const wsr__site head = wsr__site_below(&c->site, "auxiliary_head.");
    const wsr__site features = wsr__site_below(&head, "features.");
    const wsr_status before = head.graph->status;
    wsr_value x = wsr__build_layers(&features, net->stem->auxiliary, c->middle);
    x = wsr__op1(head.graph, "global_avg_pool", NULL, x);
    wsr__site_blame(&head, before);
    wsr__set_output(head.graph, "aux", classify(&head, x, net));
}

// The last pool of some stems has a fixed side and so leaves out the right and
// lower edge of an image that is a little larger; a smaller one, which it
// would not fit, is taken as a whole.
static wsr_value pool(const chain *c)
{
    const wsr_net *const net = c->build->net;
    const int64_t k = net->cls->adaptive ? 0 : net->stem->pool;
    wsr_value x = c->last;
    if (k != 0 && wsr__site_size(&c->site, x, 2) > k) {
        const wsr__pool2d window = {.kernel = k, .stride = k};
        x = wsr__op1_of(c->site.graph, &wsr__op_avg_pool, &window, x);
    }
    return wsr__op1(c->site.graph, "global_avg_pool", NULL, x);
}

wsr_status wsr__net_build(wsr_graph **out, const wsr__build *build)
{
    wsr_status status = WSR_OK;
    const wsr_net *const net = build->net;
    wsr_graph *graph = NULL;
    *out = NULL;
    WSR_TRY(wsr_graph_new(&graph, net->params));
    chain c = {.build = build,
               .site = {.graph = graph,
                        .channels = net->options->channels,
                        .stride = 1,
                        .affine = true}};
    build_stem(&c, normalized(&c, wsr__input(graph, "x", net->image)));
    build_cells(&c);
    if (net->options->auxiliary && (build->all || build->training)) {
        build_auxiliary(&c);
    }
    wsr__set_output(graph, "logits", classify(&c.site, pool(&c), net));
    WSR_TRY(wsr__graph_status(graph));
    *out = graph;
    graph = NULL;
out:
    wsr_graph_free(graph);
    return status;
}
