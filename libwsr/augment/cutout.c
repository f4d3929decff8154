// SPDX-License-Identifier: Apache-2.0
//
// Cutout (DeVries and Taylor 2017, arXiv:1708.04552) sets a square of `length`
// pixels to zero. Its centre is drawn uniformly from the image; the part of the
// square outside the image is lost, so the hole may be smaller at the borders.

#include "augment/augment.h"

#include <string.h>

typedef struct params {
    int64_t length; // pixels
} params;

static const wsr__option schema[] = {
    {.key = "length",
     .kind = WSR__INT,
     .offset = offsetof(params, length),
     .fallback = "16",
     .min = 0,
     .max = 4096,
     .unit = "pixels",
     .help = "side of the square that is zeroed"},
    {0},
};

static wsr_status infer(wsr__image *out, const void *options, wsr__image in)
{
    (void)options;
    *out = in;
    return WSR_OK;
}

// The part of [centre - length / 2, ... + length) inside [0, n).
static int64_t clip(int64_t *first, int64_t centre, int64_t length, int64_t n)
{
    const int64_t begin = centre - length / 2;
    const int64_t end = begin + length;
    *first = begin > 0 ? begin : 0;
    return (end < n ? end : n) - *first;
}

// The hole is at the same place in all channels.
static void apply(float *restrict dst, const float *restrict src, wsr__image in,
                  const void *options, wsr__rng *rng)
{
    const params *const p = options;
    const int64_t cy = wsr__rng_below(rng, (uint32_t)in.h);
    const int64_t cx = wsr__rng_below(rng, (uint32_t)in.w);
    int64_t y0;
    int64_t x0;
    const int64_t h = clip(&y0, cy, p->length, in.h);
    const int64_t w = clip(&x0, cx, p->length, in.w);
    memcpy(dst, src, sizeof(float) * (size_t)wsr__image_floats(in));
    for (int64_t c = 0; c < in.c; c++) {
        for (int64_t y = y0; y < y0 + h; y++) {
            memset(dst + (c * in.h + y) * in.w + x0, 0,
                   sizeof(float) * (size_t)w);
        }
    }
}

const wsr__augment_class wsr__augment_cutout = {
    .super = {.name = "cutout",
              .summary = "zero a square at a random place",
              .reference = "DeVries and Taylor 2017, arXiv:1708.04552",
              .schema = schema,
              .params_size = sizeof(params)},
    .infer = infer,
    .apply = apply,
};
