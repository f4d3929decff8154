// SPDX-License-Identifier: Apache-2.0
//
// Mean over height and width: (n, c, h, w) to (n, c).

#include "op/op.h"

// dst is written before the check: infer() may leave anything there on failure.
static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)params;
    (void)n;
    *dst = wsr__shape2(srcs[0].dims[0], srcs[0].dims[1]);
    return wsr__op_ndims(&srcs[0], 4);
}

// The image is blocked; dst has two dimensions and is plain.
static void layout(wsr__node *node)
{
    node->src[0].desc.layout = WSR__BLOCKED;
    node->dst.desc.layout = WSR__PLAIN;
}

// src and its gradient lie alike, so one stride serves both passes.
static wsr__dims dims_of(const wsr__node *node)
{
    const int64_t *const d = node->src[0].desc.shape.dims;
    const int64_t stride = node->src[0].batch_stride;
    return (wsr__dims){.n = d[0],
                       .c = d[1],
                       .h = d[2],
                       .w = d[3],
                       .src_batch_stride = stride,
                       .dst_batch_stride = stride};
}

// The padding channels of the last block are not written to dst.
static wsr_status forward(wsr__node *node)
{
    const wsr__dims d = dims_of(node);
    wsr__global_avg_forward(node->dst.data, &d, node->src[0].data);
    return WSR_OK;
}

// Every pixel of a channel gets the same share of its gradient.
static wsr_status backward(wsr__node *node)
{
    const wsr__dims d = dims_of(node);
    wsr__global_avg_backward(node->src[0].diff, &d, node->dst.diff,
                             node->src[0].accumulate);
    return WSR_OK;
}

static const wsr__impl native = {.name = "native",
                                 .layout = layout,
                                 .forward = forward,
                                 .backward = backward,
                                 .accumulates = true,
                                 .fusion = {.src_views = true}};

// On plain images, with the sum in double.
static wsr_status forward_ref(wsr__node *node)
{
    wsr__ref_global_avg_forward(node->dst.data, node->src[0].data,
                                node->src[0].desc.shape.dims);
    return WSR_OK;
}

static wsr_status backward_ref(wsr__node *node)
{
    wsr__ref_global_avg_backward(node->src[0].diff, node->dst.diff,
                                 node->src[0].desc.shape.dims);
    return WSR_OK;
}

static const wsr__impl ref = {
    .name = "ref", .forward = forward_ref, .backward = backward_ref};

static const wsr__impl *const impls[] = {&native, &ref, NULL};

const wsr__op_class wsr__op_global_avg_pool = {
    .super = {"global_avg_pool", "mean over height and width", "", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, c, h, w)",
    .result = "(n, c)",
    .infer = infer,
    .impls = impls,
    .piecewise_linear = 1u,
};
