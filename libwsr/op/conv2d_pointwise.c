// SPDX-License-Identifier: Apache-2.0
//
// conv2d with a 1x1 kernel, on native blocked kernels. Packed weights are
// kept until the parameter changes; the transposed ones are made only by
// plans that run backward.

#include "op/conv2d.h"

typedef struct state {
    wsr__pw p;
    float *packed;
    float *transposed;
    uint64_t version;            // of the parameter packed was made from
    uint64_t transposed_version; // and transposed
} state;

// A plain source is taken only with negative padding, which leaves out rows and
// columns: for others the next implementations need no reorder.
static bool applicable(const wsr__node *node)
{
    const wsr__conv p = wsr__conv2d_shape(node);
    const wsr__pw dense = wsr__pw_of(&p);
    return wsr__pw_supported(&dense) && node->n == 2 && p.groups == 1 &&
           p.kh == 1 && p.kw == 1 && p.ph <= 0 && p.pw == p.ph &&
           p.sh == p.sw &&
           (node->src[0].desc.layout == WSR__BLOCKED || p.ph < 0);
}

// Behind a depthwise convolution both can be one step.
static bool joinable(const wsr__node *node)
{
    const wsr__conv p = wsr__conv2d_shape(node);
    return p.sh == 1 && p.ph == 0 && node->src[0].desc.part == 0;
}

static void unplan(wsr__node *node)
{
    state *const s = node->state;
    if (s != NULL) {
        wsr__free(s->packed);
        wsr__free(s->transposed);
        wsr__free(s);
        node->state = NULL;
    }
}

// A source in parts has padding within its channels: packed weights have
// rows of zeros there, and these rows count as channels.
static wsr_status plan(wsr__node *node)
{
    const wsr__conv c = wsr__conv2d_shape(node);
    state *const s = wsr__alloc(1, sizeof(*s));
    if (s == NULL) {
        return WSR_NOMEM;
    }
    node->state = s;
    s->p = wsr__pw_of(&c);
    s->p.ci_part = node->src[0].desc.part;
    if (!wsr__pw_supported(&s->p)) {
        return WSR_FAIL(WSR_UNSUPPORTED,
                        "conv2d: %lld channels in parts of %lld are more than "
                        "%d with their padding",
                        (long long)c.ci, (long long)s->p.ci_part,
                        WSR__PW_CHANNELS);
    }
    s->packed = wsr__alloc(wsr__pw_weights_size(&s->p), sizeof(float));
    if (node->src[0].want_diff) {
        s->transposed =
            wsr__alloc(wsr__pw_transposed_size(&s->p), sizeof(float));
    }
    if (node->src[1].want_diff) {
        node->scratch_floats = wsr__pw_weights_size(&s->p) +
                               wsr__pw_weights_scratch(&s->p);
    }
    const bool short_of = s->packed == NULL ||
                          (node->src[0].want_diff && s->transposed == NULL);
    return short_of ? WSR_NOMEM : WSR_OK;
}

// The problem with the batch strides of data, or of gradients.
static wsr__pw with_batch_strides(const wsr__node *node, bool diffs)
{
    const state *const s = node->state;
    wsr__pw p = s->p;
    p.src_batch_stride = node->src[0].batch_stride;
    p.dst_batch_stride = diffs ? node->dst.diff_batch_stride
                               : node->dst.batch_stride;
    return p;
}

// A norm behind it that runs on running statistics may be folded: its scale is
// multiplied into the packed weights, its shift is the bias.
static wsr_status forward(wsr__node *node)
{
    state *const s = node->state;
    wsr__node_refold(node);
    if (wsr__conv2d_stale(&s->version, node, 1)) {
        wsr__pw_pack(s->packed, &s->p, node->src[1].data,
                     wsr__node_factor(node));
    }
    const wsr__fwd fwd = wsr__node_fwd(node);
    const wsr__pw p = with_batch_strides(node, false);
    wsr__pw_forward(node->dst.data, &p, node->src[0].data, s->packed, &fwd);
    return WSR_OK;
}

// One kernel makes both gradients, so that it reads diff_dst once.
static wsr_status backward(wsr__node *node)
{
    state *const s = node->state;
    const wsr__arg *const weights = &node->src[1];
    const wsr__pw p = with_batch_strides(node, true);
    const wsr__bwd bwd = wsr__node_bwd(node);
    const float *const data[] = {node->src[0].data, node->dst.diff};
    wsr__pw_grads grads = {.pre = node->src[0].pre};
    if (node->src[0].want_diff) {
        grads.src = node->src[0].diff;
        if (wsr__conv2d_stale(&s->transposed_version, node, 1)) {
            wsr__pw_pack_transposed(s->transposed, &s->p, weights->data,
                                    wsr__node_factor(node));
        }
    }
    if (weights->want_diff) {
        grads.weights = node->scratch;
        grads.scratch = node->scratch + wsr__pw_weights_size(&s->p);
    }
    wsr__pw_backward(&grads, &p, data, s->transposed, &bwd);
    if (weights->want_diff) {
        wsr__start_diff(weights);
        wsr__pw_unpack_add(weights->diff, &s->p, grads.weights);
    }
    return WSR_OK;
}

const wsr__impl wsr__conv2d_pointwise = {
    .name = "pointwise",
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
               .parts = true,
               .folds = true,
               .fuses_to = &wsr__op_sep_conv2d,
               .fuses_after = &wsr__conv2d_depthwise,
               .can_fuse = joinable}};
