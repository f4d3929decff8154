// SPDX-License-Identifier: Apache-2.0
//
// Mean squared difference per sample of two tensors (n, ...):
//
//   dst = 1/k sum_i (a_i - b_i)^2,   da_i = -db_i = dy * 2/k * (a_i - b_i)

#include "op/op.h"

// A loss per sample: the mean over the batch is the caller's to take.
static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    const wsr_status status = wsr__infer_same(dst, params, srcs, n);
    if (status == WSR_OK) {
        *dst = wsr__shape1(dst->dims[0]);
    }
    return status;
}

// Both gradients need both sources.
static uint32_t needs(const wsr__node *node)
{
    (void)node;
    return 3;
}

// Samples [begin, end) of k differences each, summed in double.
static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const int64_t k = wsr__row_floats(&node->src[0].desc);
    for (int64_t r = begin; r < end; r++) {
        const float *const a = node->src[0].data + r * k;
        const float *const b = node->src[1].data + r * k;
        double sum = 0;
        for (int64_t i = 0; i < k; i++) {
            const double d = (double)a[i] - (double)b[i];
            sum += d * d;
        }
        node->dst.data[r] = (float)(sum / (double)k);
    }
}

// One source after the other: both may be the same tensor.
static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const int64_t k = wsr__row_floats(&node->src[0].desc);
    for (size_t s = 0; s < 2; s++) {
        const wsr__arg *const arg = &node->src[s];
        const float *const a = arg->data;
        const float *const b = node->src[1 - s].data;
        for (int64_t r = begin; arg->want_diff && r < end; r++) {
            const float factor = node->dst.diff[r] * (2.0f / (float)k);
            for (int64_t i = r * k; i < (r + 1) * k; i++) {
                arg->diff[i] = (arg->accumulate ? arg->diff[i] : 0.0f) +
                               factor * (a[i] - b[i]);
            }
        }
    }
}

// Parallel over samples; one sample is summed in one order.
static wsr_status forward(wsr__node *node)
{
    return wsr__share_samples(node, forward_share);
}

static wsr_status backward(wsr__node *node)
{
    return wsr__share_samples(node, backward_share);
}

static const wsr__impl ref = {
    .name = "ref",
    .needs = needs,
    .forward = forward,
    .backward = backward,
    .accumulates = true,
};

static const wsr__impl *const impls[] = {&ref, NULL};

const wsr__op_class wsr__op_mse = {
    .super = {"mse", "mean squared difference per sample", "", NULL, 0},
    .min_srcs = 2,
    .max_srcs = 2,
    .sources = "a (n, ...), b (n, ...)",
    .result = "(n), a mean per sample",
    .infer = infer,
    .impls = impls,
};
