// SPDX-License-Identifier: Apache-2.0
//
// y = min(max(slope * x + offset, 0), 1). The gradient passes where 0 < y < 1.
// The default is that of PyTorch, ONNX has a slope of 0.2.

#include "op/elementwise.h"

#include <stddef.h>

typedef struct hard_sigmoid_params {
    double slope;
    double offset;
} hard_sigmoid_params;

static const wsr__option schema[] = {
    {"slope", WSR__FLOAT, offsetof(hard_sigmoid_params, slope), "1/6", 0, 0, "",
     "what the source is multiplied by", NULL},
    {"offset", WSR__FLOAT, offsetof(hard_sigmoid_params, offset), "0.5", 0, 0,
     "", "what is added then", NULL},
    {0},
};

// Comparisons with a NaN are false: it stays. In double, since products near
// -offset cancel.
static double value(double x, const void *params)
{
    const hard_sigmoid_params *const o = params;
    const double line = o->slope * x + o->offset;
    const double above = line < 0 ? 0 : line;
    return above > 1 ? 1 : above;
}

static double slope(double x, const void *params)
{
    const hard_sigmoid_params *const o = params;
    const double line = o->slope * x + o->offset;
    return line > 0 && line < 1 ? o->slope : 0;
}

static const wsr__elementwise function = {
    .value = value,
    .slope = slope,
};

const wsr__op_class wsr__op_hard_sigmoid = {
    .super = {"hard_sigmoid", "min(max(slope * x + offset, 0), 1)", "", schema,
              sizeof(hard_sigmoid_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = wsr__elementwise_impls,
    .elementwise = &function,
    .piecewise_linear = 1u,
};
