// SPDX-License-Identifier: Apache-2.0
//
// The baseline of "Neural Architecture Search for Wide Evaluation Adversarial
// Robustness", AAAI 2023, doi:10.1609/aaai.v37i1.25118: the weighted average of
// the noises next to the target, with nothing learned.
//
//   dst = tau z / ||z||,   z = w_i u_i + w_j u_j
//
// It has the parameters of `an`. As released the noises pass the first two of
// its convolutions, which nobody trains, and dst = z: its norm is not tau, and
// zero out of range.

#include "estimator/estimator.h"

#include <stddef.h>

enum { FILTERS = 100 };

// Options of the family that concern attention have no meaning here.
typedef struct params {
    wsr__vector_options family;
    wsr__text average;
} params;

static const wsr__option schema[] = {
    WSR__ESTIMATOR_OPTIONS,
    WSR__QUIRK(params, average,
               "released: noises pass untrained convolutions, and the result "
               "does not get the target's norm"),
    {0},
};

static void build(wsr_value *dst, const wsr__estimator_graph *g)
{
    const params *const o = g->options;
    const bool released =
        wsr__is_released(&o->average, &o->family.common.fidelity);
    wsr_value v[WSR_ESTIMATOR_SOURCES] = {0};
    wsr__vector_build(dst, g, FILTERS); // all the parameters
    wsr__vector_noises(v, g, FILTERS);
    for (size_t t = 0; t < g->t; t++) {
        dst[t] = wsr__estimator_between(g, released ? v : g->noise, t);
        if (!released) {
            dst[t] = wsr__estimator_normalize(g, dst[t], t);
        }
    }
}

const wsr__estimator_class wsr__estimator_wa_ane = {
    .super = {.name = "wa_ane",
              .summary = "weighted average of the neighbouring noises",
              .reference = "doi:10.1609/aaai.v37i1.25118",
              .schema = schema,
              .params_size = sizeof(params)},
    .build = build,
    .min_side = WSR__VECTOR_SIDE,
};
