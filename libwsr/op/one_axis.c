// SPDX-License-Identifier: Apache-2.0

#include "op/one_axis.h"

#include <stddef.h>

const wsr__option wsr__one_axis_schema[] = {
    {"axis", WSR__INT, offsetof(wsr__one_axis_params, axis), "-1",
     1 - WSR_MAX_DIMS, WSR_MAX_DIMS - 1, "",
     "axis behind the batch; negative: from the end", NULL},
    {0},
};

static int axis_of(const wsr__one_axis_params *o, const wsr_shape *shape)
{
    return (int)(o->axis < 0 ? o->axis + shape->ndims : o->axis);
}

wsr_status wsr__one_axis_infer(wsr_shape *dst, const void *params,
                               const wsr_shape *srcs, size_t n)
{
    (void)n;
    const int axis = axis_of(params, &srcs[0]);
    if (axis < 1 || axis >= srcs[0].ndims) {
        return wsr__op_shape_fail("source must have the axis behind the batch",
                                  &srcs[0]);
    }
    *dst = srcs[0];
    return WSR_OK;
}

uint32_t wsr__one_axis_needs(const wsr__node *node)
{
    (void)node;
    return WSR__NEED_DST;
}

wsr__rows wsr__rows_of(const wsr__node *node)
{
    const wsr_shape *const shape = &node->dst.desc.shape;
    const int axis = axis_of(node->params, shape);
    wsr__rows rows = {shape->dims[axis], 1};
    for (int i = axis + 1; i < shape->ndims; i++) {
        rows.stride *= shape->dims[i];
    }
    return rows;
}

// A row is never divided: its sums have one order, whatever the threads.
wsr_status wsr__one_axis_each(wsr__node *node, wsr__body body)
{
    const int64_t size = wsr__rows_of(node).size;
    wsr__share(wsr__dst_floats(node) / size, size, body, node);
    return WSR_OK;
}
