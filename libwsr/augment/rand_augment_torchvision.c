// SPDX-License-Identifier: Apache-2.0
//
// RandAugment (Cubuk et al. 2020, arXiv:1909.13719) as torchvision has it: each
// of `n` operations is one of 14, drawn with replacement and always applied, at
// magnitude `m` of `bins` from 0 to bins - 1. It differs from timm's in the
// operations, their ranges and directions, and in black borders.

#include "augment/policy.h"

#include <math.h>

enum { OPS = 14 };

typedef struct params {
    int64_t n;
    int64_t m;
    int64_t bins;
    wsr__policy_moves moves;
} params;

static const wsr__option schema[] = {
    {.key = "n",
     .kind = WSR__INT,
     .offset = offsetof(params, n),
     .fallback = "2",
     .min = 0,
     .max = 100,
     .unit = "",
     .help = "operations for each image"},
    {.key = "m",
     .kind = WSR__INT,
     .offset = offsetof(params, m),
     .fallback = "9",
     .min = 0,
     .max = 9999,
     .unit = "",
     .help = "magnitude of the operations, below `bins`"},
    {.key = "bins",
     .kind = WSR__INT,
     .offset = offsetof(params, bins),
     .fallback = "31",
     .min = 2,
     .max = 10000,
     .unit = "",
     .help = "number of magnitudes"},
    WSR__POLICY_MOVES("nearest", "[0]"),
    {0},
};

static wsr_status infer(wsr__image *out, const void *options, wsr__image in)
{
    const params *const p = options;
    if (p->m >= p->bins) {
        return WSR_FAIL(WSR_CONFIG,
                        "augment.rand_augment_torchvision.m: %lld is not below "
                        "the number of magnitudes, bins=%lld",
                        (long long)p->m, (long long)p->bins);
    }
    return wsr__policy_infer(out, in, "rand_augment_torchvision", &p->moves);
}

// -------------------------------------------------------------------- scales

// torchvision keeps magnitudes in single precision.
static double single(double value)
{
    return (double)(float)value;
}

static double shear_by(double share, double sign)
{
    return sign * single(share * 0.3);
}

static double rotate_by(double share, double sign)
{
    return sign * single(share * 30.0);
}

static double translate_by(double share, double sign)
{
    return sign * share;
}

static double factor_of(double share, double sign)
{
    return 1.0 + sign * single(share * 0.9);
}

static double bits_of(double share, double sign)
{
    (void)sign;
    return 8.0 - nearbyint(share * 4.0);
}

static double threshold_of(double share, double sign)
{
    (void)sign;
    return single(255.0 - share * 255.0);
}

// ---------------------------------------------------------------- operations

static wsr_status keep(wsr__bitmap *image, double argument,
                       const wsr__border *border)
{
    (void)image;
    (void)argument;
    (void)border;
    return WSR_OK;
}

// Whole pixels, up to 150 in an image of 331; a positive number moves the
// image to the right or down.
static double pixels(double share, int64_t side)
{
    return -trunc(single(150.0 / 331.0 * (double)side * share));
}

static wsr_status translate_x(wsr__bitmap *image, double argument,
                              const wsr__border *border)
{
    return wsr__image_translate_x(image, pixels(argument, image->shape.w),
                                  border);
}

static wsr_status translate_y(wsr__bitmap *image, double argument,
                              const wsr__border *border)
{
    return wsr__image_translate_y(image, pixels(argument, image->shape.h),
                                  border);
}

static const wsr__policy_op ops[OPS] = {
    {keep, NULL},
    {wsr__image_shear_x, shear_by},
    {wsr__image_shear_y, shear_by},
    {translate_x, translate_by},
    {translate_y, translate_by},
    {wsr__image_rotate, rotate_by},
    {wsr__image_brightness, factor_of},
    {wsr__image_color, factor_of},
    {wsr__image_contrast, factor_of},
    {wsr__image_sharpness, factor_of},
    {wsr__image_posterize, bits_of},
    {wsr__image_solarize, threshold_of},
    {wsr__image_autocontrast, NULL},
    {wsr__image_equalize, NULL},
};

static wsr_status apply_bytes(wsr__bitmap *image, const void *options,
                              wsr__rng *rng)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    const double magnitude = 10.0 * (double)p->m / (double)(p->bins - 1);
    for (int64_t k = 0; k < p->n; k++) {
        const wsr__policy_step step = {&ops[wsr__rng_below(rng, OPS)], 1,
                                       magnitude};
        WSR_TRY(wsr__policy_apply(image, &step, 0, &p->moves, rng));
    }
out:
    return status;
}

const wsr__augment_class wsr__augment_rand_augment_torchvision = {
    .super = {.name = "rand_augment_torchvision",
              .summary = "`n` random operations, as torchvision's RandAugment",
              .reference = "Cubuk et al. 2020, arXiv:1909.13719",
              .schema = schema,
              .params_size = sizeof(params)},
    .infer = infer,
    .apply_bytes = apply_bytes,
};
