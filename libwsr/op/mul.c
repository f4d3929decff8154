// SPDX-License-Identifier: Apache-2.0
//
// Elementwise product of two tensors of one shape:
//
//   dst = a * b,   diff_a = diff_dst * b,   diff_b = diff_dst * a
//
// Zeros stay zeros, so any layout will do.

#include "op/op.h"

static uint32_t needs(const wsr__node *node)
{
    return (node->src[1].want_diff ? 1u : 0u) |
           (node->src[0].want_diff ? 2u : 0u);
}

static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const float *const a = node->src[0].data;
    const float *const b = node->src[1].data;
    for (int64_t i = begin; i < end; i++) {
        node->dst.data[i] = a[i] * b[i];
    }
}

// One source after the other: both may be the same tensor.
static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const float *const dy = node->dst.diff;
    for (size_t s = 0; s < 2; s++) {
        const float *const other = node->src[1 - s].data;
        float *const dx = node->src[s].diff;
        const bool add = node->src[s].accumulate;
        for (int64_t i = begin; node->src[s].want_diff && i < end; i++) {
            dx[i] = (add ? dx[i] : 0.0f) + dy[i] * other[i];
        }
    }
}

static wsr_status forward(wsr__node *node)
{
    wsr__share(wsr__dst_floats(node), 1, forward_share, node);
    return WSR_OK;
}

static wsr_status backward(wsr__node *node)
{
    wsr__share(wsr__dst_floats(node), 1, backward_share, node);
    return WSR_OK;
}

static const wsr__impl ref = {
    .name = "ref",
    .layout = wsr__layout_same,
    .needs = needs,
    .forward = forward,
    .backward = backward,
    .accumulates = true,
    .in_place = true,
};

static const wsr__impl *const impls[] = {&ref, NULL};

const wsr__op_class wsr__op_mul = {
    .super = {"mul", "elementwise product", "", NULL, 0},
    .min_srcs = 2,
    .max_srcs = 2,
    .sources = "a (n, ...), b (n, ...)",
    .result = "as a",
    .infer = wsr__infer_same,
    .impls = impls,
};
