// SPDX-License-Identifier: Apache-2.0
//
// y = 1 / (1 + exp(-x)), dx = dy * y * (1 - y). The exponential is taken of
// -|x|, so that nothing overflows. Sources are plain: a padding channel of a
// blocked image would become 1/2.

#include "op/op.h"

#include <math.h>

static void squash(float *y, const float *x, int64_t n, const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        const float e = expf(-fabsf(x[i]));
        y[i] = (x[i] < 0 ? e : 1.0f) / (1.0f + e);
    }
}

// From y alone; where y is 1 or 0 in single precision the gradient is 0.
static void squash_grad(float *dx, const float *dy, const float *y, int64_t n,
                        const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        dx[i] = dy[i] * y[i] * (1.0f - y[i]);
    }
}

static const wsr__unary function = {squash, squash_grad};

static uint32_t needs(const wsr__node *node)
{
    (void)node;
    return WSR__NEED_DST;
}

// dst may lie in src.
static wsr_status forward(wsr__node *node)
{
    wsr__unary_forward(node, &function);
    return WSR_OK;
}

static wsr_status backward(wsr__node *node)
{
    wsr__unary_backward(node, &function);
    return WSR_OK;
}

static const wsr__impl ref = {
    .name = "ref",
    .needs = needs,
    .forward = forward,
    .backward = backward,
    .accumulates = true,
    .in_place = true,
};

static const wsr__impl *const impls[] = {&ref, NULL};

const wsr__op_class wsr__op_sigmoid = {
    .super = {"sigmoid", "1 / (1 + exp(-x))", "", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = impls,
};
