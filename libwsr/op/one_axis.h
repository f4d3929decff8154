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

/// Backward works from dst and leaves src free.
uint32_t wsr__one_axis_needs(const wsr__node *node);

/// Rows of a node: `size` numbers each, `stride` apart.
typedef struct wsr__rows {
    int64_t size;
    int64_t stride;
} wsr__rows;

wsr__rows wsr__rows_of(const wsr__node *node);

/// Offset of row r.
static inline int64_t wsr__row_at(const wsr__rows *rows, int64_t r)
{
    return r / rows->stride * rows->size * rows->stride + r % rows->stride;
}

/// Share the rows [begin, end) of the node, the context, among the threads.
wsr_status wsr__one_axis_each(wsr__node *node, wsr__body body);

#endif
