// SPDX-License-Identifier: Apache-2.0
//
// Row kernels of depthwise convolutions: one row of pixels of one bundle of
// channel blocks, from rows that are already padded and in which the blocks lie
// side by side. They are shared by the depthwise and the fused depthwise-
// pointwise kernels, which differ in where the padded rows come from.

#ifndef WSR_KERNEL_NATIVE_ROW_H
#define WSR_KERNEL_NATIVE_ROW_H

#include "kernel/native_bundle.h"

enum {
    ROW_TAPS = 7,  // longest kernel side of the row kernels
    ROW_STRIP = 64 // most pixels of a row that stack buffers are made for
};

/// The kernel rows that meet the image at one output row.
typedef struct taps {
    int count;
    const float *row[ROW_TAPS];    // padded source row, at the first pixel
    const float *weight[ROW_TAPS]; // taps of the kernel row, [k][BUNDLE]
} taps;

/// What happens to a result before it is stored: a mask passes it where
/// scale * src + shift > 0, and nothing elsewhere.
typedef struct finish {
    int count;     // blocks of the bundle
    int64_t pitch; // floats from block to block of the result, 0 if it is one
    bool accumulate;
    bool masked;
    bool summed;
    const float *mask; // src at the first pixel of the row, lies like out;
                       // for what is masked or summed
    vb bias;
    vb scale;
    vb shift;
    vb mean;
    vb sum;     // of the result, since the last flush
    vb product; // of the result * (src - mean)
    double sums[BUNDLE_BLOCKS][2][WSR__BLOCK]; // flushed ones
} finish;

/// A gradient through the mask whose prologue read src.
WSR_INLINE vb mask_apply(vb g, vb src, const finish *f)
{
    return openb(fmab(src, f->scale, f->shift), g);
}

/// out[i * step] = sum over taps and k of weight[k] * row[i * stride + k *
/// dilation], for i < n; step is whole blocks, one where stride or dilation is
/// not 1. The bundle's second block goes to out + pitch.
typedef void (*row_kernel)(float *out, int64_t step, const taps *t, int64_t n,
                           finish *f);

/// sum[r][k] += over i < n of diff[i] * row[r][i * stride + k * dilation];
/// sum[r] is where the kernel row's [k][8] gradients of the first block lie,
/// and diff a row of bundles.
typedef struct grad_taps {
    int count;
    const float *row[ROW_TAPS];
    float *sum[ROW_TAPS];
    int64_t pitch; // floats from block to block of the sums, 0 if it is one
} grad_taps;

typedef void (*grad_kernel)(const grad_taps *t, const float *diff, int64_t n);

/// The kernel for these sizes, NULL where there is none: kernel 3, 5, 7 with
/// dilation and stride 1 or 2, and for results kernel 1, 2 and 4 with dilation
/// and stride 1.
row_kernel WSR_NAME(wsr__row_kernel)(int64_t kernel, int64_t dilation,
                                     int64_t stride);
grad_kernel WSR_NAME(wsr__grad_kernel)(int64_t kernel, int64_t dilation,
                                       int64_t stride);

/// out = sum of n arrays of `size` floats (a multiple of the block), in order
/// and in double.
void WSR_NAME(wsr__sum_images)(float *out, const float *parts, int64_t n,
                               int64_t size);

#endif
