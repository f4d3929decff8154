// SPDX-License-Identifier: Apache-2.0
//
// conv2d with a few channels on one side, on native kernels: a network's
// first convolution, and one that makes a single image of many channels. The
// thin side is plain, the other blocked. The two implementations differ in
// which side is the source.

#include "op/conv2d.h"

#include <string.h>

typedef struct state {
    wsr__thin p;
    float *packed;
    float *bias;      // padded, where wide is dst
    uint64_t version; // of the parameter that packed was made from
} state;

static bool fits(const wsr__node *node, int64_t thin, int64_t wide)
{
    const wsr__conv p = wsr__conv2d_shape(node);
    const bool square = p.kh == p.kw && p.ph == p.pw && p.ph >= 0 &&
                        p.ph < p.kh && (p.kh == 3 || p.kh == 5 || p.kh == 7);
    const bool dense = p.sh == 1 && p.sw == 1 && p.dh == 1 && p.dw == 1;
    return p.groups == 1 && square && dense && thin <= WSR__THIN &&
           wide >= WSR__BLOCK;
}

static bool expands(const wsr__node *node)
{
    const wsr__conv p = wsr__conv2d_shape(node);
    return fits(node, p.ci, p.co);
}

static bool shrinks(const wsr__node *node)
{
    const wsr__conv p = wsr__conv2d_shape(node);
    return fits(node, p.co, p.ci);
}

static void layout_expand(wsr__node *node)
{
    node->src[0].desc.layout = WSR__PLAIN;
    node->dst.desc.layout = WSR__BLOCKED;
}

static void layout_shrink(wsr__node *node)
{
    node->src[0].desc.layout = WSR__BLOCKED;
    node->dst.desc.layout = WSR__PLAIN;
}

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

static wsr__thin problem(const wsr__node *node)
{
    const wsr__conv c = wsr__conv2d_shape(node);
    if (node->dst.desc.layout == WSR__PLAIN) {
        return (wsr__thin){.n = c.n,
                           .t = c.co,
                           .c = c.ci,
                           .h = c.oh,
                           .w = c.ow,
                           .oh = c.h,
                           .ow = c.w,
                           .kernel = c.kh,
                           .pad = c.kh - 1 - c.ph,
                           .thin_dst = true};
    }
    return (wsr__thin){.n = c.n,
                       .t = c.ci,
                       .c = c.co,
                       .h = c.h,
                       .w = c.w,
                       .oh = c.oh,
                       .ow = c.ow,
                       .kernel = c.kh,
                       .pad = c.ph};
}

static wsr_status plan(wsr__node *node)
{
    state *const s = wsr__alloc(1, sizeof *s);
    if (s == NULL) {
        return WSR_NOMEM;
    }
    node->state = s;
    s->p = problem(node);
    s->packed = wsr__alloc(wsr__thin_weights_size(&s->p), sizeof(float));
    s->bias =
        wsr__alloc((size_t)(wsr__blocks(s->p.c) * WSR__BLOCK), sizeof(float));
    if (node->src[1].want_diff) {
        node->scratch_floats = wsr__thin_weights_size(&s->p) +
                               wsr__thin_scratch(&s->p);
    }
    return s->packed == NULL || s->bias == NULL ? WSR_NOMEM : WSR_OK;
}

static const float *weights(const wsr__node *node)
{
    state *const s = node->state;
    if (wsr__conv2d_stale(&s->version, node, 1)) {
        wsr__thin_pack(s->packed, &s->p, node->src[1].data);
    }
    return s->packed;
}

static const float *padded_bias(const wsr__node *node)
{
    const state *const s = node->state;
    if (node->n < 3) {
        return NULL;
    }
    memcpy(s->bias, node->src[2].data, (size_t)s->p.c * sizeof(float));
    return s->bias;
}

static wsr_status forward(wsr__node *node)
{
    wsr__thin p = ((const state *)node->state)->p;
    if (p.thin_dst) {
        const wsr__thin_how how = {.pre = node->src[0].pre,
                                   .bias = node->n > 2 ? node->src[2].data
                                                       : NULL};
        p.step = node->src[0].step;
        wsr__thin_shrink(node->dst.data, &p, node->src[0].data, weights(node),
                         &how);
    } else {
        const wsr__thin_how how = {.bias = padded_bias(node)};
        p.step = node->dst.step;
        wsr__thin_expand(node->dst.data, &p, node->src[0].data, weights(node),
                         &how);
    }
    return WSR_OK;
}

static void backward_data(const wsr__node *node)
{
    wsr__thin p = ((const state *)node->state)->p;
    const wsr__thin_how how = {.affine = node->dst.affine,
                               .gate = node->src[0].gate,
                               .accumulate = node->src[0].accumulate};
    if (p.thin_dst) {
        p.step = node->src[0].diff_step;
        wsr__thin_expand(node->src[0].diff, &p, node->dst.diff, weights(node),
                         &how);
    } else {
        p.step = node->dst.diff_step;
        wsr__thin_shrink(node->src[0].diff, &p, node->dst.diff, weights(node),
                         &how);
    }
}

static void backward_weights(const wsr__node *node)
{
    wsr__thin p = ((const state *)node->state)->p;
    const wsr__arg *const arg = &node->src[1];
    float *const packed = node->scratch;
    const wsr__thin_how how = {.pre = node->src[0].pre,
                               .affine = node->dst.affine};
    const float *data[2] = {node->src[0].data, node->dst.diff};
    p.step = node->dst.diff_step;
    if (p.thin_dst) {
        data[0] = node->dst.diff;
        data[1] = node->src[0].data;
        p.step = node->src[0].step;
    }
    wsr__thin_correlate(packed, &p, data, &how,
                        packed + wsr__thin_weights_size(&p));
    wsr__start_diff(arg);
    wsr__thin_unpack_add(arg->diff, &p, packed);
}

static wsr_status backward(wsr__node *node)
{
    if (node->src[0].want_diff) {
        backward_data(node);
    }
    if (node->src[1].want_diff) {
        backward_weights(node);
    }
    if (node->n > 2 && node->src[2].want_diff) {
        wsr__start_diff(&node->src[2]);
        wsr__conv2d_bias_add(node);
    }
    return WSR_OK;
}

const wsr__impl wsr__conv2d_expand = {.name = "expand",
                                      .applicable = expands,
                                      .layout = layout_expand,
                                      .needs = wsr__conv2d_needs,
                                      .plan = plan,
                                      .forward = forward,
                                      .backward = backward,
                                      .unplan = unplan,
                                      .accumulates = true,
                                      .reads_affine = true,
                                      .dst_views = true};

const wsr__impl wsr__conv2d_shrink = {.name = "shrink",
                                      .applicable = shrinks,
                                      .layout = layout_shrink,
                                      .needs = wsr__conv2d_needs,
                                      .plan = plan,
                                      .forward = forward,
                                      .backward = backward,
                                      .unplan = unplan,
                                      .accumulates = true,
                                      .reads_pre = 1,
                                      .src_views = true};
