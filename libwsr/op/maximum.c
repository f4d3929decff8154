// SPDX-License-Identifier: Apache-2.0
//
// dst = the larger of a and b, with broadcasting; a NaN in either makes a NaN.
// The gradient goes to the source that was taken, and where both are equal half
// of it to each, as in PyTorch.

#include "op/broadcast.h"

static double value(double a, double b)
{
    return a > b || a != a ? a : b;
}

static double slope_a(double a, double b)
{
    return a == b ? 0.5 : (a > b ? 1 : 0);
}

static double slope_b(double a, double b)
{
    return a == b ? 0.5 : (b > a ? 1 : 0);
}

// A comparison with a NaN is false.
static void forward(float *y, const float *a, const float *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = a[i] > b[i] || a[i] != a[i] ? a[i] : b[i];
    }
}

// What of the gradient goes to x.
static float share_of(float x, float other)
{
    return x == other ? 0.5f : (x > other ? 1.0f : 0.0f);
}

static void backward_a(float *dx, const float *dy, const float *const ab[2],
                       int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        dx[i] = dy[i] * share_of(ab[0][i], ab[1][i]);
    }
}

static void backward_b(float *dx, const float *dy, const float *const ab[2],
                       int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        dx[i] = dy[i] * share_of(ab[1][i], ab[0][i]);
    }
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
