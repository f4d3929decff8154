// SPDX-License-Identifier: Apache-2.0
//
// The graph of a network: the image is normalised, the kind builds its body,
// and what comes out of that are the logits.

#include "net/net.h"

// Images as the body reads them: callers, attacks and augmentation stay in
// [0, 1], whatever a network was trained on.
static wsr_value normalized(const wsr__site *site, const wsr_net *net,
                            wsr_value x)
{
    const wsr__normalize *const p = &net->options->normalize;
    return wsr__normalize_given(p)
               ? wsr__op1_of(site->graph, &wsr__op_normalize, p, x)
               : x;
}

// A pool of a fixed side leaves out the right and lower edge of an image that
// is a little larger; a smaller one, which it would not fit, is taken as a
// whole.
wsr_value wsr__build_last_pool(const wsr__site *site, int64_t side, wsr_value x)
{
    if (side != 0 && wsr__site_size(site, x, 2) > side) {
        const wsr__pool2d window = wsr__pool2d_square(side, side, 0);
        x = wsr__op1_of(site->graph, &wsr__op_avg_pool, &window, x);
    }
    return wsr__op1(site->graph, "global_avg_pool", NULL, x);
}

wsr_value wsr__build_stage(const wsr__build *build, wsr_value x, wsr_value y)
{
    const wsr__beside *const beside = build->beside;
    return beside != NULL ? beside->stage(beside->ctx, x, y) : y;
}

wsr_value wsr__net_body(const wsr__build *build, const wsr__site *site,
                        wsr_value x)
{
    const wsr__net_class *const cls = build->net->cls;
    return cls->body != NULL ? cls->body(build, site, x)
                             : wsr__cells_body(build, site, x);
}

wsr_status wsr__net_build(wsr_graph **out, const wsr__build *build)
{
    wsr_status status = WSR_OK;
    const wsr_net *const net = build->net;
    wsr_graph *graph = NULL;
    *out = NULL;
    WSR_TRY(wsr_graph_new(&graph, net->params));
    const wsr__site site = {.graph = graph, .stride = 1, .affine = true};
    const wsr_value x = normalized(
        &site, net,
        wsr__input(graph, "x",
                   build->image != NULL ? *build->image : net->image));
    wsr__set_output(graph, "logits", wsr__net_body(build, &site, x));
    WSR_TRY(wsr__graph_status(graph));
    *out = graph;
    graph = NULL;
out:
    wsr_graph_free(graph);
    return status;
}
