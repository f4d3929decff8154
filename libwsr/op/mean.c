// SPDX-License-Identifier: Apache-2.0
//
// Mean of all elements of each sample: (n, ...) to (n). The sum is formed in
// double precision.

#include "op/per_sample.h"

// All dimensions behind the batch are summed over, however many there are.
static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)params;
    (void)n;
    *dst = wsr__shape1(srcs[0].dims[0]);
    return WSR_OK;
}

// Samples [begin, end) of k elements each.
static void forward(const wsr__node *node, int64_t begin, int64_t end)
{
    const int64_t k = wsr__row_floats(&node->src[0].desc);
    for (int64_t r = begin; r < end; r++) {
        double sum = 0;
        for (int64_t i = r * k; i < (r + 1) * k; i++) {
            sum += (double)node->src[0].data[i];
        }
        node->dst.data[r] = (float)(sum / (double)k);
    }
}

// Every element of a sample gets the same share, dy / k.
static void backward(const wsr__node *node, int64_t begin, int64_t end)
{
    const int64_t k = wsr__row_floats(&node->src[0].desc);
    float *const dx = node->src[0].diff;
    const bool add = node->src[0].accumulate;
    for (int64_t r = begin; r < end; r++) {
        const float share = node->dst.diff[r] / (float)k;
        for (int64_t i = r * k; i < (r + 1) * k; i++) {
            dx[i] = (add ? dx[i] : 0.0f) + share;
        }
    }
}

static const wsr__per_sample loops = {
    .forward = forward,
    .backward = backward,
};

const wsr__op_class wsr__op_mean = {
    .super = {"mean", "mean of each sample", "", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "(n)",
    .infer = infer,
    .impls = wsr__per_sample_impls,
    .per_sample = &loops,
    .piecewise_linear = 1u,
};
