// SPDX-License-Identifier: Apache-2.0
//
// Mean squared difference per sample of two tensors (n, ...):
//
//   dst = 1/k sum_i (a_i - b_i)^2,   da_i = -db_i = dy * 2/k * (a_i - b_i)

#include "op/per_sample.h"

// Samples [begin, end) of k differences each, summed in double.
static void forward(const wsr__node *node, int64_t begin, int64_t end)
{
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
static void backward(const wsr__node *node, int64_t begin, int64_t end)
{
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

static const wsr__per_sample loops = {
    .forward = forward,
    .backward = backward,
    .reads = {1 | 2, 1 | 2},
};

const wsr__op_class wsr__op_mse = {
    .super = {"mse", "mean squared difference per sample", "", NULL, 0},
    .min_srcs = 2,
    .max_srcs = 2,
    .sources = "a (n, ...), b (n, ...)",
    .result = "(n), a mean per sample",
    .infer = wsr__per_sample_infer,
    .impls = wsr__per_sample_impls,
    .per_sample = &loops,
};
