// SPDX-License-Identifier: Apache-2.0
//
// Ops of one source that work row by row along the last axis, which is not the
// batch, and whose backward pass reads their result only: softmax and its
// logarithm.

#ifndef WSR_OP_LAST_AXIS_H
#define WSR_OP_LAST_AXIS_H

#include "op/op.h"

/// The result has the shape of the source.
wsr_status wsr__last_axis_infer(wsr_shape *dst, const void *params,
                                const wsr_shape *srcs, size_t n);

/// Backward works from dst and leaves src free.
uint32_t wsr__last_axis_needs(const wsr__node *node);

/// Numbers of a row.
int64_t wsr__last_axis_size(const wsr__node *node);

/// Share the rows [begin, end) of the node, the context, among the threads.
wsr_status wsr__last_axis_each(wsr__node *node, wsr__body body);

#endif
