// SPDX-License-Identifier: Apache-2.0
//
// Ops of two sources that are computed element by element, with the rules of
// NumPy for shapes that differ: these are aligned at their last axes, and a
// source repeats itself along axes that it lacks or has one element of.

#ifndef WSR_OP_BROADCAST_H
#define WSR_OP_BROADCAST_H

#include "op/op.h"

/// What an op y = f(a, b) supplies: f in double, for the reference, and for
/// arrays of n floats, so that its loop can be vectorised. Gradients are those
/// of a, then of b; x is the source that the gradient is of, so both functions
/// of an op with f(a, b) = f(b, a) are one.
typedef struct wsr__binary {
    double (*value)(double a, double b);
    double (*slope[2])(double x, double other); // df / dx
    void (*forward)(float *y, const float *a, const float *b, int64_t n);
    // dx = dy * df / dx. dx overlaps nothing.
    void (*backward[2])(float *dx, const float *dy, const float *x,
                        const float *other, int64_t n);
    uint32_t reads[2]; // sources that each of backward reads: bit i is src i
    bool keeps_zero;   // f(0, 0) = 0
} wsr__binary;

/// Shape rule of NumPy for two sources.
wsr_status wsr__broadcast_infer(wsr_shape *dst, const void *params,
                                const wsr_shape *srcs, size_t n);

/// Whether all sources have one shape.
bool wsr__broadcast_same(const wsr__node *node);

/// Implementations of classes that have `binary`, and the list of both.
extern const wsr__impl wsr__broadcast_native;
extern const wsr__impl wsr__broadcast_ref;
extern const wsr__impl *const wsr__broadcast_impls[];

#endif
