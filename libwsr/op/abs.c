// SPDX-License-Identifier: Apache-2.0
//
// y = |x|. The derivative at 0 is 0, as in PyTorch.

#include "op/elementwise.h"

#include <math.h>

static double value(double x, const void *params)
{
    (void)params;
    return fabs(x);
}

static double slope(double x, const void *params)
{
    (void)params;
    return (x > 0) - (x < 0);
}

static void forward(float *y, const float *x, int64_t n, const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        y[i] = fabsf(x[i]);
    }
}

static void backward(float *dx, const float *dy, const float *x, int64_t n,
                     const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        dx[i] = dy[i] * (float)((x[i] > 0) - (x[i] < 0));
    }
}

static const wsr__elementwise function = {
    .value = value,
    .slope = slope,
    .forward = forward,
    .backward = backward,
    .reads = 1,
};

const wsr__op_class wsr__op_abs = {
    .super = {"abs", "absolute value", "", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = wsr__elementwise_impls,
    .elementwise = &function,
    .piecewise_linear = 1u,
};
