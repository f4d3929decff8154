// SPDX-License-Identifier: Apache-2.0
//
// y = exp(x), dx = dy * y. Where it overflows the result is inf, as in PyTorch.

#include "op/elementwise.h"

#include <math.h>

// Its own derivative.
static double value(double x, const void *params)
{
    (void)params;
    return exp(x);
}

static void forward(float *y, const float *x, int64_t n, const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        y[i] = expf(x[i]);
    }
}

static void backward(float *dx, const float *dy, const float *y, int64_t n,
                     const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        dx[i] = dy[i] * y[i];
    }
}

static const wsr__elementwise function = {
    .value = value,
    .slope = value,
    .forward = forward,
    .backward = backward,
    .reads = WSR__NEED_DST,
};

const wsr__op_class wsr__op_exp = {
    .super = {"exp", "exponential function", "", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = wsr__elementwise_impls,
    .elementwise = &function,
};
