// SPDX-License-Identifier: Apache-2.0
//
// y = x where x > 0, slope * x elsewhere.

#include "op/elementwise.h"

#include <stddef.h>

typedef struct leaky_relu_params {
    double slope;
} leaky_relu_params;

static const wsr__option schema[] = {
    {"slope", WSR__FLOAT, offsetof(leaky_relu_params, slope), "0.01", 0, 0, "",
     "factor of numbers that are not positive", NULL},
    {0},
};

static double value(double x, const void *params)
{
    const leaky_relu_params *const o = params;
    return x > 0 ? x : o->slope * x;
}

static double slope(double x, const void *params)
{
    const leaky_relu_params *const o = params;
    return x > 0 ? 1 : o->slope;
}

// At 0 the derivative is that of the left side, as in PyTorch.
static void forward(float *y, const float *x, int64_t n, const void *params)
{
    const leaky_relu_params *const o = params;
    const float factor = (float)o->slope;
    for (int64_t i = 0; i < n; i++) {
        y[i] = x[i] > 0 ? x[i] : factor * x[i];
    }
}

static void backward(float *dx, const float *dy, const float *x, int64_t n,
                     const void *params)
{
    const leaky_relu_params *const o = params;
    const float factor = (float)o->slope;
    for (int64_t i = 0; i < n; i++) {
        dx[i] = x[i] > 0 ? dy[i] : factor * dy[i];
    }
}

static const wsr__elementwise function = {
    .value = value,
    .slope = slope,
    .forward = forward,
    .backward = backward,
    .reads = 1,
};

const wsr__op_class wsr__op_leaky_relu = {
    .super = {"leaky_relu", "x where x > 0, slope * x elsewhere", "", schema,
              sizeof(leaky_relu_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = wsr__elementwise_impls,
    .elementwise = &function,
    .piecewise_linear = 1u,
};
