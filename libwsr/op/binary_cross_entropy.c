// SPDX-License-Identifier: Apache-2.0
//
// Binary cross entropy per sample of probabilities p and targets y in [0, 1]:
//
//   dst = -1/k sum_i (y_i log p_i + (1 - y_i) log(1 - p_i))
//
// As in PyTorch, logarithms are at least -100, and the divisor p (1 - p) of the
// gradient (p - y) / (p (1 - p)) at least 1e-12. The targets have no gradient.

#include "op/per_sample.h"

#include <math.h>

// A factor of zero leaves out its logarithm: most targets are 0 or 1.
static double term(double factor, double p)
{
    return factor == 0 ? 0 : factor * fmax(log(p), -100);
}

static void forward(const wsr__node *node, int64_t begin, int64_t end)
{
    const int64_t k = wsr__row_floats(&node->src[0].desc);
    for (int64_t r = begin; r < end; r++) {
        double sum = 0;
        for (int64_t i = r * k; i < (r + 1) * k; i++) {
            const double p = (double)node->src[0].data[i];
            const double y = (double)node->src[1].data[i];
            sum += term(y, p) + term(1 - y, 1 - p);
        }
        node->dst.data[r] = (float)(-sum / (double)k);
    }
}

static void backward(const wsr__node *node, int64_t begin, int64_t end)
{
    const wsr__arg *const arg = &node->src[0];
    const int64_t k = wsr__row_floats(&arg->desc);
    for (int64_t i = begin * k; i < end * k; i++) {
        const float p = arg->data[i];
        const float y = node->src[1].data[i];
        const float dy = node->dst.diff[i / k] / (float)k;
        arg->diff[i] = (arg->accumulate ? arg->diff[i] : 0.0f) +
                       dy * (p - y) / fmaxf((1 - p) * p, 1e-12F);
    }
}

static const wsr__per_sample loops = {
    .forward = forward,
    .backward = backward,
    .reads = {1 | 2, 0},
};

const wsr__op_class wsr__op_binary_cross_entropy = {
    .super = {"binary_cross_entropy", "cross entropy of yes-or-no questions",
              "", NULL, 0},
    .min_srcs = 2,
    .max_srcs = 2,
    .sources = "p (n, ...) from 0 to 1, targets (n, ...)",
    .result = "(n), a mean per sample",
    .infer = wsr__per_sample_infer,
    .impls = wsr__per_sample_impls,
    .per_sample = &loops,
    .fixed = 1u << 1,
};
