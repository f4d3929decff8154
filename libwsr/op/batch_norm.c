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

#include "op/batch_norm.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const wsr__option schema[] = {
    {"tol", WSR__FLOAT, offsetof(wsr__batch_norm, tol), "1e-5", 1e-12, 1, "",
     "added to the variance", NULL},
    {"momentum", WSR__FLOAT, offsetof(wsr__batch_norm, momentum), "0.1", 0, 1,
     "", "weight of the batch in the running statistics", NULL},
    {0},
};

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
        const bool fits = i == WSR__BN_TRACKED
                              ? srcs[i].ndims == 0
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

// A norm without weight and bias is PyTorch's affine=False.
const float *wsr__batch_norm_affine(const wsr__node *node, size_t i)
{
    return node->n > i ? node->src[i].data : NULL;
}

// How many values each channel has in the batch.
static double population(const wsr__node *node)
{
    const wsr_shape *const s = &node->src[WSR__BN_SRC].desc.shape;
    return (double)wsr_shape_count(s) / (double)s->dims[1];
}

// As PyTorch: the batch is normalised with the biased variance, and the running
// one follows the unbiased.
static void move_stats(const wsr__node *node, const float *mean,
                       const float *var, double count)
{
    const wsr__batch_norm *const o = node->params;
    const double unbiased = count > 1 ? count / (count - 1) : 1;
    const int64_t c = node->src[WSR__BN_SRC].desc.shape.dims[1];
    const float momentum = (float)o->momentum;
    for (int64_t i = 0; i < c; i++) {
        float *const m = &node->src[WSR__BN_MEAN].data[i];
        float *const v = &node->src[WSR__BN_VAR].data[i];
        *m = (1 - momentum) * *m + momentum * mean[i];
        *v = (1 - momentum) * *v +
             momentum * (float)((double)var[i] * unbiased);
    }
    node->src[WSR__BN_TRACKED].data[0] += 1;
}

// With the biased variance a norm in evaluation mode does to the batch what it
// did in train mode.
static void take_stats(const wsr__node *node, const float *mean,
                       const float *var)
{
    const size_t c = (size_t)node->src[WSR__BN_SRC].desc.shape.dims[1];
    memcpy(node->src[WSR__BN_MEAN].data, mean, c * sizeof(*mean));
    memcpy(node->src[WSR__BN_VAR].data, var, c * sizeof(*var));
}

static void move(const wsr__node *node, const float *mean, const float *var,
                 double count)
{
    const bool elsewhere = node->sync != NULL && !node->sync->moves;
    if (elsewhere || (!node->move_stats && !node->take_stats)) {
        return;
    }
    if (node->take_stats) {
        take_stats(node, mean, var);
    } else {
        move_stats(node, mean, var, count);
    }
    for (size_t i = WSR__BN_MEAN; i <= WSR__BN_TRACKED; i++) {
        if (node->src[i].param != NULL) {
            wsr__param_touch(node->src[i].param);
        }
    }
}

wsr_status wsr__batch_norm_average(double *count, const wsr__node *node)
{
    const wsr__norm_sync *const sync = node->sync;
    const size_t c = (size_t)node->src[WSR__BN_SRC].desc.shape.dims[1];
    double *const room = sync->room;
    room[0] = population(node);
    for (size_t i = 1; i <= 2 * c; i++) {
        room[i] *= room[0];
    }
    const wsr_status status = sync->sum(sync, 1 + 2 * c);
    for (size_t i = 1; i <= 2 * c; i++) {
        room[i] /= room[0];
    }
    if (count != NULL) {
        *count = room[0];
    }
    return status;
}

// The mean square of all parts is the mean of theirs. In double precision the
// difference to the squared mean loses nothing that floats have.
static wsr_status join_stats(double *count, const wsr__node *node, float *mean,
                             float *var)
{
    wsr_status status = WSR_OK;
    double *const of = node->sync->room + 1; // (c, 2)
    const int64_t c = node->src[WSR__BN_SRC].desc.shape.dims[1];
    for (int64_t i = 0; i < c; i++) {
        of[2 * i] = (double)mean[i];
        of[2 * i + 1] = (double)var[i] + (double)mean[i] * (double)mean[i];
    }
    WSR_TRY(wsr__batch_norm_average(count, node));
    for (int64_t i = 0; i < c; i++) {
        mean[i] = (float)of[2 * i];
        var[i] = (float)fmax(of[2 * i + 1] - of[2 * i] * of[2 * i], 0);
    }
out:
    return status;
}

wsr_status wsr__batch_norm_finish_stats(const wsr__node *node, float *mean,
                                        float *var)
{
    wsr_status status = WSR_OK;
    double count = population(node);
    if (node->train && node->sync != NULL) {
        WSR_TRY(join_stats(&count, node, mean, var));
    }
    move(node, mean, var, count);
out:
    return status;
}

float *wsr__batch_norm_diff(const wsr__node *node, size_t i)
{
    return node->n > i && node->src[i].want_diff ? node->src[i].diff : NULL;
}

// Diffs are not bound yet when a plan asks what backward needs.
static bool affine_wanted(const wsr__node *node)
{
    return node->n > WSR__BN_BIAS && (node->src[WSR__BN_WEIGHT].want_diff ||
                                      node->src[WSR__BN_BIAS].want_diff);
}

uint32_t wsr__batch_norm_needs(const wsr__node *node)
{
    return node->train || affine_wanted(node) ? 1u : 0u;
}

// -------------------------------------------------------------- reference

// (n, c) counts as (n, c, 1, 1).
static void plain_dims(int64_t dims[4], const wsr__node *node)
{
    const wsr_shape *const s = &node->src[WSR__BN_SRC].desc.shape;
    for (int i = 0; i < 4; i++) {
        dims[i] = i < s->ndims ? s->dims[i] : 1;
    }
}

// The workspace holds the batch mean and variance for backward.
static wsr_status plan_ref(wsr__node *node)
{
    node->workspace_floats = 2 *
                             (size_t)node->src[WSR__BN_SRC].desc.shape.dims[1];
    node->scratch_floats = (size_t)wsr__dst_floats(node);
    return WSR_OK;
}

static wsr_status forward_ref(wsr__node *node)
{
    const wsr__batch_norm *const o = node->params;
    const wsr__ref_norm norm = {wsr__batch_norm_affine(node, WSR__BN_WEIGHT),
                                wsr__batch_norm_affine(node, WSR__BN_BIAS),
                                o->tol};
    int64_t dims[4];
    plain_dims(dims, node);
    float *const mean = node->workspace;
    float *const var = mean + dims[1];
    if (!node->train) {
        const float *const stats[] = {node->src[WSR__BN_MEAN].data,
                                      node->src[WSR__BN_VAR].data};
        wsr__ref_bn_eval_forward(node->dst.data, node->src[WSR__BN_SRC].data,
                                 stats, &norm, dims);
        return WSR_OK;
    }
    wsr__ref_bn_train_forward(node->dst.data, mean, var,
                              node->src[WSR__BN_SRC].data, &norm, dims);
    return wsr__batch_norm_finish_stats(node, mean, var);
}

// Gradients of weight and bias with running statistics: the training formula
// does not apply, as mean and variance are constants.
static void affine_backward_eval(const wsr__node *node, const int64_t dims[4])
{
    const wsr__batch_norm *const o = node->params;
    const int64_t plane = dims[2] * dims[3];
    float *const diff_weight = wsr__batch_norm_diff(node, WSR__BN_WEIGHT);
    float *const diff_bias = wsr__batch_norm_diff(node, WSR__BN_BIAS);
    for (int64_t c = 0; c < dims[1]; c++) {
        const double mean = (double)node->src[WSR__BN_MEAN].data[c];
        const double inv =
            1 / sqrt((double)node->src[WSR__BN_VAR].data[c] + o->tol);
        double dw = 0;
        double db = 0;
        for (int64_t n = 0; n < dims[0]; n++) {
            const float *const x = node->src[WSR__BN_SRC].data +
                                   (n * dims[1] + c) * plane;
            const float *const dy = node->dst.diff + (n * dims[1] + c) * plane;
            for (int64_t i = 0; i < plane; i++) {
                dw += (double)dy[i] * ((double)x[i] - mean) * inv;
                db += (double)dy[i];
            }
        }
        if (diff_weight != NULL) {
            diff_weight[c] = (float)dw;
        }
        if (diff_bias != NULL) {
            diff_bias[c] = (float)db;
        }
    }
}

static wsr_status backward_ref(wsr__node *node)
{
    const wsr__batch_norm *const o = node->params;
    const wsr__ref_norm norm = {wsr__batch_norm_affine(node, WSR__BN_WEIGHT),
                                wsr__batch_norm_affine(node, WSR__BN_BIAS),
                                o->tol};
    const wsr__arg *const src = &node->src[WSR__BN_SRC];
    int64_t dims[4];
    plain_dims(dims, node);
    float *const diff_src = src->want_diff ? src->diff : node->scratch;
    if (node->train) {
        const float *const data[] = {src->data, node->dst.diff};
        wsr__ref_bn_train_backward(
            diff_src, wsr__batch_norm_diff(node, WSR__BN_WEIGHT),
            wsr__batch_norm_diff(node, WSR__BN_BIAS), data, &norm, dims);
        return WSR_OK;
    }
    const float *const stats[] = {node->src[WSR__BN_MEAN].data,
                                  node->src[WSR__BN_VAR].data};
    wsr__ref_bn_eval_backward(diff_src, node->dst.diff, stats, &norm, dims);
    if (affine_wanted(node)) {
        affine_backward_eval(node, dims);
    }
    return WSR_OK;
}

static const wsr__impl ref = {.name = "ref",
                              .needs = wsr__batch_norm_needs,
                              .plan = plan_ref,
                              .forward = forward_ref,
                              .backward = backward_ref};

static const wsr__impl *const impls[] = {&wsr__batch_norm_native,
                                         &wsr__batch_norm_rows, &ref, NULL};

const wsr__op_class wsr__op_batch_norm = {
    .super = {"batch_norm", "normalisation per channel", "arXiv:1502.03167",
              schema, sizeof(wsr__batch_norm)},
    .min_srcs = 4,
    .max_srcs = 6,
    .sources = "src (n, c) or (n, c, h, w), running_mean (c), running_var "
               "(c), num_batches_tracked (); weight (c) and bias (c) together "
               "or not at all",
    .result = "as src",
    .infer = infer,
    .impls = impls,
    .batch_stats = true,
    .piecewise_linear = 1u,
};
