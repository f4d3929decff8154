// SPDX-License-Identifier: Apache-2.0

#include "op/last_axis.h"

wsr_status wsr__last_axis_infer(wsr_shape *dst, const void *params,
                                const wsr_shape *srcs, size_t n)
{
    (void)params;
    (void)n;
    if (srcs[0].ndims < 2) {
        return wsr__op_shape_fail("source must have an axis behind the batch",
                                  &srcs[0]);
    }
    *dst = srcs[0];
    return WSR_OK;
}

uint32_t wsr__last_axis_needs(const wsr__node *node)
{
    (void)node;
    return WSR__NEED_DST;
}

int64_t wsr__last_axis_size(const wsr__node *node)
{
    const wsr_shape *const shape = &node->dst.desc.shape;
    return shape->dims[shape->ndims - 1];
}

// A row is never divided: its sums have one order, whatever the threads.
wsr_status wsr__last_axis_each(wsr__node *node, wsr__body body)
{
    const int64_t k = wsr__last_axis_size(node);
    wsr__share(wsr__dst_floats(node) / k, k, body, node);
    return WSR_OK;
}
