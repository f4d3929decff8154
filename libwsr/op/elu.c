// SPDX-License-Identifier: Apache-2.0
//
// y = x where x > 0, alpha * (exp(x) - 1) elsewhere.

#include "op/elementwise.h"

#include <math.h>
#include <stddef.h>

typedef struct elu_params {
    double alpha;
} elu_params;

static const wsr__option schema[] = {
    {"alpha", WSR__FLOAT, offsetof(elu_params, alpha), "1", 0, 0, "",
     "factor of the exponential", NULL},
    {0},
};

static double value(double x, const void *params)
{
    const elu_params *const o = params;
    return x > 0 ? x : o->alpha * expm1(x);
}

static double slope(double x, const void *params)
{
    const elu_params *const o = params;
    return x > 0 ? 1 : o->alpha * exp(x);
}

static const wsr__elementwise function = {
    .value = value,
    .slope = slope,

};

const wsr__op_class wsr__op_elu = {
    .super = {"elu", "x where x > 0, alpha * (exp(x) - 1) elsewhere",
              "Clevert et al. 2015, arXiv:1511.07289", schema,
              sizeof(elu_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = wsr__elementwise_impls,
    .elementwise = &function,

};
