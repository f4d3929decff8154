// SPDX-License-Identifier: Apache-2.0
//
// Logarithm of the softmax along an axis:
//
//   y_i = x_i - max x - ln sum_j exp(x_j - max x)
//   dx_i = dy_i - exp(y_i) * sum_j dy_j

#include "op/one_axis.h"

#include <math.h>

// Rows [begin, end). The largest number is taken out, so nothing overflows.
static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const wsr__rows rows = wsr__rows_of(node);
    const int64_t k = rows.size * rows.stride;
    for (int64_t r = begin; r < end; r++) {
        const float *const x = node->src[0].data + wsr__row_at(&rows, r);
        float *const y = node->dst.data + wsr__row_at(&rows, r);
        float most = x[0];
        for (int64_t i = rows.stride; i < k; i += rows.stride) {
            most = x[i] > most ? x[i] : most;
        }
        double sum = 0;
        for (int64_t i = 0; i < k; i += rows.stride) {
            sum += (double)expf(x[i] - most);
        }
        const double total = (double)most + log(sum);
        for (int64_t i = 0; i < k; i += rows.stride) {
            y[i] = (float)((double)x[i] - total);
        }
    }
}

// exp(y) is the softmax, so dst is all that backward reads.
static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const wsr__rows rows = wsr__rows_of(node);
    const int64_t k = rows.size * rows.stride;
    const bool add = node->src[0].accumulate;
    for (int64_t r = begin; r < end; r++) {
        const float *const y = node->dst.data + wsr__row_at(&rows, r);
        const float *const dy = node->dst.diff + wsr__row_at(&rows, r);
        float *const dx = node->src[0].diff + wsr__row_at(&rows, r);
        double sum = 0;
        for (int64_t i = 0; i < k; i += rows.stride) {
            sum += (double)dy[i];
        }
        for (int64_t i = 0; i < k; i += rows.stride) {
            const float grad = dy[i] - expf(y[i]) * (float)sum;
            dx[i] = (add ? dx[i] : 0.0f) + grad;
        }
    }
}

static wsr_status forward(wsr__node *node)
{
    return wsr__one_axis_each(node, forward_share);
}

static wsr_status backward(wsr__node *node)
{
    return wsr__one_axis_each(node, backward_share);
}

static const wsr__impl ref = {
    .name = "ref",
    .needs = wsr__one_axis_needs,
    .forward = forward,
    .backward = backward,
    .accumulates = true,
    .in_place = true,
};

static const wsr__impl *const impls[] = {&ref, NULL};

const wsr__op_class wsr__op_log_softmax = {
    .super = {"log_softmax", "logarithm of the softmax along an axis", "",
              wsr__one_axis_schema, sizeof(wsr__one_axis_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__one_axis_infer,
    .impls = impls,
};
