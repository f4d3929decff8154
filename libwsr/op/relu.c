// SPDX-License-Identifier: Apache-2.0
//
// dst = max(0, src), with gradient 0 where src <= 0. Layout does not matter.

#include "op/op.h"

// Padding channels are zeros and stay so; a NaN stays a NaN.
static wsr_status forward(wsr__node *node)
{
    wsr__relu_forward(node->dst.data, node->src[0].data, wsr__dst_floats(node));
    return WSR_OK;
}

// dst lies as src does, in whatever layout that is.
static void layout(wsr__node *node)
{
    wsr__layout_same(node);
    node->dst.desc.part = node->src[0].desc.part;
}

// From dst alone, which is positive where src is: src need not be kept.
static wsr_status backward(wsr__node *node)
{
    wsr__relu_backward(node->src[0].diff, node->dst.data, node->dst.diff,
                       wsr__dst_floats(node), node->src[0].accumulate);
    return WSR_OK;
}

static uint32_t needs(const wsr__node *node)
{
    (void)node;
    return WSR__NEED_DST;
}

static const wsr__impl native = {.name = "native",
                                 .layout = layout,
                                 .needs = needs,
                                 .forward = forward,
                                 .backward = backward,
                                 .accumulates = true,
                                 .in_place = true,
                                 .fusion = {.parts = true, .is_relu = true}};

// The reference overwrites its gradient.
static wsr_status forward_ref(wsr__node *node)
{
    const int64_t n = wsr__dst_floats(node);
    for (int64_t i = 0; i < n; i++) {
        const float x = node->src[0].data[i];
        node->dst.data[i] = x <= 0 ? 0 : x; // NaN stays
    }
    return WSR_OK;
}

static wsr_status backward_ref(wsr__node *node)
{
    const int64_t n = wsr__dst_floats(node);
    for (int64_t i = 0; i < n; i++) {
        node->src[0].diff[i] = node->dst.data[i] > 0 ? node->dst.diff[i] : 0;
    }
    return WSR_OK;
}

static const wsr__impl ref = {.name = "ref",
                              .needs = needs,
                              .forward = forward_ref,
                              .backward = backward_ref};

static const wsr__impl *const impls[] = {&native, &ref, NULL};

const wsr__op_class wsr__op_relu = {
    .super = {"relu", "max(0, x)", "", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = impls,
    .positive_part = true,
    .piecewise_linear = 1u,
};
