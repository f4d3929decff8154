// SPDX-License-Identifier: Apache-2.0
//
// y = sqrt(x), dx = dy / (2 sqrt(x)). As in IEEE arithmetic the root of a
// negative number is NaN, and the derivative at 0 infinite.

#include "op/elementwise.h"

#include <math.h>

static double value(double x, const void *params)
{
    (void)params;
    return sqrt(x);
}

static double slope(double x, const void *params)
{
    (void)params;
    return 0.5 / sqrt(x);
}

static void forward(float *y, const float *x, int64_t n, const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        y[i] = sqrtf(x[i]);
    }
}

static void backward(float *dx, const float *dy, const float *x, int64_t n,
                     const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        dx[i] = dy[i] * (0.5f / sqrtf(x[i]));
    }
}

static const wsr__elementwise function = {
    .value = value,
    .slope = slope,
    .forward = forward,
    .backward = backward,
    .reads = 1,
};

const wsr__op_class wsr__op_sqrt = {
    .super = {"sqrt", "square root", "", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = wsr__elementwise_impls,
    .elementwise = &function,

};
