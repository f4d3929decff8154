// SPDX-License-Identifier: Apache-2.0
//
// Options and random numbers of colour jitter, as torchvision's ColorJitter: a
// factor is drawn uniformly from [max(0, 1 - x), 1 + x], the hue from [-x, x]
// of a full turn, and the order uniformly from all.

#include "augment/jitter.h"

#include <math.h>

const wsr__option wsr__jitter_schema[] = {
    {.key = "brightness",
     .kind = WSR__FLOAT,
     .offset = offsetof(wsr__jitter, brightness),
     .fallback = "0",
     .min = 0,
     .max = 100,
     .unit = "",
     .help = "largest change of the factor of brightness"},
    {.key = "contrast",
     .kind = WSR__FLOAT,
     .offset = offsetof(wsr__jitter, contrast),
     .fallback = "0",
     .min = 0,
     .max = 100,
     .unit = "",
     .help = "largest change of the factor of contrast"},
    {.key = "saturation",
     .kind = WSR__FLOAT,
     .offset = offsetof(wsr__jitter, saturation),
     .fallback = "0",
     .min = 0,
     .max = 100,
     .unit = "",
     .help = "largest change of the factor of saturation"},
    {.key = "hue",
     .kind = WSR__FLOAT,
     .offset = offsetof(wsr__jitter, hue),
     .fallback = "0",
     .min = 0,
     .max = 0.5,
     .unit = "turns",
     .help = "largest turn of the hue"},
    {.key = "p",
     .kind = WSR__FLOAT,
     .offset = offsetof(wsr__jitter, p),
     .fallback = "1",
     .min = 0,
     .max = 1,
     .unit = "",
     .help = "probability of any change"},
    {0},
};

wsr__jitter_draw wsr__jitter_drawn(const wsr__jitter *jitter, wsr__rng *rng)
{
    const double ranges[WSR__JITTER_OPS] = {
        jitter->brightness, jitter->contrast, jitter->saturation, jitter->hue};
    const bool chosen = (double)wsr__rng_uniform(rng) < jitter->p;
    wsr__jitter_draw out = {.n = 0};
    uint32_t order[WSR__JITTER_OPS];
    double arguments[WSR__JITTER_OPS];
    wsr__rng_permutation(rng, order, WSR__JITTER_OPS);
    for (size_t k = 0; k < WSR__JITTER_OPS; k++) {
        const double none = k < WSR__JITTER_OPS - 1 ? 1 : 0; // factor or turn
        const double low = fmax(none - ranges[k], none - 1);
        const double high = none + ranges[k];
        arguments[k] = low + (high - low) * (double)wsr__rng_uniform(rng);
    }
    for (size_t i = 0; i < WSR__JITTER_OPS; i++) {
        if (chosen && ranges[order[i]] > 0) {
            out.op[out.n] = order[i];
            out.argument[out.n++] = arguments[order[i]];
        }
    }
    return out;
}
