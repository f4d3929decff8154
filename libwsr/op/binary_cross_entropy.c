// SPDX-License-Identifier: Apache-2.0
//
// Binary cross entropy per sample of probabilities p and targets y in [0, 1]:
//
//   dst = -1/k sum_i (y_i log p_i + (1 - y_i) log(1 - p_i))
//
// As in PyTorch, logarithms are at least -100, and the divisor p (1 - p) of the
// gradient (p - y) / (p (1 - p)) at least 1e-12. The targets have no gradient.

#include "op/op.h"

#include <math.h>

static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    const wsr_status status = wsr__infer_same(dst, params, srcs, n);
    if (status == WSR_OK) {
        *dst = wsr__shape1(dst->dims[0]);
    }
    return status;
}

static uint32_t needs(const wsr__node *node)
{
    (void)node;
    return 3;
}

// A factor of zero leaves out its logarithm: most targets are 0 or 1.
static double term(double factor, double p)
{
    return factor == 0 ? 0 : factor * fmax(log(p), -100);
}

static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
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

static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
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

const wsr__op_class wsr__op_binary_cross_entropy = {
    .super = {"binary_cross_entropy", "cross entropy of yes-or-no questions",
              "", NULL, 0},
    .min_srcs = 2,
    .max_srcs = 2,
    .sources = "p (n, ...) from 0 to 1, targets (n, ...)",
    .result = "(n), a mean per sample",
    .infer = infer,
    .impls = impls,
    .fixed = 1u << 1,
};
