// SPDX-License-Identifier: Apache-2.0
//
// y = min(max(x, 0), 6). The gradient passes where 0 < x < 6 only; a NaN
// passes forwards. Zeros stay zeros, so any layout will do.

#include "op/op.h"

// y tells where x was cut off: there it is exactly 0 or 6.
static uint32_t needs(const wsr__node *node)
{
    (void)node;
    return WSR__NEED_DST;
}

// dst may lie in src.
static wsr_status forward(wsr__node *node)
{
    wsr__relu6_forward(node->dst.data, node->src[0].data,
                       wsr__dst_floats(node));
    return WSR_OK;
}

static wsr_status backward(wsr__node *node)
{
    wsr__relu6_backward(node->src[0].diff, node->dst.data, node->dst.diff,
                        wsr__dst_floats(node), node->src[0].accumulate);
    return WSR_OK;
}

static const wsr__impl native = {
    .name = "native",
    .layout = wsr__layout_same,
    .needs = needs,
    .forward = forward,
    .backward = backward,
    .accumulates = true,
    .in_place = true,
};

// Both comparisons are false for a NaN, so it stays.
static wsr_status forward_ref(wsr__node *node)
{
    for (int64_t i = 0; i < wsr__dst_floats(node); i++) {
        const float x = node->src[0].data[i];
        const float low = x < 0 ? 0 : x;
        node->dst.data[i] = low > 6 ? 6 : low;
    }
    return WSR_OK;
}

static wsr_status backward_ref(wsr__node *node)
{
    for (int64_t i = 0; i < wsr__dst_floats(node); i++) {
        const float y = node->dst.data[i];
        node->src[0].diff[i] = y > 0 && y < 6 ? node->dst.diff[i] : 0;
    }
    return WSR_OK;
}

static const wsr__impl ref = {
    .name = "ref",
    .needs = needs,
    .forward = forward_ref,
    .backward = backward_ref,
};

static const wsr__impl *const impls[] = {&native, &ref, NULL};

const wsr__op_class wsr__op_relu6 = {
    .super = {"relu6", "min(max(x, 0), 6)", "", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = impls,
    .piecewise_linear = 1u,
};
