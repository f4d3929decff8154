// SPDX-License-Identifier: Apache-2.0
//
// batch_norm of blocked images, in three implementations (op/op.h):
//
//   native    stores its result
//   deferred  stores nothing: each op that reads the result applies scale and
//             shift to the norm's source, and the op that makes that source
//             reads the gradient through the norm
//   folded    with running statistics: scale and shift are in the weights and
//             the bias of the convolution before it
//
// All keep their vectors, the moments of the source and the sums of the
// backward pass in the workspace.

#include "op/batch_norm.h"

#include <string.h>

// Padded vectors at the start of the workspace, then moments, then sums. ALPHA,
// BETA and GAMMA are the backward pass as wsr__affine.
enum {
    V_MEAN,
    V_VAR,
    V_INV_STD,
    V_SCALE,
    V_SHIFT,
    V_ALPHA,
    V_BETA,
    V_GAMMA,
    V_COUNT
};

// src lies densely; the gradient of dst may be a part of something larger.
static wsr__dims dims_of(const wsr__node *node)
{
    const int64_t *const d = node->src[WSR__BN_SRC].desc.shape.dims;
    return (wsr__dims){.n = d[0], .c = d[1], .h = d[2], .w = d[3]};
}

static size_t padded(const wsr__node *node)
{
    const int64_t c = node->src[WSR__BN_SRC].desc.shape.dims[1];
    return (size_t)(wsr__blocks(c) * WSR__BLOCK);
}

// A V_* vector of the workspace.
static float *vector(const wsr__node *node, size_t i)
{
    return node->workspace + i * padded(node);
}

// Vectors take up whole blocks, so what is behind them is aligned for doubles.
static double *moments_of(const wsr__node *node)
{
    return (double *)(void *)vector(node, V_COUNT);
}

static double *sums_of(const wsr__node *node)
{
    const wsr__dims d = dims_of(node);
    return moments_of(node) + wsr__moments_size(&d);
}

static bool images(const wsr__node *node)
{
    return node->src[WSR__BN_SRC].desc.shape.ndims == 4;
}

static wsr_status plan(wsr__node *node)
{
    const wsr__dims d = dims_of(node);
    const size_t doubles = 2 * wsr__moments_size(&d);
    node->workspace_floats = V_COUNT * padded(node) +
                             doubles * sizeof(double) / sizeof(float);
    return WSR_OK;
}

// ----------------------------------------------------------------- forward

// `given`: the op that makes the source has filled the moments already.
static void batch_stats(const wsr__node *node, bool given)
{
    const wsr__dims d = dims_of(node);
    double *const moments = moments_of(node);
    if (!given) {
        wsr__bn_moments(moments, &d, node->src[WSR__BN_SRC].data);
    }
    wsr__bn_stats(vector(node, V_MEAN), vector(node, V_VAR), &d, moments);
}

static void running_stats(const wsr__node *node)
{
    const size_t c = (size_t)node->src[WSR__BN_SRC].desc.shape.dims[1];
    float *const mean = vector(node, V_MEAN);
    float *const var = vector(node, V_VAR);
    memset(mean, 0, padded(node) * sizeof(float));
    memset(var, 0, padded(node) * sizeof(float));
    memcpy(mean, node->src[WSR__BN_MEAN].data, c * sizeof(float));
    memcpy(var, node->src[WSR__BN_VAR].data, c * sizeof(float));
}

static wsr__norm norm_of(const wsr__node *node)
{
    return (wsr__norm){.mean = vector(node, V_MEAN),
                       .inv_std = vector(node, V_INV_STD),
                       .gamma = wsr__batch_norm_affine(node, WSR__BN_WEIGHT),
                       .beta = wsr__batch_norm_affine(node, WSR__BN_BIAS)};
}

// Statistics, and the norm as scale and shift.
static wsr_status fold(const wsr__node *node, bool given_moments)
{
    wsr_status status = WSR_OK;
    const wsr__batch_norm *const o = node->params;
    const int64_t c = node->src[WSR__BN_SRC].desc.shape.dims[1];
    if (node->train) {
        batch_stats(node, given_moments);
    } else {
        running_stats(node);
    }
    WSR_TRY(wsr__batch_norm_finish_stats(node, vector(node, V_MEAN),
                                         vector(node, V_VAR)));
    wsr__bn_inv_std(vector(node, V_INV_STD), c, vector(node, V_VAR),
                    (float)o->tol);
    const wsr__norm norm = norm_of(node);
    wsr__bn_fold(vector(node, V_SCALE), vector(node, V_SHIFT), c, &norm);
out:
    return status;
}

static wsr_status forward(wsr__node *node)
{
    wsr_status status = WSR_OK;
    const wsr__dims d = dims_of(node);
    WSR_TRY(fold(node, false));
    const wsr__pre pre = {vector(node, V_SCALE), vector(node, V_SHIFT), false};
    wsr__bn_apply(node->dst.data, &d, node->src[WSR__BN_SRC].data, &pre, false);
out:
    return status;
}

// ---------------------------------------------------------------- backward

// Where the norm is synchronised, the map follows from the sums of all parts,
// while those here remain the gradients of weight and bias.
static wsr_status join_sums(const wsr__node *node, const wsr__dims *d,
                            const wsr__bn_grad *grad)
{
    wsr_status status = WSR_OK;
    const wsr__norm norm = norm_of(node);
    double *const of = node->sync->room + 1; // (c, 2)
    for (int64_t c = 0; c < d->c; c++) {
        wsr__bn_total(of + 2 * c, d, sums_of(node), c);
    }
    WSR_TRY(wsr__batch_norm_average(NULL, node));
    for (int64_t c = 0; c < d->c; c++) {
        wsr__bn_backward_map(grad, c, of + 2 * c, (double)(d->n * d->h * d->w),
                             &norm);
    }
out:
    return status;
}

// The sums over the batch, and from them the map from the gradient of dst to
// that of src.
static wsr_status fold_sums(const wsr__node *node, bool given_sums)
{
    const wsr__norm norm = norm_of(node);
    wsr__dims d = dims_of(node);
    d.dst_batch_stride = node->dst.diff_batch_stride;
    const wsr__bn_grad grad = {
        .alpha = vector(node, V_ALPHA),
        .beta = vector(node, V_BETA),
        .gamma = vector(node, V_GAMMA),
        .diff_gamma = wsr__batch_norm_diff(node, WSR__BN_WEIGHT),
        .diff_beta = wsr__batch_norm_diff(node, WSR__BN_BIAS)};
    for (size_t i = WSR__BN_WEIGHT; i < node->n; i++) {
        wsr__start_diff(&node->src[i]);
    }
    if (!given_sums) {
        const wsr__reduction one = {sums_of(node), node->src[WSR__BN_SRC].data,
                                    norm.mean};
        wsr__bn_reduce(&d, node->dst.diff, &one, 1);
    }
    wsr__bn_backward_fold(&grad, &d, sums_of(node), &norm);
    return node->train && node->sync != NULL ? join_sums(node, &d, &grad)
                                             : WSR_OK;
}

static wsr_status fold_backward(const wsr__node *node, bool given_sums)
{
    wsr_status status = WSR_OK;
    if (wsr__batch_norm_needs(node) != 0) {
        WSR_TRY(fold_sums(node, given_sums));
    }
    if (!node->train) { // statistics are constants
        const size_t bytes = padded(node) * sizeof(float);
        memcpy(vector(node, V_ALPHA), vector(node, V_SCALE), bytes);
        memset(vector(node, V_BETA), 0, bytes);
        memset(vector(node, V_GAMMA), 0, bytes);
    }
out:
    return status;
}

static wsr__affine map_of(const wsr__node *node)
{
    return (wsr__affine){.alpha = vector(node, V_ALPHA),
                         .beta = vector(node, V_BETA),
                         .gamma = vector(node, V_GAMMA),
                         .dst = node->src[WSR__BN_SRC].data};
}

static void store_diff(const wsr__node *node)
{
    const wsr__arg *const src = &node->src[WSR__BN_SRC];
    wsr__dims d = dims_of(node);
    d.src_batch_stride = node->dst.diff_batch_stride;
    if (!src->want_diff) {
        return;
    }
    if (node->train) {
        const wsr__affine map = map_of(node);
        wsr__bn_backward(src->diff, &d, node->dst.diff, &map, src->accumulate);
        return;
    }
    const wsr__pre scale = {vector(node, V_ALPHA), vector(node, V_GAMMA),
                            false};
    wsr__bn_apply(src->diff, &d, node->dst.diff, &scale, src->accumulate);
}

static wsr_status backward(wsr__node *node)
{
    wsr_status status = WSR_OK;
    WSR_TRY(fold_backward(node, false));
    store_diff(node);
out:
    return status;
}

const wsr__impl wsr__batch_norm_native = {
    .name = "native",
    .applicable = images,
    .layout = wsr__layout_blocked,
    .needs = wsr__batch_norm_needs,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .syncs = true,
    .accumulates = true,
    .fusion = {.deferred = &wsr__batch_norm_deferred,
               .folded = &wsr__batch_norm_folded}};

// -------------------------------------------------------------------- deferred

// What other ops apply in place of this norm; pre and mask once without and
// once with a relu behind the norm.
static void bind_deferred(wsr__node *node)
{
    wsr__deferred *const deferred = node->deferred;
    deferred->moments = moments_of(node);
    deferred->sums = sums_of(node);
    deferred->affine = map_of(node);
    for (int relu = 0; relu < 2; relu++) {
        deferred->pre[relu] =
            (wsr__pre){vector(node, V_SCALE), vector(node, V_SHIFT), relu == 1};
        deferred->relu_mask[relu] =
            (wsr__relu_mask){.src = node->src[WSR__BN_SRC].data,
                             .pre = deferred->pre[relu],
                             .mean = vector(node, V_MEAN)};
    }
}

static wsr_status forward_deferred(wsr__node *node)
{
    return fold(node, node->deferred->given_moments);
}

static wsr_status backward_deferred(wsr__node *node)
{
    wsr_status status = WSR_OK;
    WSR_TRY(fold_backward(node, node->deferred->given_sums));
    if (!node->deferred->through) {
        store_diff(node);
    }
out:
    return status;
}

const wsr__impl wsr__batch_norm_deferred = {.name = "deferred",
                                            .layout = wsr__layout_blocked,
                                            .needs = wsr__batch_norm_needs,
                                            .plan = plan,
                                            .forward = forward_deferred,
                                            .backward = backward_deferred,
                                            .bind = bind_deferred,
                                            .syncs = true,
                                            .accumulates = true,
                                            .fusion = {.dst_views = true}};

// ------------------------------------------------------------------ folded

static void refold(wsr__node *node)
{
    (void)fold(node, false); // running statistics: nothing can fail
}

static wsr_status nothing(wsr__node *node)
{
    (void)node;
    return WSR_OK;
}

const wsr__impl wsr__batch_norm_folded = {
    .name = "folded",
    .layout = wsr__layout_blocked,
    .plan = plan,
    .forward = nothing,
    .backward = nothing,
    .bind = bind_deferred,
    .accumulates = true,
    .fusion = {.refold = refold, .dst_views = true}};
