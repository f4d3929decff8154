// SPDX-License-Identifier: Apache-2.0
//
// Padding: a frame of `pixels` pixels holding `value` around the image, e.g.
// 28x28 to 32x32 with pixels=2. Not random.

#include "augment/augment.h"

typedef struct params {
    int64_t pixels;
    double value;
} params;

static const wsr__option schema[] = {
    {.key = "pixels",
     .kind = WSR__INT,
     .offset = offsetof(params, pixels),
     .fallback = "2",
     .min = 0,
     .max = 4096,
     .unit = "pixels",
     .help = "width of the frame"},
    {.key = "value",
     .kind = WSR__FLOAT,
     .offset = offsetof(params, value),
     .fallback = "0",
     .min = 0,
     .max = 1,
     .unit = "",
     .help = "what the frame holds"},
    {0},
};

// (c, h, w) becomes (c, h + 2 pixels, w + 2 pixels). The pipeline checks that
// the result is not too large.
static wsr_status infer(wsr__image *out, const void *options, wsr__image in)
{
    const params *const p = options;
    *out = (wsr__image){in.c, in.h + 2 * p->pixels, in.w + 2 * p->pixels};
    return WSR_OK;
}

// dst has the shape that infer() gave.
static void apply(float *restrict dst, const float *restrict src, wsr__image in,
                  const void *options, wsr__rng *rng)
{
    const params *const p = options;
    const wsr__image out = {in.c, in.h + 2 * p->pixels, in.w + 2 * p->pixels};
    (void)rng;
    wsr__image_centre(dst, out, src, in, (float)p->value);
}

const wsr__augment_class wsr__augment_pad = {
    .super = {.name = "pad",
              .summary = "put a frame around the image",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(params)},
    .infer = infer,
    .apply = apply,
};
