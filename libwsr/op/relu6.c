// SPDX-License-Identifier: Apache-2.0
//
// y = min(max(x, 0), 6). The gradient passes where 0 < x < 6 only; a NaN
// passes forwards. Zeros stay zeros, so any layout will do.

#include "op/op.h"

// Both comparisons are false for a NaN, so it stays.
static void cut(float *y, const float *x, int64_t n, const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        const float low = x[i] < 0 ? 0 : x[i];
        y[i] = low > 6 ? 6 : low;
    }
}

// y tells where x was cut off: there it is exactly 0 or 6.
static void cut_grad(float *dx, const float *dy, const float *y, int64_t n,
                     const void *params)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        dx[i] = y[i] > 0 && y[i] < 6 ? dy[i] : 0;
    }
}

static const wsr__unary function = {cut, cut_grad};

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
    .layout = wsr__layout_same,
    .needs = needs,
    .forward = forward,
    .backward = backward,
    .accumulates = true,
    .in_place = true,
};

static const wsr__impl *const impls[] = {&ref, NULL};

const wsr__op_class wsr__op_relu6 = {
    .super = {"relu6", "min(max(x, 0), 6)", "", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src",
    .infer = wsr__infer_same,
    .impls = impls,
};
