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
    BAND = 4,                 // rows that share what they read
    ROWS = BAND + MOST - 1,   // that meet a band
    LINES = WSR__FEW_CHANNELS * ROWS,
    BLOCKS = 4, // of to_few between loads and stores of the sums; even
    PAIR = 2 * WSR__BLOCK,
    RUN = WSR_AVX512 ? 16 : 6,        // pixels of to_many in registers
    MOST_SUMS = WSR_AVX512 ? 24 : 12, // of to_few in registers
    MOST_GROUP = 4, // channels of to_few that share what they read
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

/// Some pairs of blocks of image n of the many side, from all of the few side.
void WSR_NAME(wsr__few_channels_to_many)(const call *c, int64_t n,
                                         const int64_t pairs[2]);

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

/// What meets `rows` rows of n pixels from (y, x) of the many side: rows +
/// kernel
/// - 1 padded rows of each few channel.
WSR_INLINE void read_few(float *to, const call *c, int64_t image,
                         const int64_t at[2], int64_t rows, int64_t n)
{
    const wsr__few_channels *const p = c->p;
    const int64_t height = rows + p->kernel - 1;
    const int64_t width = n + p->kernel - 1;
    for (int64_t j = 0; j < p->few * height; j++, to += PITCH) {
        const int64_t y = at[0] + j % height - p->pad;
        if (y < 0 || y >= p->h) {
            memset(to, 0, (size_t)width * sizeof(*to));
            continue;
        }
        const int64_t plane = image * p->few + j / height;
        copy_columns(to, c->few + (plane * p->h + y) * p->w, at[1] - p->pad,
                     width, p->w);
    }
}

/// Clear n pixels of a block.
WSR_INLINE void clear_pixels(float *to, int64_t n)
{
    memset(to, 0, (size_t)(n * WSR__BLOCK) * sizeof(*to));
}

/// A place in the many side: image, block, offset in the plane.
typedef int64_t place[3];

/// What a gradient at a place is read with.
WSR_INLINE const float *saved_of(const call *c, const place at)
{
    return c->opt.affine->dst + at[1] * c->plane + at[2] +
           saved_at(c->opt.affine, at[0], c->p->many, c->p->oh * c->p->ow);
}

/// Ask for n pixels of a block of an array like the many side, as far as it has
/// such a block.
WSR_INLINE void expect_many(const float *many, const call *c, const place at,
                            int64_t n, bool write)
{
    if (at[1] >= wsr__blocks(c->p->many)) {
        return;
    }
    const float *const from = many + at[0] * c->batch_stride +
                              at[1] * c->plane + at[2];
    for (int64_t i = 0; i < n * WSR__BLOCK; i += 16) {
        prefetch(from + i, write);
    }
}

/// Memory that is read next: `count` runs of `size` floats each, `pitch` floats
/// apart. They are asked for a few lines at a time while products are computed.
/// All at once they would wait for each other, and so would what follows.
typedef struct ahead {
    const float *from;
    int64_t size;
    int64_t pitch;
    int64_t count;
    int64_t at;    // floats of the first run that have been asked for
    int64_t share; // lines that each step asks for
} ahead;

/// `size` floats of some blocks of the many side from a place on, as far as it
/// has such blocks, in so many steps.
WSR_INLINE ahead ahead_of(const call *c, const place at, int64_t count,
                          int64_t size, int64_t steps)
{
    const int64_t left = wsr__blocks(c->p->many) - at[1];
    ahead a = {.from = c->many + at[0] * c->batch_stride + at[1] * c->plane +
                       at[2],
               .size = size,
               .pitch = c->plane,
               .count = max64(min64(count, left), 0)};
    const int64_t lines = (size + 15) / 16 * a.count;
    a.share = (lines + steps - 1) / max64(steps, 1);
    return a;
}

/// One step.
WSR_INLINE void ask(ahead *a)
{
    for (int64_t i = 0; i < a->share && a->count > 0; i++) {
        prefetch(a->from + a->at, false);
        a->at += 16;
        if (a->at >= a->size) {
            a->at = 0;
            a->from += a->pitch;
            a->count--;
        }
    }
}

/// n pixels of a block of the many side as the caller wants them read.
WSR_INLINE void read_many(float *to, const call *c, const place at, int64_t n)
{
    const float *const from = c->many + at[0] * c->batch_stride +
                              at[1] * c->plane + at[2];
    if (c->opt.affine != NULL) {
        const affineb affine = affineb_of(c->opt.affine, at[1], 1);
        read_diff(to, from, saved_of(c, at), n, &affine);
        return;
    }
    const preb pre = preb_of(c->opt.pre, at[1], 1);
    read_pixels(to, from, WSR__BLOCK, n, &pre);
}

/// The same of the `count` blocks of a bundle, side by side.
WSR_INLINE void read_bundle(float *to, const call *c, const place at, int64_t n,
                            int count)
{
    const int64_t pitch = count > 1 ? c->plane : 0;
    const float *const from = c->many + at[0] * c->batch_stride +
                              at[1] * c->plane + at[2];
    if (c->opt.affine != NULL) {
        const affineb affine = affineb_of(c->opt.affine, at[1], count);
        read_diffs(to, from, saved_of(c, at), pitch, n, &affine);
        return;
    }
    const preb pre = preb_of(c->opt.pre, at[1], count);
    const int64_t step[2] = {WSR__BLOCK, pitch};
    read_bundles(to, from, step, n, &pre);
}

#endif
