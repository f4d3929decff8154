// SPDX-License-Identifier: Apache-2.0
//
// conv2d with few channels on one side, on native kernels: a network's first
// convolution (few_src), and one that makes a single image of many channels
// (few_dst). The side with few channels is plain, the other is blocked.

#include "op/conv2d.h"

#include <string.h>

typedef struct state {
    wsr__few_channels p;
    float *packed;
    float *bias;      // padded, where dst has many channels
    uint64_t version; // of the parameter that packed was made from
} state;

// More of them fill a block of eight.
static bool few_enough(int64_t few, int64_t many)
{
    return few < WSR__BLOCK && many >= WSR__BLOCK;
}

// Whether the kernel has this size: square, odd, dense, one group, few channels
// on one side.
static bool fits(const wsr__node *node, int64_t few, int64_t many)
{
    const wsr__conv p = wsr__conv2d_shape(node);
    const bool square = p.kh == p.kw && p.ph == p.pw && p.ph >= 0 &&
                        p.ph < p.kh && (p.kh == 3 || p.kh == 5 || p.kh == 7);
    const bool dense = p.sh == 1 && p.sw == 1 && p.dh == 1 && p.dw == 1;
    return p.groups == 1 && square && dense && few_enough(few, many);
}

static bool has_few_src(const wsr__node *node)
{
    const wsr__conv p = wsr__conv2d_shape(node);
    return fits(node, p.ci, p.co);
}

static bool has_few_dst(const wsr__node *node)
{
    const wsr__conv p = wsr__conv2d_shape(node);
    return fits(node, p.co, p.ci);
}

// Images of 1 or 3 channels would be mostly padding in blocks of 8; the side
// with many channels fills its blocks.
static void layout_few_src(wsr__node *node)
{
    node->src[0].desc.layout = WSR__PLAIN;
    node->dst.desc.layout = WSR__BLOCKED;
}

static void layout_few_dst(wsr__node *node)
{
    node->src[0].desc.layout = WSR__BLOCKED;
    node->dst.desc.layout = WSR__PLAIN;
}

// Also called for a node whose plan() failed halfway.
static void unplan(wsr__node *node)
{
    state *const s = node->state;
    if (s != NULL) {
        wsr__free(s->packed);
        wsr__free(s->bias);
        wsr__free(s);
        node->state = NULL;
    }
}

// The few-channel side gives h and w, whichever side it is; see native.h.
static wsr__few_channels problem(const wsr__node *node)
{
    const wsr__conv c = wsr__conv2d_shape(node);
    if (node->dst.desc.layout == WSR__PLAIN) {
        return (wsr__few_channels){.n = c.n,
                                   .few = c.co,
                                   .many = c.ci,
                                   .h = c.oh,
                                   .w = c.ow,
                                   .oh = c.h,
                                   .ow = c.w,
                                   .kernel = c.kh,
                                   .pad = c.kh - 1 - c.ph,
                                   .few_dst = true};
    }
    return (wsr__few_channels){.n = c.n,
                               .few = c.ci,
                               .many = c.co,
                               .h = c.h,
                               .w = c.w,
                               .oh = c.oh,
                               .ow = c.ow,
                               .kernel = c.kh,
                               .pad = c.ph};
}

// The bias is kept padded to whole blocks of channels, since a kernel reads
// eight numbers at a time. The padding stays 0.
static wsr_status plan(wsr__node *node)
{
    state *const s = wsr__alloc(1, sizeof(*s));
    if (s == NULL) {
        return WSR_NOMEM;
    }
    node->state = s;
    s->p = problem(node);
    s->packed =
        wsr__alloc(wsr__few_channels_weights_size(&s->p), sizeof(float));
    s->bias = wsr__alloc((size_t)(wsr__blocks(s->p.many) * WSR__BLOCK),
                         sizeof(float));
    if (node->src[1].want_diff) {
        node->scratch_floats = wsr__few_channels_weights_size(&s->p) +
                               wsr__few_channels_scratch(&s->p);
    }
    return s->packed == NULL || s->bias == NULL ? WSR_NOMEM : WSR_OK;
}

// The packed weights, made again if the parameter has changed.
static const float *weights(const wsr__node *node)
{
    state *const s = node->state;
    if (wsr__conv2d_stale(&s->version, node, 1)) {
        wsr__few_channels_pack(s->packed, &s->p, node->src[1].data);
    }
    return s->packed;
}

// The bias as forward reads it: padded where dst is blocked.
static const float *bias_of(const wsr__node *node)
{
    const state *const s = node->state;
    if (node->n < 3 || s->p.few_dst) {
        return node->n < 3 ? NULL : node->src[2].data;
    }
    memcpy(s->bias, node->src[2].data, (size_t)s->p.many * sizeof(float));
    return s->bias;
}

// The batch stride is that of the blocked side; the plain side is dense.
static wsr_status forward(wsr__node *node)
{
    wsr__few_channels p = ((const state *)node->state)->p;
    const wsr__fwd fwd = {.pre = node->src[0].pre, .bias = bias_of(node)};
    p.batch_stride = p.few_dst ? node->src[0].batch_stride
                               : node->dst.batch_stride;
    wsr__few_channels_forward(node->dst.data, &p, node->src[0].data,
                              weights(node), &fwd);
    return WSR_OK;
}

// The same packed weights serve forward and backward.
static void backward_data(const wsr__node *node)
{
    wsr__few_channels p = ((const state *)node->state)->p;
    const wsr__bwd bwd = wsr__node_bwd(node);
    p.batch_stride = p.few_dst ? node->src[0].diff_batch_stride
                               : node->dst.diff_batch_stride;
    wsr__few_channels_backward_data(node->src[0].diff, &p, node->dst.diff,
                                    weights(node), &bwd);
}

// Scratch holds the packed gradient, then the kernel's own scratch.
static void backward_weights(const wsr__node *node)
{
    wsr__few_channels p = ((const state *)node->state)->p;
    const wsr__arg *const arg = &node->src[1];
    float *const packed = node->scratch;
    const wsr__wgrad opt =
        wsr__node_wgrad(node, packed + wsr__few_channels_weights_size(&p));
    p.batch_stride = p.few_dst ? node->src[0].batch_stride
                               : node->dst.diff_batch_stride;
    wsr__few_channels_backward_weights(packed, &p, node->src[0].data,
                                       node->dst.diff, &opt);
    wsr__start_diff(arg);
    wsr__few_channels_unpack_add(arg->diff, &p, packed);
}

// Both gradients of few_dst in one pass, since both read src.
static void backward_both(const wsr__node *node)
{
    wsr__few_channels p = ((const state *)node->state)->p;
    const wsr__arg *const src = &node->src[0];
    float *const packed = node->scratch;
    const wsr__bwd bwd = wsr__node_bwd(node);
    const wsr__few_channels_grads grads = {
        .src = src->diff,
        .src_batch_stride = src->diff_batch_stride,
        .weights = packed,
        .pre = src->pre,
        .scratch = packed + wsr__few_channels_weights_size(&p)};
    p.batch_stride = src->batch_stride;
    wsr__few_channels_backward(
        &grads, &p, (const float *const[]){src->data, node->dst.diff},
        weights(node), &bwd);
    wsr__start_diff(&node->src[1]);
    wsr__few_channels_unpack_add(node->src[1].diff, &p, packed);
}

// The gradient of the bias is a sum over diff_dst alone.
static wsr_status backward(wsr__node *node)
{
    const bool of_src = node->src[0].want_diff;
    const bool of_weights = node->src[1].want_diff;
    const bool together = of_src && of_weights &&
                          ((const state *)node->state)->p.few_dst;
    if (together) {
        backward_both(node);
    }
    if (of_src && !together) {
        backward_data(node);
    }
    if (of_weights && !together) {
        backward_weights(node);
    }
    wsr__conv2d_backward_bias(node);
    return WSR_OK;
}

const wsr__impl wsr__conv2d_few_src = {
    .name = "few_src",
    .applicable = has_few_src,
    .layout = layout_few_src,
    .needs = wsr__conv2d_needs,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .unplan = unplan,
    .accumulates = true,
    .fusion = {.reads_affine = true, .dst_views = true}};

const wsr__impl wsr__conv2d_few_dst = {
    .name = "few_dst",
    .applicable = has_few_dst,
    .layout = layout_few_dst,
    .needs = wsr__conv2d_needs,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .unplan = unplan,
    .accumulates = true,
    .fusion = {.reads_pre = 1, .src_views = true}};
