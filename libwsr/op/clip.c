// SPDX-License-Identifier: Apache-2.0
//
// y = min(max(x, min), max). The gradient passes at the limits too, as in
// PyTorch's clamp; a NaN stays a NaN. Without an option there is no such limit.

#include "op/elementwise.h"

#include <math.h>
#include <stddef.h>

typedef struct clip_params {
    double min;
    double max;
} clip_params;

static const wsr__option schema[] = {
    {"min", WSR__FLOAT, offsetof(clip_params, min), "-3.4e38", 0, 0, "",
     "smallest result", NULL},
    {"max", WSR__FLOAT, offsetof(clip_params, max), "3.4e38", 0, 0, "",
     "largest result", NULL},
    {0},
};

// Numbers of options are finite: the defaults stand for no limit.
static float limit_of(double x)
{
    if (x >= 3.4e38) {
        return INFINITY;
    }
    return x <= -3.4e38 ? -INFINITY : (float)x;
}

static double value(double x, const void *params)
{
    const clip_params *const o = params;
    const double low = (double)limit_of(o->min);
    const double high = (double)limit_of(o->max);
    const double above = x < low ? low : x;
    return above > high ? high : above;
}

static double slope(double x, const void *params)
{
    const clip_params *const o = params;
    return x >= (double)limit_of(o->min) && x <= (double)limit_of(o->max);
}

// Comparisons with a NaN are false.
static void forward(float *y, const float *x, int64_t n, const void *params)
{
    const clip_params *const o = params;
    const float low = limit_of(o->min);
    const float high = limit_of(o->max);
    for (int64_t i = 0; i < n; i++) {
        const float above = x[i] < low ? low : x[i];
        y[i] = above > high ? high : above;
    }
}

static void backward(float *dx, const float *dy, const float *x, int64_t n,
                     const void *params)
{
    const clip_params *const o = params;
    const float low = limit_of(o->min);
    const float high = limit_of(o->max);
    for (int64_t i = 0; i < n; i++) {
        dx[i] = x[i] >= low && x[i] <= high ? dy[i] : 0.0f;
    }
}

static const wsr__elementwise function = {
    .value = value,
    .slope = slope,
    .forward = forward,
    .backward = backward,
    .reads = 1,
};

const wsr__op_class wsr__op_clip = {
    .super = {"clip", "min(max(x, min), max)", "", schema, sizeof(clip_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = wsr__elementwise_impls,
    .elementwise = &function,
    .piecewise_linear = 1u,
};
