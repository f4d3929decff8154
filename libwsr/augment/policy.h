// SPDX-License-Identifier: Apache-2.0
//
// What RandAugment, AutoAugment and AugMix share: operations whose strength is
// a magnitude on one scale from 0 to 10, and the random numbers of applying
// one. Names, scales and constants are those of timm.

#ifndef WSR_AUGMENT_POLICY_H
#define WSR_AUGMENT_POLICY_H

#include "augment/image_ops.h"

/// An operation and what a magnitude means to it.
typedef struct wsr__policy_op {
    wsr__image_op apply;
    /// Argument for a share of the scale, magnitude / 10, and a random sign,
    /// which most operations ignore. NULL: the operation has no argument.
    double (*argument)(double share, double sign);
} wsr__policy_op;

extern const wsr__policy_op wsr__op_autocontrast;
extern const wsr__policy_op wsr__op_equalize;
extern const wsr__policy_op wsr__op_invert;
extern const wsr__policy_op wsr__op_rotate; // up to 30 degrees
// Bits that stay: 0 to 4, 4 to 0, and 4 to 8 as in the paper of AutoAugment.
extern const wsr__policy_op wsr__op_posterize;
extern const wsr__policy_op wsr__op_posterize_increasing;
extern const wsr__policy_op wsr__op_posterize_original;
// Threshold: 0 to 256, and 256 to 0.
extern const wsr__policy_op wsr__op_solarize;
extern const wsr__policy_op wsr__op_solarize_increasing;
extern const wsr__policy_op wsr__op_solarize_add; // up to 110
// Factor: 0.1 to 1.9, and 1 +- up to 0.9.
extern const wsr__policy_op wsr__op_color;
extern const wsr__policy_op wsr__op_color_increasing;
extern const wsr__policy_op wsr__op_contrast;
extern const wsr__policy_op wsr__op_contrast_increasing;
extern const wsr__policy_op wsr__op_brightness;
extern const wsr__policy_op wsr__op_brightness_increasing;
extern const wsr__policy_op wsr__op_sharpness;
extern const wsr__policy_op wsr__op_sharpness_increasing;
extern const wsr__policy_op wsr__op_shear_x; // up to 0.3
extern const wsr__policy_op wsr__op_shear_y;
extern const wsr__policy_op wsr__op_translate_x_rel; // up to 0.45 of the side
extern const wsr__policy_op wsr__op_translate_y_rel;

/// Options of a policy for operations that move pixels.
typedef struct wsr__policy_moves {
    wsr__text resample; // one of wsr__resample_words
    wsr__ints fill;     // RGB, or one value for all channels
} wsr__policy_moves;

/// "random" is bilinear or bicubic, as drawn for each operation.
extern const char *const wsr__resample_words[];

/// Rows of a schema for the member `moves` of a struct `params`.
#define WSR__POLICY_MOVES(resample_default, fill_default)                   \
    {.key = "resample",                                                     \
     .kind = WSR__WORD,                                                     \
     .offset = offsetof(params, moves.resample),                            \
     .fallback = (resample_default),                                        \
     .unit = "",                                                            \
     .help = "interpolation of moves; random: bilinear or bicubic",         \
     .words = wsr__resample_words},                                         \
    {                                                                       \
        .key = "fill", .kind = WSR__INTS,                                   \
        .offset = offsetof(params, moves.fill), .fallback = (fill_default), \
        .min = 0, .max = 255, .unit = "",                                   \
        .help = "colour outside the image: RGB or grey"                     \
    }

/// infer() of a policy: checks the channels and the fill. CONFIG.
wsr_status wsr__policy_infer(wsr__image *out, wsr__image in, const char *name,
                             const wsr__policy_moves *moves);

/// One operation of a policy.
typedef struct wsr__policy_step {
    const wsr__policy_op *op;
    double p;         // probability
    double magnitude; // in [0, 10]
} wsr__policy_step;

/// Apply a step with its probability. The magnitude is drawn from a normal
/// distribution of deviation `mstd`, clipped to [0, 10], or, with `mstd` above
/// 100, uniformly from 0 to the step's. NOMEM.
wsr_status wsr__policy_apply(wsr__bitmap *image, const wsr__policy_step *step,
                             double mstd, const wsr__policy_moves *moves,
                             wsr__rng *rng);

#endif
