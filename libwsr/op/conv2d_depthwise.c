// SPDX-License-Identifier: Apache-2.0
//
// conv2d with one filter per channel, on native blocked kernels. Packed
// weights are kept until the parameter changes.

#include "op/conv2d.h"

typedef struct state {
    wsr__dw p;
    float *packed;
    uint64_t version; // of the parameter that packed was made from
} state;

// No bias, one filter per channel, height and width alike. Negative padding,
// which leaves out rows, is no case of the kernel.
static bool applicable(const wsr__node *node)
{
    const wsr__conv p = wsr__conv2d_shape(node);
    return node->n == 2 && p.groups == p.ci && p.co == p.ci && p.ci > 1 &&
           p.kh == p.kw && p.sh == p.sw && p.ph == p.pw && p.dh == p.dw &&
           p.ph >= 0;
}

static void unplan(wsr__node *node)
{
    state *const s = node->state;
    if (s != NULL) {
        wsr__free(s->packed);
        wsr__free(s);
        node->state = NULL;
    }
}

// Packed weights are [block][tap][8]. Scratch for the gradient of weights is a
// packed gradient and what the kernel sums up in.
static wsr_status plan(wsr__node *node)
{
    const wsr__conv c = wsr__conv2d_shape(node);
    state *const s = wsr__alloc(1, sizeof(*s));
    if (s == NULL) {
        return WSR_NOMEM;
    }
    node->state = s;
    s->p = wsr__dw_of(&c);
    s->packed = wsr__alloc(wsr__dw_weights_size(&s->p), sizeof(float));
    if (node->src[1].want_diff) {
        node->scratch_floats = wsr__dw_weights_size(&s->p) +
                               wsr__dw_backward_weights_scratch(&s->p);
    }
    return s->packed == NULL ? WSR_NOMEM : WSR_OK;
}

// The problem with the batch strides of data, or of gradients.
static wsr__dw with_batch_strides(const wsr__node *node, bool diffs)
{
    const state *const s = node->state;
    wsr__dw p = s->p;
    p.src_batch_stride = node->src[0].batch_stride;
    p.dst_batch_stride = diffs ? node->dst.diff_batch_stride
                               : node->dst.batch_stride;
    return p;
}

// The packed weights, made again if the parameter has changed.
static const float *weights(const wsr__node *node)
{
    state *const s = node->state;
    if (wsr__conv2d_stale(&s->version, node, 1)) {
        wsr__dw_pack(s->packed, &s->p, node->src[1].data, NULL);
    }
    return s->packed;
}

// src and dst are blocked (nChw8c) and may be views.
static wsr_status forward(wsr__node *node)
{
    const wsr__fwd fwd = wsr__node_fwd(node);
    const wsr__dw p = with_batch_strides(node, false);
    wsr__dw_forward(node->dst.data, &p, node->src[0].data, weights(node), &fwd);
    return WSR_OK;
}

// Scratch holds the packed gradient, then the kernel's own scratch.
static void backward_weights(const wsr__node *node)
{
    const state *const s = node->state;
    const wsr__arg *const arg = &node->src[1];
    float *const packed = node->scratch;
    const wsr__wgrad opt =
        wsr__node_wgrad(node, packed + wsr__dw_weights_size(&s->p));
    const wsr__dw p = with_batch_strides(node, true);
    wsr__dw_backward_weights(packed, &p, node->src[0].data, node->dst.diff,
                             &opt);
    wsr__start_diff(arg);
    wsr__dw_unpack_add(arg->diff, &s->p, packed);
}

static wsr_status backward(wsr__node *node)
{
    if (node->src[0].want_diff) {
        const wsr__bwd bwd = wsr__node_bwd(node);
        const wsr__dw p = with_batch_strides(node, true);
        wsr__dw_backward_data(node->src[0].diff, &p, node->dst.diff,
                              weights(node), &bwd);
    }
    if (node->src[1].want_diff) {
        backward_weights(node);
    }
    return WSR_OK;
}

const wsr__impl wsr__conv2d_depthwise = {.name = "depthwise",
                                         .applicable = applicable,
                                         .layout = wsr__layout_blocked,
                                         .needs = wsr__conv2d_needs,
                                         .plan = plan,
                                         .forward = forward,
                                         .backward = backward,
                                         .unplan = unplan,
                                         .accumulates = true,
                                         .fusion = {.reads_pre = 1,
                                                    .reads_affine = true,
                                                    .writes_sums = true,
                                                    .src_views = true,
                                                    .dst_views = true}};
