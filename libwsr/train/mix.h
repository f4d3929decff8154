// SPDX-License-Identifier: Apache-2.0
//
// Mixing of two images of a batch.

#ifndef WSR_TRAIN_MIX_H
#define WSR_TRAIN_MIX_H

#include "train/train.h"

/// How an image is mixed with another one.
typedef struct wsr__mix {
    double lambda; // share of the image
    bool cut;      // a rectangle of the other image, instead of a weighted sum
    int64_t y;     // its centre
    int64_t x;
} wsr__mix;

/// Write the mixture of two images (c, h, w).
/// @returns the share of the first one: of the pixels, where there is a
///          rectangle
double wsr__mix_images(float *out, const float *image, const float *other,
                       const wsr_shape *shape, const wsr__mix *mix);

/// Draw a mixture for images (h, w).
wsr__mix wsr__mix_draw(wsr__rng *rng, const wsr__train_params *params,
                       int64_t h, int64_t w);

#endif
