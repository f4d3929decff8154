// SPDX-License-Identifier: Apache-2.0
//
// What maximum and minimum share: the one of two numbers that goes first, in
// the order that `larger` names. It is a constant where these functions are
// used, so that loops have one comparison and are vectorised.

#ifndef WSR_OP_EXTREMUM_H
#define WSR_OP_EXTREMUM_H

#include "op/broadcast.h"

static inline double wsr__extremum(bool larger, double a, double b)
{
    return (larger ? a > b : a < b) || a != a ? a : b;
}

/// What of the gradient goes to x: all or nothing, or half where both are
/// equal. A comparison with a NaN is false.
static inline float wsr__extremum_share(bool larger, float x, float other)
{
    return x == other ? 0.5f : ((larger ? x > other : x < other) ? 1.0f : 0.0f);
}

/// The same in double.
static inline double wsr__extremum_slope(bool larger, double x, double other)
{
    return x == other ? 0.5 : ((larger ? x > other : x < other) ? 1 : 0);
}

static inline void wsr__extremum_forward(bool larger, float *y, const float *a,
                                         const float *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const bool first = larger ? a[i] > b[i] : a[i] < b[i];
        y[i] = first || a[i] != a[i] ? a[i] : b[i];
    }
}

static inline void wsr__extremum_backward(bool larger, float *dx,
                                          const float *dy, const float *x,
                                          const float *other, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        dx[i] = dy[i] * wsr__extremum_share(larger, x[i], other[i]);
    }
}

#endif
