// SPDX-License-Identifier: Apache-2.0
//
// `an` with a smaller preprocessing of the noises, one convolution of the
// image's channels. "Neural Architecture Search for Wide Evaluation Adversarial
// Robustness", AAAI 2023, doi:10.1609/aaai.v37i1.25118. The mathematics is in
// vector.c.

#include "estimator/estimator.h"

static void build(wsr_value *dst, const wsr__estimator_graph *g)
{
    wsr__vector_build(dst, g, 0);
}

const wsr__estimator_class wsr__estimator_a_ane = {
    .super = {.name = "a_ane",
              .summary = "as an, with one small convolution before it",
              .reference = "doi:10.1609/aaai.v37i1.25118",
              .schema = wsr__vector_schema,
              .params_size = sizeof(wsr__vector_options)},
    .build = build,
    .min_side = WSR__VECTOR_SIDE,
};
