// SPDX-License-Identifier: Apache-2.0
//
// y = x * s with s = 1 / (1 + exp(-x)), also called swish:
//
//   dx = dy * s * (1 + x * (1 - s))

#include "op/elementwise.h"

#include <math.h>

// The exponential is taken of -|x|, so that nothing overflows.
static double sigmoid(double x)
{
    const double e = exp(-fabs(x));
    return (x < 0 ? e : 1) / (1 + e);
}

static double value(double x, const void *params)
{
    (void)params;
    return x * sigmoid(x);
}

static double slope(double x, const void *params)
{
    (void)params;
    return sigmoid(x) * (1 + x * sigmoid(-x));
}

static void forward(float *y, const float *x, int64_t n, const void *params)
{
    (void)params;
    wsr__silu_forward(y, x, n);
}

static void backward(float *dx, const float *dy, const float *x, int64_t n,
                     const void *params)
{
    (void)params;
    wsr__silu_backward(dx, dy, x, n);
}

static const wsr__elementwise function = {
    .value = value,
    .slope = slope,
    .forward = forward,
    .backward = backward,
    .reads = 1,
};

const wsr__op_class wsr__op_silu = {
    .super = {"silu", "x / (1 + exp(-x))",
              "Elfwing et al. 2017, arXiv:1702.03118", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = wsr__elementwise_impls,
    .elementwise = &function,

};
