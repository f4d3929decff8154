// SPDX-License-Identifier: Apache-2.0
//
// conv2d through oneDNN, for what no native kernel does: several groups, very
// large kernels and strides. Images of few channels stay plain on the way
// in, which oneDNN's kernels for first layers expect.

#include "op/conv2d.h"

enum { FEW_CHANNELS = 8 };

// One pass: a primitive of oneDNN, and weights in the format that it chose.
typedef struct pass {
    wsr__dnnl_conv *conv;
    float *packed;
} pass;

typedef struct state {
    pass forward;
    pass data;
    pass weights;
    uint64_t version;      // of the parameter forward.packed was made from
    uint64_t data_version; // and data.packed
    size_t bias_at; // in scratch: the bias gradient, even if nobody wants it
    size_t dst_at;  // in scratch: diff_dst made plain, see takes_plain
} state;

// oneDNN knows no rows left out.
static bool applicable(const wsr__node *node)
{
    const wsr__conv p = wsr__conv2d_shape(node);
    return p.ph >= 0 && p.pw >= 0;
}

// Blocked where both sides fill their blocks; few channels may come in plain
// as in a first layer. Anything else is plain, where oneDNN has matrix
// products for all passes; for mixed or padded layouts it has nothing but its
// reference, a thousand times slower.
static void layout(wsr__node *node)
{
    const int64_t ci = node->src[0].desc.shape.dims[1];
    const int64_t co = node->dst.desc.shape.dims[1];
    const bool full = ci % WSR__BLOCK == 0 && co % WSR__BLOCK == 0;
    node->src[1].desc.layout = WSR__PLAIN;
    const bool first = ci < FEW_CHANNELS && co % WSR__BLOCK == 0;
    node->src[0].desc.layout = full ? WSR__BLOCKED : WSR__PLAIN;
    node->dst.desc.layout = full || first ? WSR__BLOCKED : WSR__PLAIN;
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

// Whether a pass must see dst in the plain layout: with a plain source and a
// blocked dst oneDNN has nothing but its reference for the gradient of the
// source, a thousand times slower.
static bool takes_plain(const wsr__node *node, wsr__direction kind)
{
    return kind == WSR__CONV_BACKWARD_DATA &&
           node->src[0].desc.layout == WSR__PLAIN &&
           node->dst.desc.layout == WSR__BLOCKED;
}

static wsr_status pass_new(pass *p, wsr__direction kind, wsr__node *node)
{
    const wsr__conv shape = wsr__conv2d_shape(node);
    const wsr__layout layouts[] = {
        node->src[0].desc.layout,
        takes_plain(node, kind) ? WSR__PLAIN : node->dst.desc.layout};
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__dnnl_conv_new(&p->conv, kind, &shape, layouts, node->n > 2));
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

// Each pass wants weights in a format of its own, and a backward pass is made
// only where its gradient is wanted. bias_at is behind the primitive's own
// scratch.
static wsr_status plan(wsr__node *node)
{
    wsr_status status = WSR_OK;
    state *const s = wsr__alloc(1, sizeof(*s));
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
        s->bias_at = wsr__lines(node->scratch_floats);
        node->scratch_floats = s->bias_at +
                               (size_t)node->dst.desc.shape.dims[1];
    }
    if (node->src[0].want_diff && takes_plain(node, WSR__CONV_BACKWARD_DATA)) {
        s->dst_at = wsr__lines(node->scratch_floats);
        node->scratch_floats = s->dst_at +
                               (size_t)wsr_shape_count(&node->dst.desc.shape);
    }
out:
    return status;
}

static void pack(pass *p, uint64_t *seen, const wsr__node *node)
{
    if (wsr__conv2d_stale(seen, node, 1)) {
        wsr__dnnl_conv_pack(p->conv, p->packed, node->src[1].data);
    }
}

static wsr_status forward(wsr__node *node)
{
    state *const s = node->state;
    wsr_status status = WSR_OK;
    pack(&s->forward, &s->version, node);
    const wsr__dnnl_args args = {.src = node->src[0].data,
                                 .weights = s->forward.packed,
                                 .bias = node->n > 2 ? node->src[2].data : NULL,
                                 .dst = node->dst.data,
                                 .scratch = node->scratch};
    WSR_TRY(wsr__dnnl_conv_run(s->forward.conv, &args));
out:
    return status;
}

static wsr_status backward_data(wsr__node *node)
{
    state *const s = node->state;
    wsr_status status = WSR_OK;
    pack(&s->data, &s->data_version, node);
    wsr__dnnl_args args = {.src = node->src[0].diff,
                           .weights = s->data.packed,
                           .dst = node->dst.diff,
                           .scratch = node->scratch};
    if (takes_plain(node, WSR__CONV_BACKWARD_DATA)) {
        const int64_t *const d = node->dst.desc.shape.dims;
        const wsr__dims dims = {.n = d[0], .c = d[1], .h = d[2], .w = d[3]};
        args.dst = node->scratch + s->dst_at;
        wsr__to_plain(args.dst, &dims, node->dst.diff, false);
    }
    WSR_TRY(wsr__dnnl_conv_run(s->data.conv, &args));
out:
    return status;
}

static wsr_status backward_weights(wsr__node *node)
{
    state *const s = node->state;
    float *const bias = node->scratch + s->bias_at;
    wsr_status status = WSR_OK;
    const wsr__dnnl_args args = {.src = node->src[0].data,
                                 .weights = s->weights.packed,
                                 .bias = bias,
                                 .dst = node->dst.diff,
                                 .scratch = node->scratch};
    WSR_TRY(wsr__dnnl_conv_run(s->weights.conv, &args));
    if (node->src[1].want_diff) {
        // oneDNN overwrites, hence no `accumulates`: run.c adds up.
        wsr__dnnl_conv_unpack(s->weights.conv, node->src[1].diff,
                              s->weights.packed);
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
