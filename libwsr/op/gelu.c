// SPDX-License-Identifier: Apache-2.0
//
// y = x * P(x), where P is the distribution function of the normal
// distribution, or its approximation by tanh:
//
//   P(x) = (1 + erf(x / sqrt 2)) / 2
//   P(x) = (1 + tanh(u)) / 2,   u = sqrt(2 / pi) * (x + 0.044715 x^3)

#include "op/elementwise.h"

#include <math.h>
#include <stddef.h>

typedef struct gelu_params {
    wsr__text approximate;
} gelu_params;

static const char *const words[] = {"none", "tanh", NULL};

static const wsr__option schema[] = {
    {"approximate", WSR__WORD, offsetof(gelu_params, approximate), "none", 0, 0,
     "", "how the distribution function is computed", words},
    {0},
};

static bool by_tanh(const void *params)
{
    const gelu_params *const o = params;
    return o->approximate.s[0] == 't';
}

// sqrt(2 / pi) and 1 / sqrt(2 pi).
static const double root = 0.79788456080286535588;
static const double density = 0.39894228040143267794;

// (1 + tanh(u)) / 2 is 1 / (1 + exp(-2 u)), which has all digits where tanh(u)
// is near -1; so has erfc(-x) where erf(x) is.
static double tanh_gate(double x)
{
    const double u = root * (x + 0.044715 * x * x * x);
    return 1 / (1 + exp(-2 * u));
}

static double value(double x, const void *params)
{
    return x * (by_tanh(params) ? tanh_gate(x) : 0.5 * erfc(-x * M_SQRT1_2));
}

static double slope(double x, const void *params)
{
    if (!by_tanh(params)) {
        return 0.5 * erfc(-x * M_SQRT1_2) + x * density * exp(-0.5 * x * x);
    }
    const double p = tanh_gate(x);
    return p + x * p * (1 - p) * 2 * root * (1 + 3 * 0.044715 * x * x);
}

// The kernels know the exact function; the approximation is computed in double.
static void forward(float *y, const float *x, int64_t n, const void *params)
{
    if (!by_tanh(params)) {
        wsr__gelu_forward(y, x, n);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        y[i] = (float)value((double)x[i], params);
    }
}

static void backward(float *dx, const float *dy, const float *x, int64_t n,
                     const void *params)
{
    if (!by_tanh(params)) {
        wsr__gelu_backward(dx, dy, x, n);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        dx[i] = (float)((double)dy[i] * slope((double)x[i], params));
    }
}

static const wsr__elementwise function = {
    .value = value,
    .slope = slope,
    .forward = forward,
    .backward = backward,
    .reads = 1,

};

const wsr__op_class wsr__op_gelu = {
    .super = {"gelu", "x times the normal distribution function of x",
              "Hendrycks and Gimpel 2016, arXiv:1606.08415", schema,
              sizeof(gelu_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = wsr__elementwise_impls,
    .elementwise = &function,

};
