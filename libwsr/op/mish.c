// SPDX-License-Identifier: Apache-2.0
//
// y = x * t with t = tanh(ln(1 + exp(x))):
//
//   dx = dy * (t + x * (1 - t^2) / (1 + exp(-x)))

#include "op/elementwise.h"

#include <math.h>

// tanh(ln(1 + e)) = (e^2 + 2 e) / (e^2 + 2 e + 2) with e = exp(x). For x > 0
// both sides are divided by e^2, so that nothing overflows.
static double gate(double x)
{
    const double e = exp(-fabs(x));
    return x < 0 ? e * (e + 2) / (e * (e + 2) + 2)
                 : (1 + 2 * e) / (1 + 2 * e + 2 * e * e);
}

static double sigmoid(double x)
{
    const double e = exp(-fabs(x));
    return (x < 0 ? e : 1) / (1 + e);
}

static double value(double x, const void *params)
{
    (void)params;
    return x * gate(x);
}

static double slope(double x, const void *params)
{
    (void)params;
    const double t = gate(x);
    return t + x * (1 - t * t) * sigmoid(x);
}

static const wsr__elementwise function = {
    .value = value,
    .slope = slope,

};

const wsr__op_class wsr__op_mish = {
    .super = {"mish", "x * tanh(ln(1 + exp(x)))",
              "Misra 2019, arXiv:1908.08681", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = wsr__elementwise_impls,
    .elementwise = &function,

};
