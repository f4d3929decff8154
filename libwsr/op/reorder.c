// SPDX-License-Identifier: Apache-2.0
//
// The same image in the other layout. Plans put it in where a kernel asks for
// a layout that its source does not have; in a graph it means nothing.

#include "op/op.h"

static void layout(wsr__node *node)
{
    node->dst.desc.layout =
        node->src[0].desc.layout == WSR__PLAIN ? WSR__BLOCKED : WSR__PLAIN;
}

static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)params;
    (void)n;
    *dst = srcs[0];
    return wsr__op_ndims(&srcs[0], 4);
}

static void convert(float *to, wsr__layout layout_to, const float *from,
                    const wsr_shape *shape, bool accumulate)
{
    const wsr__dims d = {.n = shape->dims[0],
                         .c = shape->dims[1],
                         .h = shape->dims[2],
                         .w = shape->dims[3]};
    if (layout_to == WSR__BLOCKED) {
        wsr__to_blocked(to, &d, from, accumulate);
    } else {
        wsr__to_plain(to, &d, from, accumulate);
    }
}

static wsr_status forward(wsr__node *node)
{
    convert(node->dst.data, node->dst.desc.layout, node->src[0].data,
            &node->dst.desc.shape, false);
    return WSR_OK;
}

static wsr_status backward(wsr__node *node)
{
    convert(node->src[0].diff, node->src[0].desc.layout, node->dst.diff,
            &node->dst.desc.shape, node->src[0].accumulate);
    return WSR_OK;
}

static const wsr__impl native = {.name = "native",
                                 .layout = layout,
                                 .forward = forward,
                                 .backward = backward,
                                 .accumulates = true};

static const wsr__impl *const impls[] = {&native, NULL};

const wsr__op_class wsr__op_reorder = {
    .super = {"reorder", "the same image in the other layout", "", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .infer = infer,
    .impls = impls,
};
