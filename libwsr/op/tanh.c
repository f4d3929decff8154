// SPDX-License-Identifier: Apache-2.0
//
// y = tanh(x), dx = dy * (1 - y^2). Zeros stay zeros, so any layout will do.

#include "op/op.h"

#include <math.h>

static void squash(float *y, const float *x, int64_t n, const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        y[i] = tanhf(x[i]);
    }
}

// From y alone, so that x need not be kept.
static void squash_grad(float *dx, const float *dy, const float *y, int64_t n,
                        const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        dx[i] = dy[i] * (1.0f - y[i] * y[i]);
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

// The layout is that of the source; its padding channels hold tanh(0) = 0 and
// add nothing.
static wsr_status backward(wsr__node *node)
{
    wsr__unary_backward(node, &function);
    return WSR_OK;
}

static const wsr__impl ref = {
    .name = "ref",
    .layout = wsr__layout_same,
    .needs = needs,
    .forward = forward,
    .backward = backward,
    .accumulates = true,
    .in_place = true,
};

static const wsr__impl *const impls[] = {&ref, NULL};

const wsr__op_class wsr__op_tanh = {
    .super = {"tanh", "hyperbolic tangent", "", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = impls,
};
