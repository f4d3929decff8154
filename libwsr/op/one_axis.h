// SPDX-License-Identifier: Apache-2.0
//
// Ops of one source that work row by row along an axis, which is not the batch,
// and whose backward pass reads their result only: softmax and its logarithm.

#ifndef WSR_OP_ONE_AXIS_H
#define WSR_OP_ONE_AXIS_H

#include "op/op.h"

/// A negative axis counts from the end.
typedef struct wsr__one_axis_params {
    int64_t axis;
} wsr__one_axis_params;

/// The schema of all these ops.
extern const wsr__option wsr__one_axis_schema[];

/// The result has the shape of the source.
wsr_status wsr__one_axis_infer(wsr_shape *dst, const void *params,
                               const wsr_shape *srcs, size_t n);

/// What such an op supplies: the passes over a row, of which number i stands at
/// i * stride, and which ends before `end` = size * stride. `most` is the
/// largest number of the row; with `add` a gradient is added to dx.
typedef struct wsr__one_axis {
    void (*forward)(float *y, const float *x, float most, int64_t end,
                    int64_t stride);
    void (*backward)(float *dx, bool add, const float *y, const float *dy,
                     int64_t end, int64_t stride);
} wsr__one_axis;

/// Implementations of classes that have `one_axis`.
extern const wsr__impl *const wsr__one_axis_impls[];

#endif
