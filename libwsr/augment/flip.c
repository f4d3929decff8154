// SPDX-License-Identifier: Apache-2.0
//
// Horizontal flip: mirror left and right with probability p. As in
// torchvision's RandomHorizontalFlip.

#include "augment/augment.h"

#include <string.h>

typedef struct params {
    double p; // probability
} params;

static const wsr__option schema[] = {
    {.key = "p",
     .kind = WSR__FLOAT,
     .offset = offsetof(params, p),
     .fallback = "0.5",
     .min = 0,
     .max = 1,
     .unit = "",
     .help = "probability of mirroring"},
    {0},
};

static wsr_status infer(wsr__image *out, const void *options, wsr__image in)
{
    (void)options;
    *out = in;
    return WSR_OK;
}

// One number is drawn whatever p is, so p does not shift the numbers that later
// augmentations draw.
static bool draw(const params *p, wsr__rng *rng)
{
    return (double)wsr__rng_uniform(rng) < p->p;
}

// Channels are mirrored alike: a row is a row of one channel.
static void apply(float *restrict dst, const float *restrict src, wsr__image in,
                  const void *options, wsr__rng *rng)
{
    const params *const p = options;
    const int64_t rows = in.c * in.h;
    if (!draw(p, rng)) {
        memcpy(dst, src, sizeof(float) * (size_t)(rows * in.w));
        return;
    }
    for (int64_t y = 0; y < rows; y++) {
        float *const to = dst + y * in.w;
        const float *const from = src + y * in.w;
        for (int64_t x = 0; x < in.w; x++) {
            to[x] = from[in.w - 1 - x];
        }
    }
}

static wsr_status apply_bytes(wsr__bitmap *image, const void *options,
                              wsr__rng *rng)
{
    const params *const p = options;
    const wsr__image in = image->shape;
    if (!draw(p, rng)) {
        return WSR_OK;
    }
    for (int64_t y = 0; y < in.c * in.h; y++) {
        unsigned char *const row = image->bytes + y * in.w;
        for (int64_t x = 0; x < in.w / 2; x++) {
            const unsigned char left = row[x];
            row[x] = row[in.w - 1 - x];
            row[in.w - 1 - x] = left;
        }
    }
    return WSR_OK;
}

const wsr__augment_class wsr__augment_flip = {
    .super = {.name = "flip",
              .summary = "mirror left and right with probability `p`",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(params)},
    .infer = infer,
    .apply = apply,
    .apply_bytes = apply_bytes,
};
