// SPDX-License-Identifier: Apache-2.0
//
// Cross entropy of logits z (n, k) and class indices y (n), one loss per
// sample, with label smoothing s (Szegedy et al. 2016, arXiv:1512.00567):
//
//   loss = ln sum_j exp(z_j) - (1 - s) * z_y - s / k * sum_j z_j
//   dz_j = dloss * (softmax(z)_j - (1 - s) * [j = y] - s / k)
//
// Indices are floats with whole values; they get no gradient. One that is not
// a class is an error of the run, not of the plan.

#include "kernel/softmax_cross_entropy.h"
#include "op/op.h"

#include <stddef.h>

typedef struct cross_entropy_params {
    double smoothing;
} cross_entropy_params;

static const wsr__option schema[] = {
    {"smoothing", WSR__FLOAT, offsetof(cross_entropy_params, smoothing), "0", 0,
     1, "", "share of the target that is spread over all classes", NULL},
    {0},
};

static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)params;
    (void)n;
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__op_ndims(&srcs[0], 2));
    if (srcs[1].ndims != 1 || srcs[1].dims[0] != srcs[0].dims[0]) {
        return wsr__op_shape_fail("labels must be one number per sample",
                                  &srcs[1]);
    }
    *dst = srcs[1];
out:
    return status;
}

// Backward reads the logits and the labels, not the losses.
static uint32_t needs(const wsr__node *node)
{
    (void)node;
    return 3;
}

static wsr__ce_target target_of(const wsr__node *node, int64_t r)
{
    const cross_entropy_params *const o = node->params;
    return (wsr__ce_target){.label = (size_t)node->src[1].data[r],
                            .smoothing = o->smoothing,
                            .accumulate = node->src[0].accumulate};
}

static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const int64_t k = node->src[0].desc.shape.dims[1];
    for (int64_t r = begin; r < end; r++) {
        const wsr__ce_target target = target_of(node, r);
        node->dst.data[r] = (float)wsr__softmax_cross_entropy(
            NULL, node->src[0].data + r * k, (size_t)k, &target);
    }
}

// Each row of dz is written by one thread.
static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const int64_t k = node->src[0].desc.shape.dims[1];
    for (int64_t r = begin; r < end; r++) {
        wsr__ce_target target = target_of(node, r);
        target.scale = (double)node->dst.diff[r];
        (void)wsr__softmax_cross_entropy(node->src[0].diff + r * k,
                                         node->src[0].data + r * k, (size_t)k,
                                         &target);
    }
}

// Labels index the logits. Backward checks again: the caller may have written
// to the input in between.
static wsr_status check_labels(const wsr__node *node)
{
    const int64_t n = node->src[0].desc.shape.dims[0];
    const int64_t k = node->src[0].desc.shape.dims[1];
    for (int64_t r = 0; r < n; r++) {
        const float y = node->src[1].data[r];
        if (!(y >= 0 && y < (float)k)) {
            return WSR_FAIL(WSR_ARG,
                            "cross_entropy: label %g of sample %lld is "
                            "outside [0, %lld]",
                            (double)y, (long long)r, (long long)k - 1);
        }
    }
    return WSR_OK;
}

static wsr_status forward(wsr__node *node)
{
    const wsr_shape *const z = &node->src[0].desc.shape;
    const wsr_status status = check_labels(node);
    if (status == WSR_OK) {
        wsr__share(z->dims[0], z->dims[1], forward_share, node);
    }
    return status;
}

static wsr_status backward(wsr__node *node)
{
    const wsr_shape *const z = &node->src[0].desc.shape;
    const wsr_status status = check_labels(node);
    if (status == WSR_OK) {
        wsr__share(z->dims[0], z->dims[1], backward_share, node);
    }
    return status;
}

static const wsr__impl ref = {
    .name = "ref",
    .needs = needs,
    .forward = forward,
    .backward = backward,
    .accumulates = true,
};

static const wsr__impl *const impls[] = {&ref, NULL};

const wsr__op_class wsr__op_cross_entropy = {
    .super = {"cross_entropy", "cross entropy of logits and class indices", "",
              schema, sizeof(cross_entropy_params)},
    .min_srcs = 2,
    .max_srcs = 2,
    .sources = "logits (n, classes), labels (n) as whole numbers",
    .result = "(n), a loss per sample",
    .infer = infer,
    .impls = impls,
    .fixed = 1u << 1,
};
