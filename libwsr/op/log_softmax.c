// SPDX-License-Identifier: Apache-2.0
//
// Logarithm of the softmax along the last axis:
//
//   y_i = x_i - max x - ln sum_j exp(x_j - max x)
//   dx_i = dy_i - exp(y_i) * sum_j dy_j

#include "op/last_axis.h"

#include <math.h>

// Rows [begin, end). The largest number is taken out, so nothing overflows.
static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const int64_t k = wsr__last_axis_size(node);
    for (int64_t r = begin; r < end; r++) {
        const float *const x = node->src[0].data + r * k;
        float *const y = node->dst.data + r * k;
        float most = x[0];
        for (int64_t i = 1; i < k; i++) {
            most = x[i] > most ? x[i] : most;
        }
        double sum = 0;
        for (int64_t i = 0; i < k; i++) {
            sum += (double)expf(x[i] - most);
        }
        const double total = (double)most + log(sum);
        for (int64_t i = 0; i < k; i++) {
            y[i] = (float)((double)x[i] - total);
        }
    }
}

// exp(y) is the softmax, so dst is all that backward reads.
static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const int64_t k = wsr__last_axis_size(node);
    const bool add = node->src[0].accumulate;
    for (int64_t r = begin; r < end; r++) {
        const float *const y = node->dst.data + r * k;
        const float *const dy = node->dst.diff + r * k;
        float *const dx = node->src[0].diff + r * k;
        double sum = 0;
        for (int64_t i = 0; i < k; i++) {
            sum += (double)dy[i];
        }
        for (int64_t i = 0; i < k; i++) {
            const float grad = dy[i] - expf(y[i]) * (float)sum;
            dx[i] = (add ? dx[i] : 0.0f) + grad;
        }
    }
}

static wsr_status forward(wsr__node *node)
{
    return wsr__last_axis_each(node, forward_share);
}

static wsr_status backward(wsr__node *node)
{
    return wsr__last_axis_each(node, backward_share);
}

static const wsr__impl ref = {
    .name = "ref",
    .needs = wsr__last_axis_needs,
    .forward = forward,
    .backward = backward,
    .accumulates = true,
    .in_place = true,
};

static const wsr__impl *const impls[] = {&ref, NULL};

const wsr__op_class wsr__op_log_softmax = {
    .super = {"log_softmax", "logarithm of the softmax along the last axis", "",
              NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ..., k)",
    .result = "as src",
    .infer = wsr__last_axis_infer,
    .impls = impls,
};
