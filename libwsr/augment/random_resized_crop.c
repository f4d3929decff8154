// SPDX-License-Identifier: Apache-2.0
//
// Cuts a rectangle of random area and aspect ratio at a random place and
// resizes it, as torchvision's RandomResizedCrop (Szegedy et al. 2015,
// arXiv:1409.4842): the area is a uniform share of the image's, the logarithm
// of the ratio width / height is uniform. Ten rectangles are tried; if none
// fits into the image, the largest centred one of a permitted ratio is taken.

#include "augment/augment.h"

#include <math.h>

enum { TRIES = 10 };

typedef struct params {
    wsr__ints size; // height and width once bound
    wsr__floats scale;
    wsr__floats ratio;
    wsr__text interpolation;
} params;

static const wsr__option schema[] = {
    WSR__SIZE_OPTION(offsetof(params, size),
                     "side or [height, width] of the result, 0: the size of "
                     "the data"),
    {.key = "scale",
     .kind = WSR__FLOATS,
     .offset = offsetof(params, scale),
     .fallback = "[0.08,1]",
     .min = 1e-6,
     .max = 1,
     .unit = "",
     .help = "least and greatest share of the image's area"},
    {.key = "ratio",
     .kind = WSR__FLOATS,
     .offset = offsetof(params, ratio),
     .fallback = "[3/4,4/3]",
     .min = 1e-3,
     .max = 1e3,
     .unit = "",
     .help = "least and greatest width / height"},
    WSR__INTERPOLATION_OPTION(offsetof(params, interpolation)),
    {0},
};

static void bind(void *options, const wsr__view *view)
{
    params *const p = options;
    wsr__size_bind(&p->size, view);
}

static wsr_status check_range(const wsr__floats *range, const char *name)
{
    if (range->n != 2 || range->v[0] > range->v[1]) {
        return WSR_FAIL(WSR_CONFIG,
                        "random_resized_crop.%s: is not [least, greatest]",
                        name);
    }
    return WSR_OK;
}

static wsr_status infer(wsr__image *out, const void *options, wsr__image in)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    WSR_TRY(wsr__size_check(&p->size, "random_resized_crop"));
    WSR_TRY(check_range(&p->scale, "scale"));
    WSR_TRY(check_range(&p->ratio, "ratio"));
    *out = (wsr__image){in.c, p->size.v[0], p->size.v[1]};
out:
    return status;
}

static double draw(wsr__rng *rng, double least, double greatest)
{
    return least + (greatest - least) * (double)wsr__rng_uniform(rng);
}

// What is left of the image at the ratio that is nearest to its own.
static wsr__window fallback(const params *p, wsr__image in)
{
    const double own = (double)in.w / (double)in.h;
    wsr__window out = {0, 0, in.h, in.w};
    if (own < p->ratio.v[0]) {
        out.h = (int64_t)nearbyint((double)in.w / p->ratio.v[0]);
    } else if (own > p->ratio.v[1]) {
        out.w = (int64_t)nearbyint((double)in.h * p->ratio.v[1]);
    }
    out.h = out.h < 1 ? 1 : out.h;
    out.w = out.w < 1 ? 1 : out.w;
    out.top = (in.h - out.h) / 2;
    out.left = (in.w - out.w) / 2;
    return out;
}

// Sides are rounded to the nearest, halves to even, as Python's round().
static wsr_status window(wsr__window *out, const void *options, wsr__image in,
                         wsr__rng *rng)
{
    const params *const p = options;
    const double area = (double)in.h * (double)in.w;
    const double low = log(p->ratio.v[0]);
    const double high = log(p->ratio.v[1]);
    for (int i = 0; i < TRIES; i++) {
        const double target = area * draw(rng, p->scale.v[0], p->scale.v[1]);
        const double ratio = exp(draw(rng, low, high));
        out->w = (int64_t)nearbyint(sqrt(target * ratio));
        out->h = (int64_t)nearbyint(sqrt(target / ratio));
        if (out->w > 0 && out->w <= in.w && out->h > 0 && out->h <= in.h) {
            out->top = wsr__rng_below(rng, (uint32_t)(in.h - out->h + 1));
            out->left = wsr__rng_below(rng, (uint32_t)(in.w - out->w + 1));
            return WSR_OK;
        }
    }
    *out = fallback(p, in);
    return WSR_OK;
}

// The image is the window.
static wsr_status apply_bytes(wsr__bitmap *image, const void *options,
                              wsr__rng *rng)
{
    const params *const p = options;
    (void)rng;
    return wsr__bitmap_resize(image, p->size.v[0], p->size.v[1],
                              wsr__filter_of(&p->interpolation));
}

const wsr__augment_class wsr__augment_random_resized_crop = {
    .super = {.name = "random_resized_crop",
              .summary = "cut a random rectangle and resize it",
              .reference = "Szegedy et al. 2015, arXiv:1409.4842",
              .schema = schema,
              .params_size = sizeof(params)},
    .infer = infer,
    .apply_bytes = apply_bytes,
    .window = window,
    .bind = bind,
};
