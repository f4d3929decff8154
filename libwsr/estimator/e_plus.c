// SPDX-License-Identifier: Apache-2.0
//
// The estimator of the search that found WsrNet-Plus, "Neural Architecture
// Search for Wide Evaluation Adversarial Robustness", AAAI 2023,
// doi:10.1609/aaai.v37i1.25118: noises as feature maps, with inverted residual
// blocks of 300 channels and batch norm in place of plain convolutions. The
// mathematics is in feature_map.c.
//
// As released the norms never use running statistics: an estimate depends on
// the batch and on the number of targets, and it moves the running statistics.

#include "cell/cell.h"
#include "estimator/estimator.h"

enum { WIDE = 300 };

static const wsr__option schema[] = {
    WSR__ESTIMATOR_OPTIONS,
    WSR__FEATURE_MAP_ATTENTION,
    WSR__QUIRK(wsr__feature_map_options, norms,
               "released: estimates use and move the statistics of the batch; "
               "intended: running ones"),
    {0},
};

// A layer's number in its network, which is a sequence of eleven, is its name.
static wsr_value norm(const wsr__estimator_graph *g, const char *name,
                      int number, wsr_value src)
{
    wsr__site site = {.graph = g->graph, .affine = true};
    (void)snprintf(site.prefix, sizeof(site.prefix), "%s.%d.", name, number);
    return wsr__build_norm(&site, src);
}

static wsr_value conv(const wsr__estimator_graph *g, const char *name,
                      int number, const wsr__estimator_conv *conv,
                      wsr_value src)
{
    char text[64];
    (void)snprintf(text, sizeof(text), "%s.%d", name, number);
    return wsr__estimator_conv2d(g, text, conv, src);
}

// Norm, 3 x 3 to 300 channels, relu; 1 x 1 to m channels, norm, relu6;
// depthwise 3 x 3, norm, relu6; 1 x 1, norm.
static wsr_value block(const wsr__estimator_graph *g, const char *name,
                       wsr_value src, int64_t m, int64_t pad)
{
    const wsr__estimator_conv wide = {.m = WIDE,
                                      .kernel = {3, 3},
                                      .stride = {1, 1},
                                      .pad = pad,
                                      .bias = true};
    const wsr__estimator_conv pointwise = {
        .m = m, .kernel = {1, 1}, .stride = {1, 1}};
    const wsr__estimator_conv depthwise = {.m = m,
                                           .kernel = {3, 3},
                                           .stride = {1, 1},
                                           .pad = pad,
                                           .depthwise = true};
    wsr_value x = norm(g, name, 0, src);
    x = wsr__op1(g->graph, "relu", NULL, conv(g, name, 1, &wide, x));
    x = norm(g, name, 4, conv(g, name, 3, &pointwise, x));
    x = wsr__op1(g->graph, "relu6", NULL, x);
    x = norm(g, name, 7, conv(g, name, 6, &depthwise, x));
    x = wsr__op1(g->graph, "relu6", NULL, x);
    return norm(g, name, 10, conv(g, name, 9, &pointwise, x));
}

static void build(wsr_value *dst, const wsr__estimator_graph *g)
{
    wsr__feature_map_build(dst, g, block);
}

static bool batch_stats(const void *options)
{
    const wsr__feature_map_options *const o = options;
    return wsr__is_released(&o->norms, &o->common.fidelity);
}

const wsr__estimator_class wsr__estimator_e_plus = {
    .super = {.name = "e_plus",
              .summary = "inverted residual blocks over noises as maps, and "
                         "attention",
              .reference = "doi:10.1609/aaai.v37i1.25118",
              .schema = schema,
              .params_size = sizeof(wsr__feature_map_options)},
    .build = build,
    .weigh = wsr__feature_map_weigh,
    .init = wsr__feature_map_init,
    .batch_stats = batch_stats,
    .min_side = WSR__FEATURE_MAP_SIDE,
};
