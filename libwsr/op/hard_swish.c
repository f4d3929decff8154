// SPDX-License-Identifier: Apache-2.0
//
// y = x * min(max(x / 6 + 1/2, 0), 1). The derivative is 0 below -3, 1 above 3
// and x / 3 + 1/2 between them.

#include "op/elementwise.h"

static double value(double x, const void *params)
{
    (void)params;
    if (x <= -3) {
        return 0;
    }
    return x >= 3 ? x : x * (x + 3) / 6;
}

static double slope(double x, const void *params)
{
    (void)params;
    if (x < -3) {
        return 0;
    }
    return x > 3 ? 1 : x / 3 + 0.5;
}

static float gate(float x)
{
    const float line = x + 3.0f;
    const float above = line < 0 ? 0 : line;
    return (above > 6.0f ? 6.0f : above) * (1.0f / 6);
}

static float gate_slope(float x)
{
    const float line = x * (1.0f / 3) + 0.5f;
    const float above = x < -3.0f ? 0 : line;
    return x > 3.0f ? 1.0f : above;
}

static void forward(float *y, const float *x, int64_t n, const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        y[i] = x[i] * gate(x[i]);
    }
}

static void backward(float *dx, const float *dy, const float *x, int64_t n,
                     const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        dx[i] = dy[i] * gate_slope(x[i]);
    }
}

static const wsr__elementwise function = {
    .value = value,
    .slope = slope,
    .forward = forward,
    .backward = backward,
    .reads = 1,
};

const wsr__op_class wsr__op_hard_swish = {
    .super = {"hard_swish", "x * min(max(x / 6 + 1/2, 0), 1)",
              "Howard et al. 2019, arXiv:1905.02244", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = wsr__elementwise_impls,
    .elementwise = &function,

};
