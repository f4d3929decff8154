// SPDX-License-Identifier: Apache-2.0
//
// Params of max_pool and avg_pool, and functions that the two share.

#ifndef WSR_OP_POOL_H
#define WSR_OP_POOL_H

#include "op/op.h"

typedef struct wsr__pool2d {
    int64_t kernel;
    int64_t stride;
    int64_t pad;
    bool count_pad; // average: padding counts as zeros
} wsr__pool2d;

wsr_status wsr__pool2d_infer(wsr_shape *dst, const void *params,
                             const wsr_shape *srcs, size_t n);
/// With the batch strides of data, or of gradients.
wsr__pool wsr__pool2d_shape(const wsr__node *node, bool diffs);
wsr__ref_pool wsr__pool2d_ref_shape(const wsr__node *node);

#endif
