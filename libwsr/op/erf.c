// SPDX-License-Identifier: Apache-2.0
//
// The error function, y = 2 / sqrt(pi) * integral from 0 to x of exp(-t^2).

#include "op/elementwise.h"

#include <math.h>

static double value(double x, const void *params)
{
    (void)params;
    return erf(x);
}

static double slope(double x, const void *params)
{
    (void)params;
    return M_2_SQRTPI * exp(-x * x);
}

static const wsr__elementwise function = {
    .value = value,
    .slope = slope,

};

const wsr__op_class wsr__op_erf = {
    .super = {"erf", "error function", "", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = wsr__elementwise_impls,
    .elementwise = &function,

};
