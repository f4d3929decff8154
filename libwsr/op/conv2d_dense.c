// SPDX-License-Identifier: Apache-2.0
//
// conv2d of one group, any kernel, stride and bias, on native blocked kernels:
// sums over the taps, or Winograd's for 3x3 of many channels. Packed weights
// are kept until the parameter changes.

#include "op/conv2d.h"

#include <string.h>

typedef struct state {
    const wsr__dense_method *m;
    const wsr__dense_method *of_weights; // for their gradient
    wsr__dense p;
    float *packed;
    float *transposed;           // for backward data
    float *bias;                 // padded to whole blocks
    uint64_t version;            // of the parameter packed was made from
    uint64_t transposed_version; // and transposed
} state;

static bool applicable(const wsr__node *node)
{
    const wsr__conv p = wsr__conv2d_shape(node);
    return wsr__dense_supported(&p);
}

static void unplan(wsr__node *node)
{
    state *const s = node->state;
    if (s != NULL) {
        wsr__free(s->packed);
        wsr__free(s->transposed);
        wsr__free(s->bias);
        wsr__free(s);
        node->state = NULL;
    }
}

// Scratch for the gradient of weights is a packed gradient and what the kernel
// sums up in.
static wsr_status plan(wsr__node *node)
{
    const wsr__conv c = wsr__conv2d_shape(node);
    state *const s = wsr__alloc(1, sizeof(*s));
    if (s == NULL) {
        return WSR_NOMEM;
    }
    node->state = s;
    s->p = (wsr__dense){.conv = c};
    s->m = wsr__winograd_supported(&c) ? &wsr__winograd : &wsr__sum_of_taps;
    s->of_weights = wsr__winograd_supports_weights(&c) ? s->m
                                                       : &wsr__sum_of_taps;
    s->packed = wsr__alloc(s->m->weights_size(&s->p), sizeof(float));
    s->bias =
        wsr__alloc((size_t)(wsr__blocks(c.co) * WSR__BLOCK), sizeof(float));
    if (node->src[0].want_diff) {
        s->transposed = wsr__alloc(s->m->transposed_size(&s->p), sizeof(float));
    }
    node->thread_scratch_floats = s->m->thread_scratch(&s->p);
    if (node->src[1].want_diff) {
        const size_t more = s->of_weights->thread_scratch(&s->p);
        node->scratch_floats = wsr__dense_weights_size(&s->p) +
                               s->of_weights->weights_scratch(&s->p);
        if (more > node->thread_scratch_floats) {
            node->thread_scratch_floats = more;
        }
    }
    const bool short_of = s->packed == NULL || s->bias == NULL ||
                          (node->src[0].want_diff && s->transposed == NULL);
    return short_of ? WSR_NOMEM : WSR_OK;
}

// The problem with the batch strides of data, or of gradients.
static wsr__dense with_batch_strides(const wsr__node *node, bool src_diff,
                                     bool dst_diff)
{
    const state *const s = node->state;
    wsr__dense p = s->p;
    p.src_batch_stride = src_diff ? node->src[0].diff_batch_stride
                                  : node->src[0].batch_stride;
    p.dst_batch_stride = dst_diff ? node->dst.diff_batch_stride
                                  : node->dst.batch_stride;
    return p;
}

// A folded norm multiplies its scale into the packed weights and has them add
// its shift; a bias of the convolution passes through the norm.
static const float *bias_of(const wsr__node *node, const wsr__fwd *fwd)
{
    const state *const s = node->state;
    if (node->n < 3) {
        return fwd->bias;
    }
    const float *const factor = wsr__node_factor(node);
    for (int64_t c = 0; c < s->p.conv.co; c++) {
        const float b = node->src[2].data[c];
        s->bias[c] = factor != NULL ? b * factor[c] + fwd->bias[c] : b;
    }
    return s->bias;
}

static wsr_status forward(wsr__node *node)
{
    state *const s = node->state;
    wsr__node_refold(node);
    if (wsr__conv2d_stale(&s->version, node, 1)) {
        s->m->pack(s->packed, &s->p, node->src[1].data, wsr__node_factor(node));
    }
    wsr__fwd fwd = wsr__node_fwd(node);
    fwd.bias = bias_of(node, &fwd);
    const wsr__dense p = with_batch_strides(node, false, false);
    s->m->forward(node->dst.data, &p, node->src[0].data, s->packed,
                  &node->thread_scratch, &fwd);
    return WSR_OK;
}

static void backward_data(const wsr__node *node)
{
    state *const s = node->state;
    const wsr__bwd bwd = wsr__node_bwd(node);
    const wsr__dense p = with_batch_strides(node, true, true);
    if (wsr__conv2d_stale(&s->transposed_version, node, 1)) {
        s->m->pack_transposed(s->transposed, &s->p, node->src[1].data,
                              wsr__node_factor(node));
    }
    s->m->backward_data(node->src[0].diff, &p, node->dst.diff, s->transposed,
                        &node->thread_scratch, &bwd);
}

// Scratch holds the packed gradient, then the kernel's own scratch.
static void backward_weights(const wsr__node *node)
{
    const state *const s = node->state;
    const wsr__arg *const arg = &node->src[1];
    float *const packed = node->scratch;
    const wsr__wgrad opt =
        wsr__node_wgrad(node, packed + wsr__dense_weights_size(&s->p));
    const wsr__dense p = with_batch_strides(node, false, true);
    s->of_weights->backward_weights(packed, &p, node->src[0].data,
                                    node->dst.diff, &node->thread_scratch,
                                    &opt);
    wsr__start_diff(arg);
    wsr__dense_unpack_add(arg->diff, &s->p, packed);
}

static wsr_status backward(wsr__node *node)
{
    if (node->src[0].want_diff) {
        backward_data(node);
    }
    if (node->src[1].want_diff) {
        backward_weights(node);
    }
    wsr__conv2d_backward_bias(node);
    return WSR_OK;
}

const wsr__impl wsr__conv2d_dense = {.name = "dense",
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
                                                .writes_moments = true,
                                                .writes_sums = true,
                                                .src_views = true,
                                                .dst_views = true,
                                                .folds = true}};
