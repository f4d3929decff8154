// SPDX-License-Identifier: Apache-2.0
//
// Blocks of 16 channels for convolutions of oneDNN. In our blocks of 8 it
// computes in vectors of 8 floats, and where channels do not fill such blocks
// it has matrix products of plain images alone; with AVX-512 blocks of 16 use
// whole vectors. Channels are padded with zeros.

#ifndef WSR_KERNEL_DNNL_WIDE_H
#define WSR_KERNEL_DNNL_WIDE_H

#include "kernel/dnnl.h"

/// Whether a convolution pays for copies of its source and result.
bool wsr__dnnl_is_wide(const wsr__conv *shape);

/// Channels in whole blocks of 16.
int64_t wsr__wide_channels(int64_t channels);

/// An image tensor (n, c, h, w) as the graph has it.
typedef struct wsr__wide_image {
    int64_t n;
    int64_t c;
    int64_t pixels; // h w
    wsr__layout layout;
} wsr__wide_image;

size_t wsr__wide_floats(const wsr__wide_image *image);

/// The image to nChw16c, and back.
void wsr__widen(float *to, const float *from, const wsr__wide_image *image);
void wsr__narrow(float *to, const float *from, const wsr__wide_image *image);

#endif
