// SPDX-License-Identifier: Apache-2.0
//
// Types and functions that native_pool.c (any window) and native_pool3.c (3x3
// windows) share.

#ifndef WSR_KERNEL_NATIVE_POOL_H
#define WSR_KERNEL_NATIVE_POOL_H

#include "kernel/native_plane.h"

/// One call; all workers share it.
typedef struct pool_call {
    const wsr__pool *p;
    int64_t blocks;
    const float *src; // forward: src; backward: diff_dst
    float *dst;       // forward: dst; backward: diff_src
    uint8_t *index;
    const uint8_t *saved; // index of forward; NULL: an average
    double *moments;
    const wsr__affine *affine;
    bool accumulate;
} pool_call;

/// One plane: offsets in tensors of src's and of dst's shape.
typedef struct pool_plane {
    int64_t block;
    int64_t in;
    int64_t out;
    int64_t saved; // in what diff_dst is read with
    int64_t index;
} pool_plane;

/// The part of a window that lies inside the image.
typedef struct span {
    int64_t top; // of the whole window
    int64_t left;
    int64_t begin[2]; // taps: rows, columns
    int64_t end[2];
} span;

WSR_INLINE span span_of(const wsr__pool *p, int64_t y, int64_t x)
{
    span s = {.top = y * p->stride - p->pad, .left = x * p->stride - p->pad};
    s.begin[0] = max64(0, -s.top);
    s.begin[1] = max64(0, -s.left);
    s.end[0] = min64(p->kernel, p->h - s.top);
    s.end[1] = min64(p->kernel, p->w - s.left);
    return s;
}

/// What the sum over a window is multiplied with.
WSR_INLINE float share_of(const wsr__pool *p, const span *s)
{
    const int64_t area = p->count_pad ? p->kernel * p->kernel
                                      : (s->end[0] - s->begin[0]) *
                                            (s->end[1] - s->begin[1]);
    return 1.0f / (float)area;
}

/// 3x3 windows with stride 1 or 2, row by row.
bool WSR_NAME(wsr__pool3_fits)(const wsr__pool *p);
void WSR_NAME(wsr__pool3_max)(const pool_call *c, const pool_plane *at);
void WSR_NAME(wsr__pool3_avg)(const pool_call *c, const pool_plane *at);
void WSR_NAME(wsr__pool3_backward)(const pool_call *c, const pool_plane *at);

#endif
