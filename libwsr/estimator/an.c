// SPDX-License-Identifier: Apache-2.0
//
// The adversarial noise estimator of the search, "Neural Architecture Search
// for Wide Evaluation Adversarial Robustness", AAAI 2023,
// doi:10.1609/aaai.v37i1.25118: noises as vectors, preprocessed by two
// convolutions over 100 channels. The mathematics is in vector.c.

#include "estimator/estimator.h"

static void build(wsr_value *dst, const wsr__estimator_graph *g)
{
    wsr__vector_build(dst, g, 100);
}

const wsr__estimator_class wsr__estimator_an = {
    .super = {.name = "an",
              .summary = "bidirectional cells over noises, and attention",
              .reference = "doi:10.1609/aaai.v37i1.25118",
              .schema = wsr__vector_schema,
              .params_size = sizeof(wsr__vector_options)},
    .build = build,
    .min_side = WSR__VECTOR_SIDE,
};
