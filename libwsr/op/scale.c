// SPDX-License-Identifier: Apache-2.0
//
// dst = factor * src + offset, diff_src = factor * diff_dst.

#include "op/elementwise.h"
#include "op/params.h"

#include <stddef.h>

static const wsr__option schema[] = {
    {"factor", WSR__FLOAT, offsetof(wsr__scale_params, factor), "1", 0, 0, "",
     "what the source is multiplied by", NULL},
    {"offset", WSR__FLOAT, offsetof(wsr__scale_params, offset), "0", 0, 0, "",
     "what is added then", NULL},
    {0},
};

static double value(double x, const void *params)
{
    const wsr__scale_params *const o = params;
    return o->factor * x + o->offset;
}

static double slope(double x, const void *params)
{
    (void)x;
    return ((const wsr__scale_params *)params)->factor;
}

// In single precision, as PyTorch multiplies by a number.
static void forward(float *y, const float *x, int64_t n, const void *params)
{
    const wsr__scale_params *const o = params;
    const float factor = (float)o->factor;
    const float offset = (float)o->offset;
    for (int64_t i = 0; i < n; i++) {
        y[i] = factor * x[i] + offset;
    }
}

// The offset is a constant and has no gradient.
static void backward(float *dx, const float *dy, const float *at, int64_t n,
                     const void *params)
{
    (void)at;
    wsr__scale_into(dx, false,
                    (float)((const wsr__scale_params *)params)->factor, dy, n);
}

static const wsr__elementwise function = {
    .value = value,
    .slope = slope,
    .forward = forward,
    .backward = backward,
};

const wsr__op_class wsr__op_scale = {
    .super = {"scale", "factor * x + offset", "", schema,
              sizeof(wsr__scale_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = wsr__elementwise_impls,
    .elementwise = &function,
    .piecewise_linear = 1u,
};
