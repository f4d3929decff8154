// SPDX-License-Identifier: Apache-2.0
//
// dst = the larger of a and b, with broadcasting; a NaN in either makes a NaN.
// The gradient goes to the source that was taken, and where both are equal half
// of it to each, as in PyTorch.

#include "op/extremum.h"

static double value(double a, double b)
{
    return wsr__extremum(true, a, b);
}

static double slope_a(double a, double b)
{
    return wsr__extremum_slope(true, a, b);
}

static double slope_b(double a, double b)
{
    return wsr__extremum_slope(true, b, a);
}

static void forward(float *y, const float *a, const float *b, int64_t n)
{
    wsr__extremum_forward(true, y, a, b, n);
}

static void backward_a(float *dx, const float *dy, const float *const ab[2],
                       int64_t n)
{
    wsr__extremum_backward(true, dx, dy, ab[0], ab[1], n);
}

static void backward_b(float *dx, const float *dy, const float *const ab[2],
                       int64_t n)
{
    wsr__extremum_backward(true, dx, dy, ab[1], ab[0], n);
}

static const wsr__binary function = {
    .value = value,
    .slope = {slope_a, slope_b},
    .forward = forward,
    .backward = {backward_a, backward_b},
    .reads = {1 | 2, 1 | 2},
    .keeps_zero = true,
};

const wsr__op_class wsr__op_maximum = {
    .super = {"maximum", "the larger of both, with broadcasting", "", NULL, 0},
    .min_srcs = 2,
    .max_srcs = 2,
    .sources = "a (n, ...), b (n, ...) as NumPy broadcasts",
    .result = "shape of both together",
    .infer = wsr__broadcast_infer,
    .impls = wsr__broadcast_impls,
    .binary = &function,
    .piecewise_linear = WSR__ALL_SRCS,
};
