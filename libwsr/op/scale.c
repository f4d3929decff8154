// SPDX-License-Identifier: Apache-2.0
//
// dst = factor * src + offset, diff_src = factor * diff_dst. Without an offset
// zeros stay zeros and any layout will do; with one sources are plain, since
// the padding channels of a blocked image must stay zero.

#include "op/params.h"

#include <stddef.h>

static const wsr__option schema[] = {
    {"factor", WSR__FLOAT, offsetof(wsr__scale_params, factor), "1", 0, 0, "",
     "what the source is multiplied by", NULL},
    {"offset", WSR__FLOAT, offsetof(wsr__scale_params, offset), "0", 0, 0, "",
     "what is added then", NULL},
    {0},
};

// An offset would change padding channels, so it asks for the plain layout.
static void layout(wsr__node *node)
{
    const wsr__scale_params *const o = node->params;
    if (o->offset == 0) {
        wsr__layout_same(node);
    } else {
        node->src[0].desc.layout = WSR__PLAIN;
        node->dst.desc.layout = WSR__PLAIN;
    }
}

// In single precision, as PyTorch multiplies by a number.
static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const wsr__scale_params *const o = node->params;
    const float factor = (float)o->factor;
    const float offset = (float)o->offset;
    const float *const x = node->src[0].data;
    for (int64_t i = begin; i < end; i++) {
        node->dst.data[i] = factor * x[i] + offset;
    }
}

// The offset is a constant and has no gradient.
static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const wsr__scale_params *const o = node->params;
    const float factor = (float)o->factor;
    const float *const dy = node->dst.diff;
    float *const dx = node->src[0].diff;
    const bool add = node->src[0].accumulate;
    for (int64_t i = begin; i < end; i++) {
        dx[i] = (add ? dx[i] : 0.0f) + factor * dy[i];
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

// Backward needs neither src nor dst.
static const wsr__impl ref = {
    .name = "ref",
    .layout = layout,
    .forward = forward,
    .backward = backward,
    .accumulates = true,
    .in_place = true,
};

static const wsr__impl *const impls[] = {&ref, NULL};

const wsr__op_class wsr__op_scale = {
    .super = {"scale", "factor * x + offset", "", schema,
              sizeof(wsr__scale_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = impls,
    .piecewise_linear = 1u,
};
