// SPDX-License-Identifier: Apache-2.0
//
// Ops that make one number of all along some axes: sums, means, extremes.

#ifndef WSR_OP_REDUCE_H
#define WSR_OP_REDUCE_H

#include "op/op.h"

#include <stddef.h>

/// Axes behind the batch; negative ones count from the end. Empty: all of them.
typedef struct wsr__reduce_params {
    wsr__ints axes;
    bool keep_dims;
} wsr__reduce_params;

/// What such an op supplies.
typedef struct wsr__reduce {
    /// Fold n numbers that are `stride` apart into `sum`.
    double (*fold)(double sum, const float *x, int64_t n, int64_t stride);
    double start; // what is folded into first
    bool mean;    // the result is divided by how many numbers there are
    bool extreme; // the gradient goes to the numbers that equal the result, to
                  // each its share, otherwise to all of them
} wsr__reduce;

/// Fold of sums and means.
double wsr__reduce_add(double sum, const float *x, int64_t n, int64_t stride);

wsr_status wsr__reduce_infer(wsr_shape *dst, const void *params,
                             const wsr_shape *srcs, size_t n);

/// Implementations of classes that have `reduce`.
extern const wsr__impl *const wsr__reduce_impls[];

/// The schema of all of them.
extern const wsr__option wsr__reduce_schema[];

#endif
