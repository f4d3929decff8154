// SPDX-License-Identifier: Apache-2.0
//
// Grayscale: with probability p all channels become the luma, as torchvision's
// RandomGrayscale on Pillow images. Grey images stay as they are.

#include "augment/image_ops.h"

typedef struct params {
    double p; // probability
} params;

static const wsr__option schema[] = {
    {.key = "p",
     .kind = WSR__FLOAT,
     .offset = offsetof(params, p),
     .fallback = "0.1",
     .min = 0,
     .max = 1,
     .unit = "",
     .help = "probability of removing the colour"},
    {0},
};

static wsr_status infer(wsr__image *out, const void *options, wsr__image in)
{
    (void)options;
    return wsr__image_infer(out, in, "grayscale");
}

static wsr_status apply_bytes(wsr__bitmap *image, const void *options,
                              wsr__rng *rng)
{
    const params *const p = options;
    if (!((double)wsr__rng_uniform(rng) < p->p)) {
        return WSR_OK;
    }
    return wsr__image_grayscale(image, 0, NULL);
}

const wsr__augment_class wsr__augment_grayscale = {
    .super = {.name = "grayscale",
              .summary = "remove the colour with probability `p`",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(params)},
    .infer = infer,
    .apply_bytes = apply_bytes,
};
