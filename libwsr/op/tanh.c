// SPDX-License-Identifier: Apache-2.0
//
// y = tanh(x), dx = dy * (1 - y^2).

#include "op/elementwise.h"

#include <math.h>

static double value(double x, const void *params)
{
    (void)params;
    return tanh(x);
}

static double slope(double x, const void *params)
{
    (void)params;
    return 1 - tanh(x) * tanh(x);
}

static void forward(float *y, const float *x, int64_t n, const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        y[i] = tanhf(x[i]);
    }
}

static void backward(float *dx, const float *dy, const float *y, int64_t n,
                     const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        dx[i] = dy[i] * (1.0f - y[i] * y[i]);
    }
}

static const wsr__elementwise function = {
    .value = value,
    .slope = slope,
    .forward = forward,
    .backward = backward,
    .reads = WSR__NEED_DST,
};

const wsr__op_class wsr__op_tanh = {
    .super = {"tanh", "hyperbolic tangent", "", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = wsr__elementwise_impls,
    .elementwise = &function,
};
