// SPDX-License-Identifier: Apache-2.0
//
// y = scale * x where x > 0, scale * alpha * (exp(x) - 1) elsewhere, with the
// constants of the paper, for which activations keep mean 0 and variance 1.

#include "op/elementwise.h"

#include <math.h>

static const double alpha = 1.6732632423543772848170429916717;
static const double scale = 1.0507009873554804934193349852946;

static double value(double x, const void *params)
{
    (void)params;
    return scale * (x > 0 ? x : alpha * expm1(x));
}

static double slope(double x, const void *params)
{
    (void)params;
    return scale * (x > 0 ? 1 : alpha * exp(x));
}

static const wsr__elementwise function = {
    .value = value,
    .slope = slope,

};

const wsr__op_class wsr__op_selu = {
    .super = {"selu", "self-normalising exponential linear unit",
              "Klambauer et al. 2017, arXiv:1706.02515", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = wsr__elementwise_impls,
    .elementwise = &function,

};
