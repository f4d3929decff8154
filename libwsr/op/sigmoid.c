// SPDX-License-Identifier: Apache-2.0
//
// y = 1 / (1 + exp(-x)), dx = dy * y * (1 - y). The exponential is taken of
// -|x|, so that nothing overflows.

#include "op/elementwise.h"

#include <math.h>

static double value(double x, const void *params)
{
    (void)params;
    const double e = exp(-fabs(x));
    return (x < 0 ? e : 1) / (1 + e);
}

static double slope(double x, const void *params)
{
    const double y = value(x, params);
    return y * (1 - y);
}

static void forward(float *y, const float *x, int64_t n, const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        const float e = expf(-fabsf(x[i]));
        y[i] = (x[i] < 0 ? e : 1.0f) / (1.0f + e);
    }
}

// Where y is 1 or 0 in single precision the gradient is 0.
static void backward(float *dx, const float *dy, const float *y, int64_t n,
                     const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        dx[i] = dy[i] * y[i] * (1.0f - y[i]);
    }
}

static const wsr__elementwise function = {
    .value = value,
    .slope = slope,
    .forward = forward,
    .backward = backward,
    .reads = WSR__NEED_DST,
};

const wsr__op_class wsr__op_sigmoid = {
    .super = {"sigmoid", "1 / (1 + exp(-x))", "", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = wsr__elementwise_impls,
    .elementwise = &function,
};
