// SPDX-License-Identifier: Apache-2.0
//
// y = exp(x), dx = dy * y. Sources are plain: a padding channel of a blocked
// image would become 1.

#include "op/op.h"

#include <math.h>

// Where it overflows the result is inf, as in PyTorch.
static void grow(float *y, const float *x, int64_t n, const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        y[i] = expf(x[i]);
    }
}

// From y alone, so that x need not be kept.
static void grow_grad(float *dx, const float *dy, const float *y, int64_t n,
                      const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        dx[i] = dy[i] * y[i];
    }
}

static const wsr__unary function = {grow, grow_grad};

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

const wsr__op_class wsr__op_exp = {
    .super = {"exp", "exponential function", "", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = impls,
};
