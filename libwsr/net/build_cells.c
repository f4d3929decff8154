// SPDX-License-Identifier: Apache-2.0
//
// A network of cells from the image to the logits: stem, cells, and classifiers
// on the mean of the last cell's output and, in training, on that of the second
// reduction cell. The cells a third and two thirds of the way down halve the
// image and double the width.

#include "net/net.h"

typedef struct chain {
    const wsr__build *build;
    wsr__site site;   // of the whole network: no prefix, the current width
    wsr_value before; // output of the cell before the last one
    wsr_value last;   // output of the last cell
    bool halved;      // between these two
    wsr_value middle; // output of the second reduction cell
} chain;

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
    const wsr_value y =
        wsr__build_stage(c->build, c->last, net->cls->inside(&cell));
    c->before = c->last;
    c->last = y;
    c->halved = reduce;
}

static void build_cells(chain *c)
{
    const size_t layers = wsr__net_layers(c->build->net);
    for (size_t i = 0; i < layers; i++) {
        const bool second = i == 2 * layers / 3;
        build_cell(c, i, i == layers / 3 || second);
        if (second) {
            c->middle = c->last;
        }
    }
}

wsr_value wsr__build_classifier(const wsr__site *site, wsr_value features,
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
    wsr__set_output(head.graph, "aux", wsr__build_classifier(&head, x, net));
}

wsr_value wsr__cells_body(const wsr__build *build, const wsr__site *site,
                          wsr_value x)
{
    const wsr_net *const net = build->net;
    const wsr__cells_options *const options = wsr__net_cells_options(net);
    const wsr__space_class *const single = wsr__net_single(net);
    if (single != NULL) {
        return wsr__single_body(build, site, single, x);
    }
    chain c = {.build = build, .site = *site};
    c.site.channels = options->channels;
    build_stem(&c, x);
    build_cells(&c);
    if (options->auxiliary && (build->all || build->training)) {
        build_auxiliary(&c);
    }
    const int64_t side = net->cls->adaptive ? 0 : net->stem->pool;
    return wsr__build_classifier(
        &c.site, wsr__build_last_pool(&c.site, side, c.last), net);
}
