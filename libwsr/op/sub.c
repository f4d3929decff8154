// SPDX-License-Identifier: Apache-2.0
//
// dst = a - b, with broadcasting: diff_a = diff_dst, diff_b = -diff_dst.

#include "op/broadcast.h"

static double value(double a, double b)
{
    return a - b;
}

static double slope_a(double a, double b)
{
    (void)a;
    (void)b;
    return 1;
}

static double slope_b(double b, double a)
{
    (void)b;
    (void)a;
    return -1;
}

static void forward(float *y, const float *a, const float *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = a[i] - b[i];
    }
}

// Neither gradient depends on the sources.
static void backward_a(float *dx, const float *dy, const float *a,
                       const float *b, int64_t n)
{
    (void)a;
    (void)b;
    for (int64_t i = 0; i < n; i++) {
        dx[i] = dy[i];
    }
}

static void backward_b(float *dx, const float *dy, const float *b,
                       const float *a, int64_t n)
{
    (void)b;
    (void)a;
    for (int64_t i = 0; i < n; i++) {
        dx[i] = -dy[i];
    }
}

static const wsr__binary function = {
    .value = value,
    .slope = {slope_a, slope_b},
    .forward = forward,
    .backward = {backward_a, backward_b},
    .reads = {0, 0},
    .keeps_zero = true,
};

const wsr__op_class wsr__op_sub = {
    .super = {"sub", "difference, with broadcasting", "", NULL, 0},
    .min_srcs = 2,
    .max_srcs = 2,
    .sources = "a (n, ...), b (n, ...) as NumPy broadcasts",
    .result = "shape of both together",
    .infer = wsr__broadcast_infer,
    .impls = wsr__broadcast_impls,
    .binary = &function,
    .piecewise_linear = WSR__ALL_SRCS,
};
