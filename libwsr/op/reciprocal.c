// SPDX-License-Identifier: Apache-2.0
//
// y = 1 / x, dx = -dy / x^2. As in IEEE arithmetic 1 / 0 is infinite.

#include "op/elementwise.h"

static double value(double x, const void *params)
{
    (void)params;
    return 1 / x;
}

static double slope(double x, const void *params)
{
    (void)params;
    return -1 / (x * x);
}

// In this order the square cannot overflow.
static void forward(float *y, const float *x, int64_t n, const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        y[i] = 1.0f / x[i];
    }
}

static void backward(float *dx, const float *dy, const float *x, int64_t n,
                     const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        dx[i] = -dy[i] / x[i] / x[i];
    }
}

static const wsr__elementwise function = {
    .value = value,
    .slope = slope,
    .forward = forward,
    .backward = backward,
    .reads = 1,
};

const wsr__op_class wsr__op_reciprocal = {
    .super = {"reciprocal", "1 / x", "", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = wsr__elementwise_impls,
    .elementwise = &function,

};
