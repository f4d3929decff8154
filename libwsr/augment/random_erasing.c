// SPDX-License-Identifier: Apache-2.0
//
// Random erasing (Zhong et al. 2020, arXiv:1708.04896) overwrites one
// rectangle. Its share of the area is uniform in `scale`, the logarithm of its
// height to width uniform in that of `ratio`, its corner uniform; ten tries to
// draw one that is smaller than the image in both directions. As in timm and
// torchvision.
//
// There the noise is added to normalised images. Here a network normalises what
// it is given, so the noise N(0, 1) becomes mean + std N(0, 1): with the mean
// and std of the network, the network sees the same. It may lie outside [0, 1].

#include "augment/augment.h"
#include "augment/range.h"

#include <math.h>
#include <string.h>

enum { TRIES = 10 };

typedef struct params {
    double p;
    wsr__floats scale;
    wsr__floats ratio;
    wsr__text mode;
    wsr__floats mean;
    wsr__floats std;
} params;

static const char *const modes[] = {"zero", "channel", "pixel", NULL};

static const wsr__option schema[] = {
    {.key = "p",
     .kind = WSR__FLOAT,
     .offset = offsetof(params, p),
     .fallback = "0.5",
     .min = 0,
     .max = 1,
     .unit = "",
     .help = "probability of erasing"},
    {.key = "scale",
     .kind = WSR__FLOATS,
     .offset = offsetof(params, scale),
     .fallback = "[0.02, 1/3]",
     .min = 0,
     .max = 1,
     .unit = "",
     .help = "range of the share of the area, or one value"},
    {.key = "ratio",
     .kind = WSR__FLOATS,
     .offset = offsetof(params, ratio),
     .fallback = "[0.3, 10/3]",
     .min = 1e-3,
     .max = 1e3,
     .unit = "",
     .help = "range of height to width, or one value"},
    {.key = "mode",
     .kind = WSR__WORD,
     .offset = offsetof(params, mode),
     .fallback = "zero",
     .unit = "",
     .help = "the mean, or normal noise for each channel or each pixel",
     .words = modes},
    {.key = "mean",
     .kind = WSR__FLOATS,
     .offset = offsetof(params, mean),
     .fallback = "[0]",
     .min = -1e3,
     .max = 1e3,
     .unit = "",
     .help = "mean of the noise, for each channel or for all"},
    {.key = "std",
     .kind = WSR__FLOATS,
     .offset = offsetof(params, std),
     .fallback = "[1]",
     .min = 0,
     .max = 1e3,
     .unit = "",
     .help = "deviation of the noise, for each channel or for all"},
    {0},
};

static wsr_status check_channels(const wsr__floats *list, int64_t channels,
                                 const char *key)
{
    if (list->n == 1 || (int64_t)list->n == channels) {
        return WSR_OK;
    }
    return WSR_FAIL(WSR_CONFIG,
                    "augment.random_erasing.%s: %zu values for images of %lld "
                    "channels, permitted are one for each and one for all",
                    key, list->n, (long long)channels);
}

static wsr_status infer(wsr__image *out, const void *options, wsr__image in)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    WSR_TRY(wsr__range_check(&p->scale, "random_erasing.scale"));
    WSR_TRY(wsr__range_check(&p->ratio, "random_erasing.ratio"));
    WSR_TRY(check_channels(&p->mean, in.c, "mean"));
    WSR_TRY(check_channels(&p->std, in.c, "std"));
    *out = in;
out:
    return status;
}

// False when no try fits. Every try draws its four numbers.
static bool draw_rectangle(wsr__window *out, const params *p, wsr__image in,
                           wsr__rng *rng)
{
    const double low = log(wsr__range_low(&p->ratio));
    const double high = log(wsr__range_high(&p->ratio));
    for (int k = 0; k < TRIES; k++) {
        const double area = wsr__range_draw(&p->scale, rng) *
                            (double)(in.h * in.w);
        const double share = (double)wsr__rng_uniform(rng);
        const double ratio = exp(low + (high - low) * share);
        out->h = (int64_t)nearbyint(sqrt(area * ratio));
        out->w = (int64_t)nearbyint(sqrt(area / ratio));
        if (out->h < in.h && out->w < in.w) {
            out->top = wsr__rng_below(rng, (uint32_t)(in.h - out->h + 1));
            out->left = wsr__rng_below(rng, (uint32_t)(in.w - out->w + 1));
            return true;
        }
    }
    return false;
}

static float for_channel(const wsr__floats *list, int64_t c)
{
    return (float)list->v[list->n == 1 ? 0 : c];
}

// A row of the hole: mean + std noise, where the noise is `colour` or, when it
// is NULL, drawn for each pixel.
static void erase_row(float *row, int64_t n, const params *p, int64_t c,
                      const float *colour, wsr__rng *rng)
{
    const float mean = for_channel(&p->mean, c);
    const float std = for_channel(&p->std, c);
    if (colour == NULL) {
        wsr__rng_normals(rng, row, (size_t)n);
    }
    for (int64_t x = 0; x < n; x++) {
        row[x] = mean + std * (colour != NULL ? *colour : row[x]);
    }
}

static void erase(float *dst, wsr__image in, const wsr__window *r,
                  const params *p, wsr__rng *rng)
{
    const bool each_pixel = wsr__streq(p->mode.s, "pixel");
    const bool each_channel = wsr__streq(p->mode.s, "channel");
    for (int64_t c = 0; c < in.c; c++) {
        const float colour = each_channel ? (float)wsr__rng_normal(rng) : 0;
        float *const corner = dst + (c * in.h + r->top) * in.w + r->left;
        for (int64_t y = 0; y < r->h; y++) {
            erase_row(corner + y * in.w, r->w, p, c,
                      each_pixel ? NULL : &colour, rng);
        }
    }
}

static void apply(float *restrict dst, const float *restrict src, wsr__image in,
                  const void *options, wsr__rng *rng)
{
    const params *const p = options;
    const bool chosen = (double)wsr__rng_uniform(rng) < p->p;
    wsr__window r;
    memcpy(dst, src, sizeof(float) * (size_t)wsr__image_floats(in));
    if (chosen && draw_rectangle(&r, p, in, rng)) {
        erase(dst, in, &r, p, rng);
    }
}

const wsr__augment_class wsr__augment_random_erasing = {
    .super = {.name = "random_erasing",
              .summary = "overwrite a random rectangle",
              .reference = "Zhong et al. 2020, arXiv:1708.04896",
              .schema = schema,
              .params_size = sizeof(params)},
    .infer = infer,
    .apply = apply,
};
