// SPDX-License-Identifier: Apache-2.0
//
// dst = the smaller of a and b, with broadcasting; a NaN in either makes a NaN.
// The gradient goes to the source that was taken, and where both are equal half
// of it to each, as in PyTorch.

#include "op/extremum.h"

static double value(double a, double b)
{
    return wsr__extremum(false, a, b);
}

static double slope(double x, double other)
{
    return wsr__extremum_slope(false, x, other);
}

static void forward(float *y, const float *a, const float *b, int64_t n)
{
    wsr__extremum_forward(false, y, a, b, n);
}

static void backward(float *dx, const float *dy, const float *x,
                     const float *other, int64_t n)
{
    wsr__extremum_backward(false, dx, dy, x, other, n);
}

static const wsr__binary function = {
    .value = value,
    .slope = {slope, slope},
    .forward = forward,
    .backward = {backward, backward},
    .reads = {1 | 2, 1 | 2},
    .keeps_zero = true,
};

const wsr__op_class wsr__op_minimum = {
    .super = {"minimum", "the smaller of both, with broadcasting", "", NULL, 0},
    .min_srcs = 2,
    .max_srcs = 2,
    .sources = "a (n, ...), b (n, ...) as NumPy broadcasts",
    .result = "shape of both together",
    .infer = wsr__broadcast_infer,
    .impls = wsr__broadcast_impls,
    .binary = &function,
    .piecewise_linear = WSR__ALL_SRCS,
};
