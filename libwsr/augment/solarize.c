// SPDX-License-Identifier: Apache-2.0
//
// Solarization: values from a threshold on are inverted with probability p, as
// torchvision's RandomSolarize on Pillow images.

#include "augment/image_ops.h"

typedef struct params {
    double threshold;
    double p;
} params;

static const wsr__option schema[] = {
    {.key = "threshold",
     .kind = WSR__FLOAT,
     .offset = offsetof(params, threshold),
     .fallback = "128",
     .min = 0,
     .max = 256,
     .unit = "",
     .help = "least byte that is inverted"},
    {.key = "p",
     .kind = WSR__FLOAT,
     .offset = offsetof(params, p),
     .fallback = "0.5",
     .min = 0,
     .max = 1,
     .unit = "",
     .help = "probability of solarization"},
    {0},
};

// Any number of channels: each value is mapped on its own.
static wsr_status infer(wsr__image *out, const void *options, wsr__image in)
{
    (void)options;
    *out = in;
    return WSR_OK;
}

static wsr_status apply_bytes(wsr__bitmap *image, const void *options,
                              wsr__rng *rng)
{
    const params *const p = options;
    if (!((double)wsr__rng_uniform(rng) < p->p)) {
        return WSR_OK;
    }
    return wsr__image_solarize(image, p->threshold, NULL);
}

const wsr__augment_class wsr__augment_solarize = {
    .super = {.name = "solarize",
              .summary = "invert values from a threshold on",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(params)},
    .infer = infer,
    .apply_bytes = apply_bytes,
};
