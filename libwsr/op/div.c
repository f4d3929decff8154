// SPDX-License-Identifier: Apache-2.0
//
// dst = a / b, with broadcasting, as in IEEE arithmetic:
//
//   diff_a = diff_dst / b,   diff_b = -diff_dst * a / b^2

#include "op/broadcast.h"

static double value(double a, double b)
{
    return a / b;
}

static double slope_a(double a, double b)
{
    (void)a;
    return 1 / b;
}

static double slope_b(double b, double a)
{
    return -(a / b) / b;
}

static void forward(float *y, const float *a, const float *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = a[i] / b[i];
    }
}

// In this order the square of b cannot overflow.
static void backward_a(float *dx, const float *dy, const float *a,
                       const float *b, int64_t n)
{
    (void)a;
    for (int64_t i = 0; i < n; i++) {
        dx[i] = dy[i] / b[i];
    }
}

static void backward_b(float *dx, const float *dy, const float *b,
                       const float *a, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        dx[i] = -dy[i] * (a[i] / b[i]) / b[i];
    }
}

static const wsr__binary function = {
    .value = value,
    .slope = {slope_a, slope_b},
    .forward = forward,
    .backward = {backward_a, backward_b},
    .reads = {2, 1 | 2},

};

const wsr__op_class wsr__op_div = {
    .super = {"div", "quotient, with broadcasting", "", NULL, 0},
    .min_srcs = 2,
    .max_srcs = 2,
    .sources = "a (n, ...), b (n, ...) as NumPy broadcasts",
    .result = "shape of both together",
    .infer = wsr__broadcast_infer,
    .impls = wsr__broadcast_impls,
    .binary = &function,
    .piecewise_linear = 1u,
};
