// SPDX-License-Identifier: Apache-2.0
//
// Normalisation: y = (x - mean) / std, per channel or with one pair for all
// channels, in single precision as torchvision's Normalize computes it.
// Networks under attack normalise inside instead, since attack strengths are
// measured in [0, 1].

#include "augment/augment.h"

typedef struct params {
    wsr__floats mean;
    wsr__floats std;
} params;

static const wsr__option schema[] = {
    {.key = "mean",
     .kind = WSR__FLOATS,
     .offset = offsetof(params, mean),
     .fallback = "[0]",
     .min = -1e6,
     .max = 1e6,
     .unit = "",
     .help = "subtracted, one value or one for each channel"},
    {.key = "std",
     .kind = WSR__FLOATS,
     .offset = offsetof(params, std),
     .fallback = "[1]",
     .min = 1e-6,
     .max = 1e6,
     .unit = "",
     .help = "divisor, one value or one for each channel"},
    {0},
};

static wsr_status check(const char *key, const wsr__floats *list, int64_t c)
{
    if (list->n == 1 || (int64_t)list->n == c) {
        return WSR_OK;
    }
    return WSR_FAIL(WSR_CONFIG,
                    "normalize.%s: %zu values do not fit %lld channels", key,
                    list->n, (long long)c);
}

static wsr_status infer(wsr__image *out, const void *options, wsr__image in)
{
    const params *const p = options;
    wsr_status status = check("mean", &p->mean, in.c);

    if (status == WSR_OK) {
        status = check("std", &p->std, in.c);
    }
    *out = in;
    return status;
}

static float pick(const wsr__floats *list, int64_t c)
{
    return (float)list->v[list->n == 1 ? 0 : c];
}

static void apply(float *restrict dst, const float *restrict src, wsr__image in,
                  const void *options, wsr__rng *rng)
{
    const params *const p = options;
    const int64_t plane = in.h * in.w;

    (void)rng;
    for (int64_t c = 0; c < in.c; ++c) {
        const float mean = pick(&p->mean, c);
        const float std = pick(&p->std, c);

        for (int64_t i = c * plane; i < (c + 1) * plane; ++i) {
            dst[i] = (src[i] - mean) / std;
        }
    }
}

const wsr__augment_class wsr__augment_normalize = {
    .super = {.name = "normalize",
              .summary = "subtract a mean and divide by a deviation",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(params)},
    .infer = infer,
    .apply = apply,
};
