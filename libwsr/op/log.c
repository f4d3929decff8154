// SPDX-License-Identifier: Apache-2.0
//
// y = ln(x), dx = dy / x. As in IEEE arithmetic ln(0) is -inf, and NaN below;
// at x = 0 the gradient is infinite, nothing is cut off.

#include "op/elementwise.h"

#include <math.h>

static double value(double x, const void *params)
{
    (void)params;
    return log(x);
}

static double slope(double x, const void *params)
{
    (void)params;
    return 1 / x;
}

static void forward(float *y, const float *x, int64_t n, const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        y[i] = logf(x[i]);
    }
}

static void backward(float *dx, const float *dy, const float *x, int64_t n,
                     const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        dx[i] = dy[i] / x[i];
    }
}

static const wsr__elementwise function = {
    .value = value,
    .slope = slope,
    .forward = forward,
    .backward = backward,
    .reads = 1,
};

const wsr__op_class wsr__op_log = {
    .super = {"log", "natural logarithm", "", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = wsr__elementwise_impls,
    .elementwise = &function,
};
