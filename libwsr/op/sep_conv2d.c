// SPDX-License-Identifier: Apache-2.0
//
// A depthwise convolution followed by a pointwise one (Chollet,
// arXiv:1610.02357), in one pass over the batch. The result of the first stays
// in the cache and is never written to memory; for the gradients of the weights
// it is computed again. Plans use this op where a graph has the two; graphs may
// also name it.
//
// Sources: src (n, c, h, w), depthwise weights (c, 1, k, k), pointwise
// weights (co, c, 1, 1). Options are those of the depthwise convolution.

#include "op/conv2d.h"

#include <stddef.h>

static const wsr__option schema[] = {
    {"stride", WSR__INTS, offsetof(wsr__conv2d, stride), "1", 1, 64, "pixels",
     "step between outputs", NULL},
    {"pad", WSR__INTS, offsetof(wsr__conv2d, pad), "0", 0, 1024, "pixels",
     "zeros around the source", NULL},
    {"dilation", WSR__INTS, offsetof(wsr__conv2d, dilation), "1", 1, 64,
     "pixels", "step between taps", NULL},
    {"groups", WSR__INT, offsetof(wsr__conv2d, groups), "1", 1, 1 << 20, "",
     "ignored: one filter per channel", NULL},
    {"offset", WSR__INT, offsetof(wsr__conv2d, offset), "0", 0, 0, "pixels",
     "always 0", NULL},
    {0},
};

enum { SRC, DEPTHWISE, POINTWISE };

static wsr__conv2d depthwise_options(const void *params, int64_t channels)
{
    wsr__conv2d o = *(const wsr__conv2d *)params;
    o.groups = channels;
    return o;
}

// Whether height and width are treated alike.
static bool is_square(const wsr__ints *list)
{
    return list->n == 1 || list->v[0] == list->v[1];
}

// conv2d checks the depthwise half; groups are set to the channels first.
static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)n;
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__op_ndims(&srcs[SRC], 4));
    const wsr__conv2d o = depthwise_options(params, srcs[SRC].dims[1]);
    WSR_TRY(wsr__op_conv2d.infer(dst, &o, srcs, 2));
    if (!is_square(&o.stride) || !is_square(&o.pad) ||
        !is_square(&o.dilation) ||
        srcs[DEPTHWISE].dims[2] != srcs[DEPTHWISE].dims[3]) {
        return wsr__op_shape_fail("depthwise weights, stride, pad and dilation "
                                  "must be the same in both directions",
                                  &srcs[DEPTHWISE]);
    }
    if (dst->dims[1] != srcs[SRC].dims[1] || srcs[POINTWISE].ndims != 4 ||
        srcs[POINTWISE].dims[1] != dst->dims[1] ||
        srcs[POINTWISE].dims[2] != 1 || srcs[POINTWISE].dims[3] != 1) {
        return wsr__op_shape_fail(
            "pointwise weights must be (co, channels, 1, 1)", &srcs[POINTWISE]);
    }
    dst->dims[1] = srcs[POINTWISE].dims[0];
out:
    return status;
}

// The kernel computes the gradients of both weights from the same data.
static bool wants_weights(const wsr__node *node)
{
    return node->src[DEPTHWISE].want_diff || node->src[POINTWISE].want_diff;
}

// Both weights are needed for any gradient: that of src passes through both,
// and the intermediate result is computed from the depthwise ones.
static uint32_t needs(const wsr__node *node)
{
    return (wants_weights(node) ? 1u << SRC : 0u) | 1u << DEPTHWISE |
           1u << POINTWISE;
}

// ------------------------------------------------------------------ native

// Packed weights, each with the version of the parameter that it was made from:
// they are packed again when an optimiser has changed it.
typedef struct state {
    wsr__sep p;
    wsr__pw pw; // the second half of p
    float *depthwise;
    float *pointwise;
    float *transposed;    // of pointwise, for backward
    uint64_t versions[3]; // of what they were packed from
} state;

static void unplan(wsr__node *node)
{
    state *const s = node->state;
    if (s != NULL) {
        wsr__free(s->depthwise);
        wsr__free(s->pointwise);
        wsr__free(s->transposed);
        wsr__free(s);
        node->state = NULL;
    }
}

// Dense; with_batch_strides puts in where the images lie.
static wsr__sep shape_of(const wsr__node *node)
{
    const wsr__conv2d *const o = node->params;
    const int64_t *const s = node->src[SRC].desc.shape.dims;
    const int64_t *const d = node->dst.desc.shape.dims;
    const wsr__dw dw = {.n = s[0],
                        .c = s[1],
                        .h = s[2],
                        .w = s[3],
                        .oh = d[2],
                        .ow = d[3],
                        .kernel = node->src[DEPTHWISE].desc.shape.dims[2],
                        .stride = o->stride.v[0],
                        .pad = o->pad.v[0],
                        .dilation = o->dilation.v[0]};
    return (wsr__sep){.dw = dw, .co = d[1]};
}

static bool applicable(const wsr__node *node)
{
    const wsr__sep p = shape_of(node);
    return wsr__sep_supported(&p);
}

// Floats of the packed gradients that lie at the start of the scratch.
static size_t grads_floats(const state *s)
{
    return wsr__dw_weights_size(&s->p.dw) + wsr__pw_weights_size(&s->pw);
}

// Packed weights live as long as the plan. Memory for rows of the intermediate
// result is scratch of each thread.
static wsr_status plan(wsr__node *node)
{
    state *const s = wsr__alloc(1, sizeof(*s));
    if (s == NULL) {
        return WSR_NOMEM;
    }
    node->state = s;
    s->p = shape_of(node);
    s->pw = wsr__sep_pw(&s->p);
    s->depthwise = wsr__alloc(wsr__dw_weights_size(&s->p.dw), sizeof(float));
    s->pointwise = wsr__alloc(wsr__pw_weights_size(&s->pw), sizeof(float));
    s->transposed = wsr__alloc(wsr__pw_transposed_size(&s->pw), sizeof(float));
    if (s->depthwise == NULL || s->pointwise == NULL || s->transposed == NULL) {
        return WSR_NOMEM;
    }
    node->thread_scratch_floats =
        wsr__sep_thread_scratch(&s->p, wants_weights(node));
    if (wants_weights(node)) {
        node->scratch_floats = grads_floats(s) +
                               wsr__sep_weights_scratch(&s->p);
    }
    return WSR_OK;
}

// Packs again what has changed since. A folded norm scales the pointwise
// weights per output channel.
static wsr__sep_weights weights_of(const wsr__node *node, bool transposed)
{
    state *const s = node->state;
    const float *const pw = node->src[POINTWISE].data;
    const float *const factor = wsr__node_factor(node);
    if (wsr__conv2d_stale(&s->versions[0], node, DEPTHWISE)) {
        wsr__dw_pack(s->depthwise, &s->p.dw, node->src[DEPTHWISE].data, NULL);
    }
    if (wsr__conv2d_stale(&s->versions[1], node, POINTWISE)) {
        wsr__pw_pack(s->pointwise, &s->pw, pw, factor);
    }
    if (transposed && wsr__conv2d_stale(&s->versions[2], node, POINTWISE)) {
        wsr__pw_pack_transposed(s->transposed, &s->pw, pw, factor);
    }
    return (wsr__sep_weights){.dw = s->depthwise,
                              .pw = s->pointwise,
                              .transposed = s->transposed,
                              .threads = node->thread_scratch};
}

// The problem with the batch strides of data, or of gradients.
static wsr__sep with_batch_strides(const wsr__node *node, bool diffs)
{
    const state *const s = node->state;
    wsr__sep p = s->p;
    p.dw.src_batch_stride = node->src[SRC].batch_stride;
    p.dst_batch_stride = diffs ? node->dst.diff_batch_stride
                               : node->dst.batch_stride;
    return p;
}

static wsr_status forward(wsr__node *node)
{
    const wsr__sep p = with_batch_strides(node, false);
    wsr__node_refold(node);
    const wsr__sep_weights weights = weights_of(node, false);
    const wsr__fwd fwd = wsr__node_fwd(node);
    wsr__sep_forward(node->dst.data, &p, node->src[SRC].data, &weights, &fwd);
    return WSR_OK;
}

// Add the packed gradients to the plain ones of the parameters.
static void add_weights(const wsr__node *node, const wsr__sep_grads *packed)
{
    const state *const s = node->state;
    const wsr__arg *const dw = &node->src[DEPTHWISE];
    const wsr__arg *const pw = &node->src[POINTWISE];
    wsr__start_diff(dw);
    wsr__start_diff(pw);
    if (dw->want_diff) {
        wsr__dw_unpack_add(dw->diff, &s->p.dw, packed->dw);
    }
    if (pw->want_diff) {
        wsr__pw_unpack_add(pw->diff, &s->pw, packed->pw);
    }
}

// NULL in grads means that this gradient is not wanted; the scratch begins with
// the packed gradients, depthwise then pointwise.
static wsr_status backward(wsr__node *node)
{
    const state *const s = node->state;
    const wsr__sep p = with_batch_strides(node, true);
    const wsr__bwd bwd = wsr__node_bwd(node);
    const float *const data[] = {node->src[SRC].data, node->dst.diff};
    wsr__sep_weights weights = weights_of(node, true);
    wsr__sep_grads grads = {.pre = node->src[SRC].pre};
    if (node->src[SRC].want_diff) {
        grads.src = node->src[SRC].diff;
    }
    if (node->src[DEPTHWISE].want_diff) {
        grads.dw = node->scratch;
    }
    if (node->src[POINTWISE].want_diff) {
        grads.pw = node->scratch + wsr__dw_weights_size(&s->p.dw);
    }
    if (wants_weights(node)) {
        weights.scratch = node->scratch + grads_floats(s);
    }
    wsr__sep_backward(&grads, &p, data, &weights, &bwd);
    if (wants_weights(node)) {
        add_weights(node, &grads);
    }
    return WSR_OK;
}

static const wsr__impl native = {.name = "native",
                                 .applicable = applicable,
                                 .layout = wsr__layout_blocked,
                                 .needs = needs,
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

// --------------------------------------------------------------- reference

// The reference is two convolutions, with the result of the first in scratch.
static wsr__conv first_conv(const wsr__node *node)
{
    const wsr__sep s = shape_of(node);
    return (wsr__conv){.n = s.dw.n,
                       .ci = s.dw.c,
                       .h = s.dw.h,
                       .w = s.dw.w,
                       .co = s.dw.c,
                       .oh = s.dw.oh,
                       .ow = s.dw.ow,
                       .kh = s.dw.kernel,
                       .kw = s.dw.kernel,
                       .sh = s.dw.stride,
                       .sw = s.dw.stride,
                       .ph = s.dw.pad,
                       .pw = s.dw.pad,
                       .dh = s.dw.dilation,
                       .dw = s.dw.dilation,
                       .groups = s.dw.c};
}

// (n, c, oh, ow) to (n, co, oh, ow), 1 x 1.
static wsr__conv second_conv(const wsr__node *node)
{
    const wsr__sep s = shape_of(node);
    return (wsr__conv){.n = s.dw.n,
                       .ci = s.dw.c,
                       .h = s.dw.oh,
                       .w = s.dw.ow,
                       .co = s.co,
                       .oh = s.dw.oh,
                       .ow = s.dw.ow,
                       .kh = 1,
                       .kw = 1,
                       .sh = 1,
                       .sw = 1,
                       .dh = 1,
                       .dw = 1,
                       .groups = 1};
}

// (n, c, oh, ow), kept from forward to backward.
static size_t between_floats(const wsr__node *node)
{
    const wsr__conv c = second_conv(node);
    return (size_t)(c.n * c.ci * c.h * c.w);
}

static wsr_status plan_ref(wsr__node *node)
{
    node->workspace_floats = between_floats(node);
    node->scratch_floats = between_floats(node);
    return WSR_OK;
}

static wsr_status forward_ref(wsr__node *node)
{
    const wsr__conv first = first_conv(node);
    const wsr__conv second = second_conv(node);
    wsr__ref_conv_forward(node->workspace, node->src[SRC].data,
                          node->src[DEPTHWISE].data, NULL, &first);
    wsr__ref_conv_forward(node->dst.data, node->workspace,
                          node->src[POINTWISE].data, NULL, &second);
    return WSR_OK;
}

// Scratch takes the gradient of the intermediate result.
static wsr_status backward_ref(wsr__node *node)
{
    const wsr__conv first = first_conv(node);
    const wsr__conv second = second_conv(node);
    wsr__ref_conv_backward_data(node->scratch, node->dst.diff,
                                node->src[POINTWISE].data, &second);
    if (node->src[POINTWISE].want_diff) {
        wsr__ref_conv_backward_weights(node->src[POINTWISE].diff, NULL,
                                       node->workspace, node->dst.diff,
                                       &second);
    }
    if (node->src[DEPTHWISE].want_diff) {
        wsr__ref_conv_backward_weights(node->src[DEPTHWISE].diff, NULL,
                                       node->src[SRC].data, node->scratch,
                                       &first);
    }
    if (node->src[SRC].want_diff) {
        wsr__ref_conv_backward_data(node->src[SRC].diff, node->scratch,
                                    node->src[DEPTHWISE].data, &first);
    }
    return WSR_OK;
}

static const wsr__impl ref = {.name = "ref",
                              .needs = needs,
                              .plan = plan_ref,
                              .forward = forward_ref,
                              .backward = backward_ref};

static const wsr__impl *const impls[] = {&native, &ref, NULL};

const wsr__op_class wsr__op_sep_conv2d = {
    .super = {"sep_conv2d", "depthwise and pointwise convolution in one",
              "arXiv:1610.02357", schema, sizeof(wsr__conv2d)},
    .min_srcs = 3,
    .max_srcs = 3,
    .sources = "src (n, c, h, w), depthwise (c, 1, k, k), pointwise (co, c, "
               "1, 1)",
    .result = "(n, co, oh, ow), oh = (h + 2 pad - dilation (k - 1) - 1) / "
              "stride + 1",
    .infer = infer,
    .impls = impls,
    .weights = 1u << DEPTHWISE | 1u << POINTWISE,
    .piecewise_linear = 1u,
};
