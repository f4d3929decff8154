// SPDX-License-Identifier: Apache-2.0
//
// y = ln(x), dx = dy / x. As in IEEE arithmetic ln(0) is -inf, and NaN below.
// Sources are plain: a padding channel of a blocked image would become -inf.

#include "op/op.h"

#include <math.h>

// The gradient is dy / x: it needs src, not dst.
static uint32_t needs(const wsr__node *node)
{
    (void)node;
    return 1;
}

// Elements [begin, end) of the flat array.
static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const float *const x = node->src[0].data;
    for (int64_t i = begin; i < end; i++) {
        node->dst.data[i] = logf(x[i]);
    }
}

// At x = 0 the gradient is infinite; nothing is cut off here.
static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const float *const x = node->src[0].data;
    const float *const dy = node->dst.diff;
    float *const dx = node->src[0].diff;
    const bool add = node->src[0].accumulate;
    for (int64_t i = begin; i < end; i++) {
        dx[i] = (add ? dx[i] : 0.0f) + dy[i] / x[i];
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
    .needs = needs,
    .forward = forward,
    .backward = backward,
    .accumulates = true,
    .in_place = true,
};

static const wsr__impl *const impls[] = {&ref, NULL};

const wsr__op_class wsr__op_log = {
    .super = {"log", "natural logarithm", "", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = impls,
};
