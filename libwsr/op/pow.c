// SPDX-License-Identifier: Apache-2.0
//
// dst = a^b, with broadcasting:
//
//   diff_a = diff_dst * b * a^(b - 1),   diff_b = diff_dst * a^b * ln a
//
// The gradient of a is 0 where b is 0, and that of b where a is 0 and b is not
// negative, as in PyTorch. Squares are products.

#include "op/broadcast.h"

#include <math.h>

static double value(double a, double b)
{
    return pow(a, b);
}

static double slope_a(double a, double b)
{
    return b == 0 ? 0 : b * pow(a, b - 1);
}

static double slope_b(double b, double a)
{
    return a == 0 && b >= 0 ? 0 : pow(a, b) * log(a);
}

static void forward(float *y, const float *a, const float *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = b[i] == 2.0f ? a[i] * a[i] : powf(a[i], b[i]);
    }
}

static float power_a(float a, float b)
{
    if (b == 0 || b == 2) {
        return b == 0 ? 0 : 2 * a;
    }
    return b * powf(a, b - 1);
}

static float power_b(float a, float b)
{
    return a == 0 && b >= 0 ? 0 : powf(a, b) * logf(a);
}

static void backward_a(float *dx, const float *dy, const float *a,
                       const float *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        dx[i] = dy[i] * power_a(a[i], b[i]);
    }
}

static void backward_b(float *dx, const float *dy, const float *b,
                       const float *a, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        dx[i] = dy[i] * power_b(a[i], b[i]);
    }
}

static const wsr__binary function = {
    .value = value,
    .slope = {slope_a, slope_b},
    .forward = forward,
    .backward = {backward_a, backward_b},
    .reads = {1 | 2, 1 | 2},

};

const wsr__op_class wsr__op_pow = {
    .super = {"pow", "power, with broadcasting", "", NULL, 0},
    .min_srcs = 2,
    .max_srcs = 2,
    .sources = "a (n, ...), b (n, ...) as NumPy broadcasts",
    .result = "shape of both together",
    .infer = wsr__broadcast_infer,
    .impls = wsr__broadcast_impls,
    .binary = &function,
};
