// SPDX-License-Identifier: Apache-2.0
//
// y = ln(1 + exp(beta * x)) / beta; where beta * x is above the threshold, y =
// x, as in PyTorch.

#include "op/elementwise.h"

#include <math.h>
#include <stddef.h>

typedef struct softplus_params {
    double beta;
    double threshold;
} softplus_params;

static const wsr__option schema[] = {
    {"beta", WSR__FLOAT, offsetof(softplus_params, beta), "1", 1e-06, 1000000.0,
     "", "sharpness of the bend", NULL},
    {"threshold", WSR__FLOAT, offsetof(softplus_params, threshold), "20", 0, 0,
     "", "of beta * x, above which the result is x", NULL},
    {0},
};

// The exponential is taken of -|x|, so that nothing overflows.
static double value(double x, const void *params)
{
    const softplus_params *const o = params;
    const double z = o->beta * x;
    if (z > o->threshold) {
        return x;
    }
    return ((z > 0 ? z : 0) + log1p(exp(-fabs(z)))) / o->beta;
}

static double slope(double x, const void *params)
{
    const softplus_params *const o = params;
    const double z = o->beta * x;
    const double e = exp(-fabs(z));
    const double s = (z < 0 ? e : 1) / (1 + e);
    return z > o->threshold ? 1 : s;
}

static const wsr__elementwise function = {
    .value = value,
    .slope = slope,

};

const wsr__op_class wsr__op_softplus = {
    .super = {"softplus", "ln(1 + exp(beta * x)) / beta", "", schema,
              sizeof(softplus_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = wsr__elementwise_impls,
    .elementwise = &function,

};
