// SPDX-License-Identifier: Apache-2.0
//
// Noises as feature maps: a convolution to 100 channels and one back in each
// network, without batch norm. "Neural Architecture Search for Wide Evaluation
// Adversarial Robustness", AAAI 2023, doi:10.1609/aaai.v37i1.25118. The
// mathematics is in feature_map.c.

#include "estimator/estimator.h"

static const wsr__option schema[] = {
    WSR__ESTIMATOR_OPTIONS, WSR__FEATURE_MAP_ATTENTION, {0}};

static void build(wsr_value *dst, const wsr__estimator_graph *g)
{
    wsr__feature_map_build(dst, g, wsr__feature_map_plain);
}

const wsr__estimator_class wsr__estimator_e_ane = {
    .super = {.name = "e_ane",
              .summary = "convolutions over noises as maps, and attention",
              .reference = "doi:10.1609/aaai.v37i1.25118",
              .schema = schema,
              .params_size = sizeof(wsr__feature_map_options)},
    .build = build,
    .weigh = wsr__feature_map_weigh,
    .init = wsr__feature_map_init,
    .min_side = WSR__FEATURE_MAP_SIDE,
};
