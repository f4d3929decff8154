// SPDX-License-Identifier: Apache-2.0
//
// conv2d through oneDNN: dense kernels, groups that are not depthwise, a
// bias. Images of few channels stay plain on the way in, as oneDNN's kernels
// for first layers like them.

#include "op/conv2d.h"

enum { FEW_CHANNELS = 8 };

// Where oneDNN has no fast kernel for the layouts that the plan has chosen, it
// gets both tensors plain, through scratch memory.
typedef struct pass {
    wsr__dnnl_conv *conv;
    float *packed;
    bool plain;
} pass;

typedef struct state {
    pass forward;
    pass data;
    pass weights;
    uint64_t version;      // of the parameter forward.packed was made from
    uint64_t data_version; // and data.packed
    size_t bias_at; // in scratch: the bias gradient, even if nobody wants it
    size_t src_at;  // in scratch: a plain source
    size_t dst_at;  // in scratch: a plain dst
} state;

// oneDNN knows no rows left out.
static bool applicable(const wsr__node *node)
{
    const wsr__conv p = wsr__conv2d_shape(node);
    return p.ph >= 0 && p.pw >= 0;
}

static void layout(wsr__node *node)
{
    const bool few = node->src[0].desc.shape.dims[1] < FEW_CHANNELS;
    node->src[0].desc.layout = few ? WSR__PLAIN : WSR__BLOCKED;
    node->src[1].desc.layout = WSR__PLAIN;
    node->dst.desc.layout = WSR__BLOCKED;
}

static void pass_free(pass *p)
{
    wsr__dnnl_conv_free(p->conv);
    wsr__free(p->packed);
}

static void unplan(wsr__node *node)
{
    state *const s = node->state;
    if (s != NULL) {
        pass_free(&s->forward);
        pass_free(&s->data);
        pass_free(&s->weights);
        wsr__free(s);
        node->state = NULL;
    }
}

static wsr_status pass_new(pass *p, wsr__direction kind, wsr__node *node)
{
    static const wsr__layout plain[] = {WSR__PLAIN, WSR__PLAIN};
    const wsr__conv shape = wsr__conv2d_shape(node);
    const wsr__layout layouts[] = {node->src[0].desc.layout,
                                   node->dst.desc.layout};
    const bool bias = node->n > 2;
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__dnnl_conv_new(&p->conv, kind, &shape, layouts, bias));
    if (wsr__dnnl_conv_is_slow(p->conv)) {
        wsr__dnnl_conv_free(p->conv);
        p->plain = true;
        WSR_TRY(wsr__dnnl_conv_new(&p->conv, kind, &shape, plain, bias));
    }
    p->packed = wsr__alloc(wsr__dnnl_conv_weights_size(p->conv), sizeof(float));
    if (p->packed == NULL) {
        return WSR_NOMEM;
    }
    const size_t need = wsr__dnnl_conv_scratch(p->conv);
    if (need > node->scratch_floats) {
        node->scratch_floats = need;
    }
out:
    return status;
}

static bool wants_weights(const wsr__node *node)
{
    return node->src[1].want_diff || (node->n > 2 && node->src[2].want_diff);
}

static uint32_t needs(const wsr__node *node)
{
    return (wants_weights(node) ? 1u : 0u) | (node->src[0].want_diff ? 2u : 0u);
}

// Where behind what oneDNN needs a tensor lies in scratch.
static size_t add_scratch(wsr__node *node, const wsr_shape *shape)
{
    const size_t at = (node->scratch_floats + 15) / 16 * 16;
    node->scratch_floats = at + (size_t)wsr_shape_count(shape);
    return at;
}

static wsr_status plan(wsr__node *node)
{
    wsr_status status = WSR_OK;
    state *const s = wsr__alloc(1, sizeof *s);
    if (s == NULL) {
        return WSR_NOMEM;
    }
    node->state = s;
    WSR_TRY(pass_new(&s->forward, WSR__CONV_FORWARD, node));
    if (node->src[0].want_diff) {
        WSR_TRY(pass_new(&s->data, WSR__CONV_BACKWARD_DATA, node));
    }
    if (wants_weights(node)) {
        WSR_TRY(pass_new(&s->weights, WSR__CONV_BACKWARD_WEIGHTS, node));
        s->bias_at = (node->scratch_floats + 15) / 16 * 16;
        node->scratch_floats = s->bias_at +
                               (size_t)node->dst.desc.shape.dims[1];
    }
    if (s->forward.plain || s->data.plain || s->weights.plain) {
        s->src_at = add_scratch(node, &node->src[0].desc.shape);
        s->dst_at = add_scratch(node, &node->dst.desc.shape);
    }
out:
    return status;
}

static wsr_status pack(pass *p, uint64_t *seen, const wsr__node *node)
{
    if (!wsr__conv2d_stale(seen, node->src[1].param)) {
        return WSR_OK;
    }
    return wsr__dnnl_conv_pack(p->conv, p->packed, node->src[1].data);
}

// A tensor as a pass wants it: as it is, or in the scratch memory `at`. It is
// copied there when the pass reads it.
static float *lend(const wsr__node *node, const pass *p, const wsr__arg *arg,
                   float *data, size_t at)
{
    return p->plain && arg->desc.layout == WSR__BLOCKED ? node->scratch + at
                                                        : data;
}

static void copy_in(float *lent, const wsr__arg *arg, const float *data)
{
    const int64_t *const d = arg->desc.shape.dims;
    const wsr__dims dims = {.n = d[0], .c = d[1], .h = d[2], .w = d[3]};
    if (lent != data) {
        wsr__to_plain(lent, &dims, data, false);
    }
}

static void copy_out(const float *lent, const wsr__arg *arg, float *data)
{
    const int64_t *const d = arg->desc.shape.dims;
    const wsr__dims dims = {.n = d[0], .c = d[1], .h = d[2], .w = d[3]};
    if (lent != data) {
        wsr__to_blocked(data, &dims, lent, false);
    }
}

static wsr_status forward(wsr__node *node)
{
    state *const s = node->state;
    const pass *const p = &s->forward;
    wsr__arg *const src = &node->src[0];
    wsr__arg *const dst = &node->dst;
    wsr_status status = WSR_OK;
    WSR_TRY(pack(&s->forward, &s->version, node));
    const wsr__dnnl_args args = {
        .src = lend(node, p, src, src->data, s->src_at),
        .weights = p->packed,
        .bias = node->n > 2 ? node->src[2].data : NULL,
        .dst = lend(node, p, dst, dst->data, s->dst_at),
        .scratch = node->scratch};
    copy_in(args.src, src, src->data);
    WSR_TRY(wsr__dnnl_conv_run(p->conv, &args));
    copy_out(args.dst, dst, dst->data);
out:
    return status;
}

static wsr_status backward_data(wsr__node *node)
{
    state *const s = node->state;
    const pass *const p = &s->data;
    wsr__arg *const src = &node->src[0];
    wsr__arg *const dst = &node->dst;
    wsr_status status = WSR_OK;
    WSR_TRY(pack(&s->data, &s->data_version, node));
    const wsr__dnnl_args args = {
        .src = lend(node, p, src, src->diff, s->src_at),
        .weights = p->packed,
        .dst = lend(node, p, dst, dst->diff, s->dst_at),
        .scratch = node->scratch};
    copy_in(args.dst, dst, dst->diff);
    WSR_TRY(wsr__dnnl_conv_run(p->conv, &args));
    copy_out(args.src, src, src->diff);
out:
    return status;
}

static wsr_status backward_weights(wsr__node *node)
{
    state *const s = node->state;
    const pass *const p = &s->weights;
    wsr__arg *const src = &node->src[0];
    wsr__arg *const dst = &node->dst;
    float *const bias = node->scratch + s->bias_at;
    wsr_status status = WSR_OK;
    const wsr__dnnl_args args = {
        .src = lend(node, p, src, src->data, s->src_at),
        .weights = p->packed,
        .bias = bias,
        .dst = lend(node, p, dst, dst->diff, s->dst_at),
        .scratch = node->scratch};
    copy_in(args.src, src, src->data);
    copy_in(args.dst, dst, dst->diff);
    WSR_TRY(wsr__dnnl_conv_run(p->conv, &args));
    if (node->src[1].want_diff) {
        WSR_TRY(wsr__dnnl_conv_unpack(p->conv, node->src[1].diff, p->packed));
    }
    if (node->n > 2 && node->src[2].want_diff) {
        wsr__scale(node->src[2].diff, 1, bias, node->dst.desc.shape.dims[1]);
    }
out:
    return status;
}

static wsr_status backward(wsr__node *node)
{
    wsr_status status = WSR_OK;
    if (node->src[0].want_diff) {
        WSR_TRY(backward_data(node));
    }
    if (wants_weights(node)) {
        WSR_TRY(backward_weights(node));
    }
out:
    return status;
}

const wsr__impl wsr__conv2d_dnnl = {.name = "dnnl",
                                    .applicable = applicable,
                                    .layout = layout,
                                    .needs = needs,
                                    .plan = plan,
                                    .forward = forward,
                                    .backward = backward,
                                    .unplan = unplan};
