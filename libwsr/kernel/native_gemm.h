// SPDX-License-Identifier: Apache-2.0
//
// The product behind pointwise convolutions: a run of pixels of all source
// channels times the weights of all destination channels.

#ifndef WSR_KERNEL_NATIVE_GEMM_H
#define WSR_KERNEL_NATIVE_GEMM_H

#include "kernel/native_bundle.h"

/// What is summed over the pixels on the way.
typedef enum gemm_sums {
    GEMM_NONE,
    GEMM_MOMENTS, // of the result, around the plane's first pixel
    GEMM_PRODUCTS // of the result, and of the result * (mask - mean)
} gemm_sums;

/// What is read or written after the product: runs of as many pixels, `pitch`
/// floats apart, which are asked for while the product computes. Caches would
/// otherwise idle during products, and products wait for what follows them.
typedef struct gemm_ahead {
    const float *from; // NULL: nothing
    int64_t pitch;
    int64_t blocks;
    int64_t scale; // pixels there per pixel of the product
    bool write;
} gemm_ahead;

enum { GEMM_AHEAD = 4 };

typedef struct gemm {
    int64_t pixels;
    int64_t ins;          // source channel blocks
    int64_t outs;         // destination channel blocks
    const float *src;     // first pixel of the first block
    int64_t src_pitch;    // floats from block to block
    const float *weights; // [pair of outs][ins * 8][16]
    float *dst;           // first pixel of the first block
    int64_t dst_pitch;    // floats from block to block, or bundle to bundle
    bool bundled;         // dst has a row of bundles for each bundle of outs;
                          // stored as it is: no mask, not accumulated

    // Per channel of dst; NULL: none.
    const float *bias;
    const float *scale; // of the mask's prologue
    const float *shift;
    const float *mean; // for GEMM_PRODUCTS

    const float *mask;  // NULL, or src of the mask: lies like dst
    int64_t mask_ahead; // 0, or floats to the mask of the next run, which each
                        // tile asks for
    bool relu;          // of its prologue; without, it lets all pass
    bool accumulate;
    gemm_sums kind;
    double *sums;       // [outs][2][8], added to
    const float *first; // GEMM_MOMENTS: dst of the plane's first pixel
    gemm_ahead ahead[GEMM_AHEAD];
} gemm;

/// All fields 0. A `gemm` is made for each run of pixels, and the `rep stos`,
/// by which GCC clears structs of this size, takes some fifty cycles to start.
WSR_INLINE void gemm_clear(gemm *g)
{
    enum { ALL = sizeof(gemm) / sizeof(float) };
    float *const p = (float *)(void *)g;
    const v8 zero = held8(splat8(0.0f));
    WSR_UNROLL
    for (int i = 0; i + WSR__BLOCK <= ALL; i += WSR__BLOCK) {
        stu8(p + i, zero);
    }
    stu8(p + ALL - WSR__BLOCK, zero);
}

/// dst (+)= finish(src * weights + bias).
void WSR_NAME(wsr__gemm_blocked)(const gemm *g);

/// Turn what GEMM_MOMENTS has summed over a plane of one block into its
/// moments.
void WSR_NAME(wsr__gemm_blocked_moments)(double sums[2 * WSR__BLOCK],
                                         const float *first, int64_t pixels);

/// The gradient of the weights, which lie as above, or are those of some of the
/// source's blocks: += sum over pixels of src[in] * diff[out].
typedef struct gemm_grad {
    int64_t pixels;
    int64_t ins; // blocks
    int64_t outs;
    const float *src; // first pixel of the first block
    int64_t src_pitch;
    const float *diff; // the same
    int64_t diff_pitch;
    float *weights;
    int64_t weights_pitch; // floats from pair to pair of outs
} gemm_grad;

void WSR_NAME(wsr__gemm_blocked_grad)(const gemm_grad *g);

#endif
