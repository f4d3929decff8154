// SPDX-License-Identifier: Apache-2.0
//
// Batch normalisation (Ioffe and Szegedy, arXiv:1502.03167) per channel:
//
//   dst = (src - mean) / sqrt(var + tol) * weight + bias
//
// A training plan takes mean and biased variance from the batch; when its
// running statistics move, running <- (1 - momentum) running + momentum
// batch, with the unbiased variance. Other plans take the running ones.
//
// Sources: src (n, c, ...), running_mean (c), running_var (c),
// num_batches_tracked (), and optionally weight (c), bias (c).

#include "op/op.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

typedef struct options {
    double tol;
    double momentum;
} options;

static const wsr__option schema[] = {
    {"tol", WSR__FLOAT, offsetof(options, tol), "1e-5", 1e-12, 1, "",
     "added to the variance", NULL},
    {"momentum", WSR__FLOAT, offsetof(options, momentum), "0.1", 0, 1, "",
     "weight of the batch in the running statistics", NULL},
    {0},
};

enum { SRC, MEAN, VAR, TRACKED, WEIGHT, BIAS };

static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)params;
    if (srcs[0].ndims != 2 && srcs[0].ndims != 4) {
        return wsr__op_shape_fail("source must have 2 or 4 dimensions",
                                  &srcs[0]);
    }
    if (n == 5) {
        return WSR_FAIL(WSR_ARG, "5 sources: weight comes with a bias");
    }
    for (size_t i = 1; i < n; i++) {
        const bool fits = i == TRACKED ? srcs[i].ndims == 0
                                       : srcs[i].ndims == 1 &&
                                             srcs[i].dims[0] == srcs[0].dims[1];
        if (!fits) {
            return wsr__op_shape_fail(
                "statistics, weight and bias must have a number per channel",
                &srcs[i]);
        }
    }
    *dst = srcs[0];
    return WSR_OK;
}

// ------------------------------------------------- what both kernels share

static const float *affine(const wsr__node *node, size_t i)
{
    return node->n > i ? node->src[i].data : NULL;
}

// How many values each channel has in the batch.
static double population(const wsr__node *node)
{
    const wsr_shape *const s = &node->src[SRC].desc.shape;
    return (double)(wsr_shape_count(s) / s->dims[1]);
}

static void move_stats(const wsr__node *node, const float *mean,
                       const float *var)
{
    const options *const o = node->params;
    const double count = population(node);
    const double unbiased = count > 1 ? count / (count - 1) : 1;
    const int64_t c = node->src[SRC].desc.shape.dims[1];
    const float momentum = (float)o->momentum;
    for (int64_t i = 0; i < c; i++) {
        float *const m = &node->src[MEAN].data[i];
        float *const v = &node->src[VAR].data[i];
        *m = (1 - momentum) * *m + momentum * mean[i];
        *v = (1 - momentum) * *v +
             momentum * (float)((double)var[i] * unbiased);
    }
    node->src[TRACKED].data[0] += 1;
    for (size_t i = MEAN; i <= TRACKED; i++) {
        if (node->src[i].param != NULL) {
            wsr__param_touch(node->src[i].param);
        }
    }
}

static void start_at_zero(const wsr__arg *arg)
{
    if (arg->want_diff && !arg->accumulate) {
        memset(arg->diff, 0,
               (size_t)wsr_shape_count(&arg->desc.shape) * sizeof(float));
    }
}

static uint32_t needs(const wsr__node *node)
{
    const bool affine_grads = node->n > WEIGHT && node->src[WEIGHT].want_diff;
    return node->train || affine_grads ? 1u : 0u;
}

// --------------------------------------------------------- blocked kernels

// Padded vectors in the workspace.
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

static wsr__dims dims_of(const wsr__node *node)
{
    const int64_t *const d = node->src[SRC].desc.shape.dims;
    return (wsr__dims){.n = d[0], .c = d[1], .h = d[2], .w = d[3]};
}

static float *vector(const wsr__node *node, int i)
{
    return node->workspace +
           i * wsr__blocks(node->src[SRC].desc.shape.dims[1]) * WSR__BLOCK;
}

static bool images(const wsr__node *node)
{
    return node->src[SRC].desc.shape.ndims == 4;
}

static wsr_status plan_blocked(wsr__node *node)
{
    const wsr__dims d = dims_of(node);
    node->workspace_floats = (size_t)(V_COUNT * wsr__blocks(d.c) * WSR__BLOCK);
    node->scratch_floats = wsr__moments_size(&d) * sizeof(double) /
                           sizeof(float);
    return WSR_OK;
}

// Scratch and workspace start on cache lines, so doubles fit in.
static double *scratch_doubles(const wsr__node *node)
{
    return (double *)(void *)node->scratch;
}

static void gather_stats(const wsr__node *node, const wsr__dims *d)
{
    const options *const o = node->params;
    float *const mean = vector(node, V_MEAN);
    float *const var = vector(node, V_VAR);
    if (node->train) {
        double *const moments = scratch_doubles(node);
        wsr__bn_moments(moments, d, node->src[SRC].data);
        wsr__bn_stats(mean, var, d, moments);
    } else {
        const size_t padded = (size_t)(wsr__blocks(d->c) * WSR__BLOCK) *
                              sizeof(float);
        memset(mean, 0, padded);
        memset(var, 0, padded);
        memcpy(mean, node->src[MEAN].data, (size_t)d->c * sizeof(float));
        memcpy(var, node->src[VAR].data, (size_t)d->c * sizeof(float));
    }
    wsr__bn_inv_std(vector(node, V_INV_STD), d->c, var, (float)o->tol);
}

static wsr__norm norm_of(const wsr__node *node)
{
    return (wsr__norm){.mean = vector(node, V_MEAN),
                       .inv_std = vector(node, V_INV_STD),
                       .gamma = affine(node, WEIGHT),
                       .beta = affine(node, BIAS)};
}

static wsr_status forward_blocked(wsr__node *node)
{
    const wsr__dims d = dims_of(node);
    gather_stats(node, &d);
    const wsr__norm norm = norm_of(node);
    float *const scale = vector(node, V_SCALE);
    float *const shift = vector(node, V_SHIFT);
    wsr__bn_fold(scale, shift, d.c, &norm);
    const wsr__pre pre = {scale, shift, false};
    wsr__bn_apply(node->dst.data, &d, node->src[SRC].data, &pre, false);
    if (node->move_stats) {
        move_stats(node, vector(node, V_MEAN), vector(node, V_VAR));
    }
    return WSR_OK;
}

static void fold_backward(const wsr__node *node, const wsr__dims *d)
{
    const bool affine_grads = node->n > WEIGHT && node->src[WEIGHT].want_diff;
    const wsr__norm norm = norm_of(node);
    const wsr__bn_grad grad = {
        .alpha = vector(node, V_ALPHA),
        .beta = vector(node, V_BETA),
        .gamma = vector(node, V_GAMMA),
        .diff_gamma = affine_grads ? node->src[WEIGHT].diff : NULL,
        .diff_beta = affine_grads ? node->src[BIAS].diff : NULL};
    double *const sums = scratch_doubles(node);
    if (affine_grads) {
        start_at_zero(&node->src[WEIGHT]);
        start_at_zero(&node->src[BIAS]);
    }
    wsr__bn_reduce(sums, d, node->src[SRC].data, node->dst.diff, norm.mean);
    wsr__bn_backward_fold(&grad, d, sums, &norm);
}

static wsr_status backward_blocked(wsr__node *node)
{
    const wsr__dims d = dims_of(node);
    const wsr__arg *const src = &node->src[SRC];
    if (needs(node) != 0) {
        fold_backward(node, &d);
    }
    if (src->want_diff && node->train) {
        const wsr__affine through = {vector(node, V_ALPHA),
                                     vector(node, V_BETA),
                                     vector(node, V_GAMMA), src->data};
        wsr__bn_backward(src->diff, &d, node->dst.diff, &through,
                         src->accumulate);
    } else if (src->want_diff) {
        float *const none = vector(node, V_GAMMA);
        memset(none, 0,
               (size_t)(wsr__blocks(d.c) * WSR__BLOCK) * sizeof(float));
        const wsr__pre pre = {vector(node, V_SCALE), none, false};
        wsr__bn_apply(src->diff, &d, node->dst.diff, &pre, src->accumulate);
    }
    return WSR_OK;
}

static const wsr__impl blocked = {.name = "native",
                                  .applicable = images,
                                  .layout = wsr__layout_blocked,
                                  .needs = needs,
                                  .plan = plan_blocked,
                                  .forward = forward_blocked,
                                  .backward = backward_blocked,
                                  .accumulates = true};

// -------------------------------------------------------------- reference

static void plain_dims(int64_t dims[4], const wsr__node *node)
{
    const wsr_shape *const s = &node->src[SRC].desc.shape;
    for (int i = 0; i < 4; i++) {
        dims[i] = i < s->ndims ? s->dims[i] : 1;
    }
}

static wsr_status plan_ref(wsr__node *node)
{
    node->workspace_floats = 2 * (size_t)node->src[SRC].desc.shape.dims[1];
    node->scratch_floats = (size_t)wsr__dst_floats(node);
    return WSR_OK;
}

static wsr_status forward_ref(wsr__node *node)
{
    const options *const o = node->params;
    const wsr__ref_norm norm = {affine(node, WEIGHT), affine(node, BIAS),
                                o->tol};
    int64_t dims[4];
    plain_dims(dims, node);
    float *const mean = node->workspace;
    float *const var = mean + dims[1];
    if (!node->train) {
        const float *const stats[] = {node->src[MEAN].data,
                                      node->src[VAR].data};
        wsr__ref_bn_eval_forward(node->dst.data, node->src[SRC].data, stats,
                                 &norm, dims);
        return WSR_OK;
    }
    wsr__ref_bn_train_forward(node->dst.data, mean, var, node->src[SRC].data,
                              &norm, dims);
    if (node->move_stats) {
        move_stats(node, mean, var);
    }
    return WSR_OK;
}

// Gradients of weight and bias with running statistics: the training formula
// does not apply, as mean and variance are constants.
static void affine_backward_eval(const wsr__node *node, const int64_t dims[4])
{
    const options *const o = node->params;
    const int64_t plane = dims[2] * dims[3];
    for (int64_t c = 0; c < dims[1]; c++) {
        const double mean = (double)node->src[MEAN].data[c];
        const double inv = 1 / sqrt((double)node->src[VAR].data[c] + o->tol);
        double dw = 0;
        double db = 0;
        for (int64_t n = 0; n < dims[0]; n++) {
            const float *const x = node->src[SRC].data +
                                   (n * dims[1] + c) * plane;
            const float *const dy = node->dst.diff + (n * dims[1] + c) * plane;
            for (int64_t i = 0; i < plane; i++) {
                dw += (double)dy[i] * ((double)x[i] - mean) * inv;
                db += (double)dy[i];
            }
        }
        node->src[WEIGHT].diff[c] = (float)dw;
        node->src[BIAS].diff[c] = (float)db;
    }
}

static wsr_status backward_ref(wsr__node *node)
{
    const options *const o = node->params;
    const wsr__ref_norm norm = {affine(node, WEIGHT), affine(node, BIAS),
                                o->tol};
    const wsr__arg *const src = &node->src[SRC];
    const bool affine_grads = node->n > WEIGHT && node->src[WEIGHT].want_diff;
    int64_t dims[4];
    plain_dims(dims, node);
    float *const diff_src = src->want_diff ? src->diff : node->scratch;
    if (node->train) {
        const float *const data[] = {src->data, node->dst.diff};
        wsr__ref_bn_train_backward(
            diff_src, affine_grads ? node->src[WEIGHT].diff : NULL,
            affine_grads ? node->src[BIAS].diff : NULL, data, &norm, dims);
        return WSR_OK;
    }
    const float *const stats[] = {node->src[MEAN].data, node->src[VAR].data};
    wsr__ref_bn_eval_backward(diff_src, node->dst.diff, stats, &norm, dims);
    if (affine_grads) {
        affine_backward_eval(node, dims);
    }
    return WSR_OK;
}

static const wsr__impl ref = {.name = "ref",
                              .needs = needs,
                              .plan = plan_ref,
                              .forward = forward_ref,
                              .backward = backward_ref};

static const wsr__impl *const impls[] = {&blocked, &ref, NULL};

const wsr__op_class wsr__op_batch_norm = {
    .super = {"batch_norm", "normalisation per channel", "arXiv:1502.03167",
              schema, sizeof(options)},
    .min_srcs = 4,
    .max_srcs = 6,
    .infer = infer,
    .impls = impls,
};
