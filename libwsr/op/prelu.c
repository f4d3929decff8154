// SPDX-License-Identifier: Apache-2.0
//
// dst = x where x > 0, weight * x elsewhere; the weight is broadcast, so that
// (c, 1, 1) is one per channel of images. At 0 the derivative is that of the
// left side, as in PyTorch.

#include "op/broadcast.h"

static double value(double x, double weight)
{
    return x > 0 ? x : weight * x;
}

static double slope_x(double x, double weight)
{
    return x > 0 ? 1 : weight;
}

static double slope_weight(double weight, double x)
{
    (void)weight;
    return x > 0 ? 0 : x;
}

static void forward(float *y, const float *x, const float *weight, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = x[i] > 0 ? x[i] : weight[i] * x[i];
    }
}

static void backward_x(float *dx, const float *dy, const float *x,
                       const float *weight, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        dx[i] = dy[i] * (x[i] > 0 ? 1.0f : weight[i]);
    }
}

static void backward_weight(float *dw, const float *dy, const float *weight,
                            const float *x, int64_t n)
{
    (void)weight;
    for (int64_t i = 0; i < n; i++) {
        dw[i] = dy[i] * (x[i] > 0 ? 0.0f : x[i]);
    }
}

static const wsr__binary function = {
    .value = value,
    .slope = {slope_x, slope_weight},
    .forward = forward,
    .backward = {backward_x, backward_weight},
    .reads = {1 | 2, 1},
    .keeps_zero = true,
};

const wsr__op_class wsr__op_prelu = {
    .super = {"prelu", "x where x > 0, weight * x elsewhere",
              "He et al. 2015, arXiv:1502.01852", NULL, 0},
    .min_srcs = 2,
    .max_srcs = 2,
    .sources = "src (n, ...), weight (c, 1, 1) or (1) as NumPy broadcasts",
    .result = "as src",
    .infer = wsr__broadcast_infer,
    .impls = wsr__broadcast_impls,
    .binary = &function,
    .piecewise_linear = 1u,
};
