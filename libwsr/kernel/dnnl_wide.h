// SPDX-License-Identifier: Apache-2.0
//
// Blocks of 16 channels for convolutions of oneDNN, which computes in vectors
// of 8 floats in our blocks of 8, and of 16 with AVX-512 in these.

#ifndef WSR_KERNEL_DNNL_WIDE_H
#define WSR_KERNEL_DNNL_WIDE_H

#include "kernel/dnnl.h"

/// Whether a convolution pays for copies of its source and result.
bool wsr__dnnl_is_wide(const wsr__conv *shape, const wsr__layout layouts[2]);

/// An image tensor (n, c, h, w), c a multiple of 16.
typedef struct wsr__wide_image {
    int64_t blocks; // n c / 16
    int64_t pixels; // h w
} wsr__wide_image;

wsr__wide_image wsr__wide_image_of(int64_t n, int64_t c, int64_t h, int64_t w);
size_t wsr__wide_floats(const wsr__wide_image *image);

/// nChw8c to nChw16c, and back.
void wsr__widen(float *to, const float *from, const wsr__wide_image *image);
void wsr__narrow(float *to, const float *from, const wsr__wide_image *image);

#endif
