// SPDX-License-Identifier: Apache-2.0
//
// Types and functions that the passes of a convolution with few channels on one
// side share: the sizes of a call, and how pixels of either side are read into
// padded rows.

#ifndef WSR_KERNEL_NATIVE_FEW_CHANNELS_H
#define WSR_KERNEL_NATIVE_FEW_CHANNELS_H

#include "kernel/native_plane.h"

enum {
    MOST = 7,                 // taps along one side
    STRIP = 64,               // most pixels of a row that are worked on
    PITCH = STRIP + MOST - 1, // of a padded row, pixels
    BAND = 4,                 // rows of to_few that share what they read
    // Rows of the few side that meet one pixel.
    LINES = WSR__FEW_CHANNELS * MOST,
    PAIR = 2 * WSR__BLOCK,
    RUN = WSR_AVX512 ? 12 : 6, // pixels of to_many in registers
};

/// What is done with the many side as it is read or written, whichever pass
/// it is; NULL for nothing.
typedef struct options {
    const float *bias;               // added to what is written
    const wsr__pre *pre;             // many is src, read through this
    const wsr__affine *affine;       // many is diff_dst, read through this
    const wsr__relu_mask *relu_mask; // many is diff_src; without sums
    bool accumulate;                 // add to what is written
} options;

/// What all threads of one call read.
typedef struct call {
    const wsr__few_channels *p;
    options opt;
    const float *few;
    const float *many;
    const float *weights;
    float *out;
    int64_t batch_stride; // of many
    int64_t plane;        // of many, floats
    int64_t pairs;        // of channel blocks
} call;

/// The sizes of a call; the caller adds the arrays.
WSR_INLINE call call_of(const wsr__few_channels *p, const options *opt)
{
    return (call){.p = p,
                  .opt = *opt,
                  .batch_stride =
                      batch_stride_of(p->batch_stride, p->many, p->oh * p->ow),
                  .plane = p->oh * p->ow * WSR__BLOCK,
                  .pairs = (wsr__blocks(p->many) + 1) / 2};
}

/// Weights that one channel of the many side has.
WSR_INLINE int64_t taps_of(const wsr__few_channels *p)
{
    return p->few * p->kernel * p->kernel;
}

/// n numbers of a row from column `first` on, zeros where it has none.
WSR_INLINE void copy_columns(float *to, const float *row, int64_t first,
                             int64_t n, int64_t width)
{
    const int64_t begin = min64(max64(-first, 0), n);
    const int64_t end = max64(begin, min64(width - first, n));
    memset(to, 0, (size_t)begin * sizeof(*to));
    memcpy(to + begin, row + first + begin,
           (size_t)(end - begin) * sizeof(*to));
    memset(to + end, 0, (size_t)(n - end) * sizeof(*to));
}

/// What meets the n pixels from (y, x) of the many side: [t][ky] rows.
WSR_INLINE void read_few(float *rows, const call *c, int64_t image,
                         const int64_t at[2], int64_t n)
{
    const wsr__few_channels *const p = c->p;
    const int64_t width = n + p->kernel - 1;
    for (int64_t j = 0; j < p->few * p->kernel; j++) {
        const int64_t y = at[0] + j % p->kernel - p->pad;
        float *const to = rows + j * PITCH;
        if (y < 0 || y >= p->h) {
            memset(to, 0, (size_t)width * sizeof(*to));
            continue;
        }
        const int64_t plane = image * p->few + j / p->kernel;
        copy_columns(to, c->few + (plane * p->h + y) * p->w, at[1] - p->pad,
                     width, p->w);
    }
}

/// n pixels of a block of the many side as the caller wants them read, `pitch`
/// floats apart; `at` is image, block and offset in the plane.
WSR_INLINE void read_many(float *to, int64_t pitch, const call *c,
                          const int64_t at[3], int64_t n)
{
    const wsr__affine *const through = c->opt.affine;
    const int64_t offset = at[1] * c->plane + at[2];
    const float *const from = c->many + at[0] * c->batch_stride + offset;
    const preb pre = preb_of(c->opt.pre, at[1], 1);
    const affineb affine = affineb_of(through, at[1], 1);
    const float *const dst =
        affine.on
            ? through->dst + offset +
                  saved_at(through, at[0], c->p->many, c->p->oh * c->p->ow)
            : from;
    for (int64_t i = 0; i < n; i++) {
        vb v = preb_apply(load_blocks(from + i * WSR__BLOCK, 0), &pre);
        if (affine.on) {
            const vb saved = load_blocks(dst + i * WSR__BLOCK, 0);
            v = affineb_apply(v, saved, &affine);
        }
        stu8(to + i * pitch, block_of(v, 0));
    }
}

#endif
