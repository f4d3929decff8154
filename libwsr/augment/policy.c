// SPDX-License-Identifier: Apache-2.0
//
// The scales of RandAugment, AutoAugment and AugMix in timm, which follow the
// TPU code of EfficientNet, and how one operation is drawn and applied.

#include "augment/policy.h"

#include <math.h>

#define SCALE 10.0    // magnitudes are shares of it
#define UNIFORM 100.0 // deviations above it: a uniform magnitude

const char *const wsr__resample_words[] = {"random", "nearest", "bilinear",
                                           "bicubic", NULL};

// -------------------------------------------------------------------- scales

static double rotate_by(double share, double sign)
{
    return sign * (share * 30.0);
}

static double shear_by(double share, double sign)
{
    return sign * (share * 0.3);
}

static double translate_by(double share, double sign)
{
    return sign * (share * 0.45);
}

static double factor_of(double share, double sign)
{
    (void)sign;
    return share * 1.8 + 0.1;
}

static double factor_away(double share, double sign)
{
    return fmax(0.1, 1.0 + sign * (share * 0.9));
}

static double bits_of(double share, double sign)
{
    (void)sign;
    return floor(share * 4.0);
}

static double bits_less(double share, double sign)
{
    return 4.0 - bits_of(share, sign);
}

static double bits_upper(double share, double sign)
{
    return 4.0 + bits_of(share, sign);
}

static double threshold_of(double share, double sign)
{
    (void)sign;
    return floor(share * 256.0);
}

static double threshold_down(double share, double sign)
{
    return 256.0 - threshold_of(share, sign);
}

static double added(double share, double sign)
{
    (void)sign;
    return floor(share * 110.0);
}

#define OP(name, function, scale) \
    const wsr__policy_op wsr__op_##name = {wsr__image_##function, scale}

OP(autocontrast, autocontrast, NULL);
OP(equalize, equalize, NULL);
OP(invert, invert, NULL);
OP(rotate, rotate, rotate_by);
OP(posterize, posterize, bits_of);
OP(posterize_increasing, posterize, bits_less);
OP(posterize_original, posterize, bits_upper);
OP(solarize, solarize, threshold_of);
OP(solarize_increasing, solarize, threshold_down);
OP(solarize_add, solarize_add, added);
OP(color, color, factor_of);
OP(color_increasing, color, factor_away);
OP(contrast, contrast, factor_of);
OP(contrast_increasing, contrast, factor_away);
OP(brightness, brightness, factor_of);
OP(brightness_increasing, brightness, factor_away);
OP(sharpness, sharpness, factor_of);
OP(sharpness_increasing, sharpness, factor_away);
OP(shear_x, shear_x, shear_by);
OP(shear_y, shear_y, shear_by);
OP(translate_x_rel, translate_x_rel, translate_by);
OP(translate_y_rel, translate_y_rel, translate_by);

// ---------------------------------------------------------------- application

wsr_status wsr__policy_infer(wsr__image *out, wsr__image in, const char *name,
                             const wsr__policy_moves *moves)
{
    if (moves->fill.n != 1 && moves->fill.n != 3) {
        return WSR_FAIL(WSR_CONFIG,
                        "augment.%s.fill: %zu values, permitted are 1 (for "
                        "all channels) and 3 (RGB)",
                        name, moves->fill.n);
    }
    return wsr__image_infer(out, in, name);
}

// Half of the draws of "random" are bicubic.
static wsr__border border_of(const wsr__policy_moves *moves, bool half)
{
    static const wsr__sampling samplings[] = {
        WSR__SAMPLE_BILINEAR, WSR__SAMPLE_NEAREST, WSR__SAMPLE_BILINEAR,
        WSR__SAMPLE_BICUBIC};
    wsr__border border = {.sampling = WSR__SAMPLE_BILINEAR};
    for (size_t i = 0; wsr__resample_words[i] != NULL; i++) {
        if (wsr__streq(moves->resample.s, wsr__resample_words[i])) {
            border.sampling = i == 0 && half ? WSR__SAMPLE_BICUBIC
                                             : samplings[i];
        }
    }
    for (size_t c = 0; c < 3; c++) {
        border.fill[c] =
            (unsigned char)moves->fill.v[moves->fill.n == 3 ? c : 0];
    }
    return border;
}

static double drawn_magnitude(double magnitude, double mstd, wsr__rng *rng)
{
    const double normal = wsr__rng_normal(rng);
    const double uniform = (double)wsr__rng_uniform(rng);
    if (mstd > UNIFORM) {
        return magnitude * uniform;
    }
    return fmax(0.0, fmin(magnitude + mstd * normal, SCALE));
}

// A step draws equally many numbers whatever becomes of it, so that a change of
// one option leaves the draws of the steps behind it.
wsr_status wsr__policy_apply(wsr__bitmap *image, const wsr__policy_step *step,
                             double mstd, const wsr__policy_moves *moves,
                             wsr__rng *rng)
{
    const bool chosen = (double)wsr__rng_uniform(rng) < step->p;
    const double magnitude = drawn_magnitude(step->magnitude, mstd, rng);
    const double sign = wsr__rng_below(rng, 2) != 0 ? 1.0 : -1.0;
    const wsr__border border = border_of(moves, wsr__rng_below(rng, 2) != 0);
    if (!chosen) {
        return WSR_OK;
    }
    const double argument = step->op->argument != NULL
                                ? step->op->argument(magnitude / SCALE, sign)
                                : 0;
    return step->op->apply(image, argument, &border);
}
