// SPDX-License-Identifier: Apache-2.0
//
// Kullback-Leibler divergence of a distribution p from the one whose
// logarithm is the first source, per sample; both are (n, ...):
//
//   dst = sum_i p_i (ln p_i - log_q_i)
//   dlog_q_i = -dy * p_i,   dp_i = dy * (ln p_i + 1 - log_q_i)
//
// Where p_i = 0, both the term and its gradient are 0.

#include "op/per_sample.h"

#include <math.h>

static void forward(const wsr__node *node, int64_t begin, int64_t end)
{
    const int64_t k = wsr__row_floats(&node->src[0].desc);
    for (int64_t r = begin; r < end; r++) {
        const float *const log_q = node->src[0].data + r * k;
        const float *const p = node->src[1].data + r * k;
        double sum = 0;
        for (int64_t i = 0; i < k; i++) {
            // The limit of p ln p at 0 is 0, where a log would give -inf.
            if (p[i] != 0) {
                const double q = (double)log_q[i];
                sum += (double)p[i] * (log((double)p[i]) - q);
            }
        }
        node->dst.data[r] = (float)sum;
    }
}

static void backward_log_q(const wsr__node *node, int64_t begin, int64_t end)
{
    const int64_t k = wsr__row_floats(&node->src[0].desc);
    for (int64_t r = begin; r < end; r++) {
        wsr__scale_into(node->src[0].diff + r * k, node->src[0].accumulate,
                        -node->dst.diff[r], node->src[1].data + r * k, k);
    }
}

static void backward_p(const wsr__node *node, int64_t begin, int64_t end)
{
    const int64_t k = wsr__row_floats(&node->src[0].desc);
    const float *const log_q = node->src[0].data;
    const float *const p = node->src[1].data;
    float *const d = node->src[1].diff;
    const bool add = node->src[1].accumulate;
    for (int64_t r = begin; r < end; r++) {
        const float dy = node->dst.diff[r];
        for (int64_t i = r * k; i < (r + 1) * k; i++) {
            const float grad = p[i] == 0 ? 0.0f : logf(p[i]) + 1.0f - log_q[i];
            d[i] = (add ? d[i] : 0.0f) + dy * grad;
        }
    }
}

// p is often a constant (a softmax of clean logits): its gradient is optional.
static void backward(const wsr__node *node, int64_t begin, int64_t end)
{
    if (node->src[0].want_diff) {
        backward_log_q(node, begin, end);
    }
    if (node->src[1].want_diff) {
        backward_p(node, begin, end);
    }
}

static const wsr__per_sample loops = {
    .forward = forward,
    .backward = backward,
    .reads = {2, 1 | 2},
};

const wsr__op_class wsr__op_kl_div = {
    .super = {"kl_div", "Kullback-Leibler divergence per sample", "", NULL, 0},
    .min_srcs = 2,
    .max_srcs = 2,
    .sources = "log_q (n, ...) logarithms, p (n, ...) probabilities",
    .result = "(n), sum of p (log p - log_q) per sample",
    .infer = wsr__per_sample_infer,
    .impls = wsr__per_sample_impls,
    .per_sample = &loops,
};
