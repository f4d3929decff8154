// SPDX-License-Identifier: Apache-2.0
//
// Ops of one source that are computed element by element, y = f(x).

#ifndef WSR_OP_ELEMENTWISE_H
#define WSR_OP_ELEMENTWISE_H

#include "op/op.h"

/// What such an op supplies: f and its derivative in double. The arrays are the
/// same for n floats, for functions that are much faster in single precision,
/// and NULL for others. y may be x, and dx dy. backward gets x or y, whichever
/// it reads: a plan keeps no other tensor for it.
typedef struct wsr__elementwise {
    double (*value)(double x, const void *params);
    double (*slope)(double x, const void *params);
    void (*forward)(float *y, const float *x, int64_t n, const void *params);
    void (*backward)(float *dx, const float *dy, const float *at, int64_t n,
                     const void *params);
    uint32_t reads; // what backward reads: 1 is x, WSR__NEED_DST y, 0 neither
} wsr__elementwise;

/// Implementations of classes that have `elementwise`: arrays, then double.
extern const wsr__impl *const wsr__elementwise_impls[];

#endif
