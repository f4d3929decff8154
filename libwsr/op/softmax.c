// SPDX-License-Identifier: Apache-2.0
//
// Softmax along the last axis:
//
//   y_i = exp(x_i - max x) / sum_j exp(x_j - max x)
//   dx_i = y_i * (dy_i - sum_j dy_j y_j)

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
            y[i] = expf(x[i] - most);
            sum += (double)y[i];
        }
        const float factor = (float)(1 / sum);
        for (int64_t i = 0; i < k; i++) {
            y[i] *= factor;
        }
    }
}

// The sum is formed in double, since its terms nearly cancel.
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
        const double dot = wsr__dot(dy, y, k);
        for (int64_t i = 0; i < k; i++) {
            dx[i] = (add ? dx[i] : 0.0f) + y[i] * (dy[i] - (float)dot);
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

const wsr__op_class wsr__op_softmax = {
    .super = {"softmax", "softmax along the last axis", "", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ..., k)",
    .result = "as src",
    .infer = wsr__last_axis_infer,
    .impls = impls,
};
