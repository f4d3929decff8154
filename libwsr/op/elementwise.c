// SPDX-License-Identifier: Apache-2.0
//
// The loops of elementwise ops. Images stay in the layout in which they lie, as
// long as padding channels stay zeros or there are none.

#include "op/elementwise.h"

#include <math.h>

enum { CHUNK = 1024 };

// Zeros must stay zeros in both passes: an infinite derivative would make NaN
// of the zero gradient of a padding channel.
static bool keeps_zero(const wsr__node *node)
{
    const wsr__elementwise *const f = node->cls->elementwise;
    return f->value(0, node->params) == 0 &&
           isfinite(f->slope(0, node->params));
}

static void layout(wsr__node *node)
{
    wsr__desc *const src = &node->src[0].desc;
    if (src->layout == WSR__BLOCKED && !keeps_zero(node) &&
        src->shape.dims[1] % WSR__BLOCK != 0) {
        src->layout = WSR__PLAIN;
    }
    node->dst.desc.layout = src->layout;
}

// ------------------------------------------------------------------- arrays

static bool has_arrays(const wsr__node *node)
{
    return node->cls->elementwise->forward != NULL;
}

static uint32_t needs(const wsr__node *node)
{
    return node->cls->elementwise->reads;
}

static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    node->cls->elementwise->forward(node->dst.data + begin,
                                    node->src[0].data + begin, end - begin,
                                    node->params);
}

// A gradient that accumulates passes through a small buffer.
static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const wsr__elementwise *const f = node->cls->elementwise;
    float *const dx = node->src[0].diff;
    const float *const dy = node->dst.diff;
    const float *const at = f->reads == WSR__NEED_DST ? node->dst.data
                                                      : node->src[0].data;
    if (!node->src[0].accumulate) {
        f->backward(dx + begin, dy + begin, at + begin, end - begin,
                    node->params);
        return;
    }
    float chunk[CHUNK];
    for (int64_t k = begin; k < end; k += CHUNK) {
        const int64_t n = end - k < CHUNK ? end - k : CHUNK;
        f->backward(chunk, dy + k, at + k, n, node->params);
        for (int64_t i = 0; i < n; i++) {
            dx[k + i] += chunk[i];
        }
    }
}

static wsr_status forward(wsr__node *node)
{
    return wsr__share_elements(node, 1, forward_share);
}

static wsr_status backward(wsr__node *node)
{
    return wsr__share_elements(node, 1, backward_share);
}

static const wsr__impl native = {
    .name = "native",
    .applicable = has_arrays,
    .layout = layout,
    .needs = needs,
    .forward = forward,
    .backward = backward,
    .accumulates = true,
    .in_place = true,
};

// ------------------------------------------------------------------- double

static uint32_t needs_ref(const wsr__node *node)
{
    (void)node;
    return 1;
}

static void forward_ref_share(void *ctx, int64_t begin, int64_t end,
                              size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const wsr__elementwise *const f = node->cls->elementwise;
    for (int64_t i = begin; i < end; i++) {
        const double x = (double)node->src[0].data[i];
        node->dst.data[i] = (float)f->value(x, node->params);
    }
}

static void backward_ref_share(void *ctx, int64_t begin, int64_t end,
                               size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const wsr__elementwise *const f = node->cls->elementwise;
    float *const dx = node->src[0].diff;
    const bool add = node->src[0].accumulate;
    for (int64_t i = begin; i < end; i++) {
        const double x = (double)node->src[0].data[i];
        const double grad = (double)node->dst.diff[i] *
                            f->slope(x, node->params);
        dx[i] = (add ? dx[i] : 0.0f) + (float)grad;
    }
}

// An element costs about as much as reading so many floats.
enum { COST = 16 };

static wsr_status forward_ref(wsr__node *node)
{
    return wsr__share_elements(node, COST, forward_ref_share);
}

static wsr_status backward_ref(wsr__node *node)
{
    return wsr__share_elements(node, COST, backward_ref_share);
}

static const wsr__impl ref = {
    .name = "ref",
    .layout = layout,
    .needs = needs_ref,
    .forward = forward_ref,
    .backward = backward_ref,
    .accumulates = true,
    .in_place = true,
};

const wsr__impl *const wsr__elementwise_impls[] = {&native, &ref, NULL};
