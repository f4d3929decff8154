// SPDX-License-Identifier: Apache-2.0
//
// Elementwise product of two tensors, with broadcasting:
//
//   dst = a * b,   diff_a = diff_dst * b,   diff_b = diff_dst * a
//
// Zeros stay zeros, so tensors of one shape may have any layout.

#include "op/broadcast.h"

static double value(double a, double b)
{
    return a * b;
}

static double slope(double x, double other)
{
    (void)x;
    return other;
}

static void times(float *y, const float *a, const float *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = a[i] * b[i];
    }
}

static void times_other(float *dx, const float *dy, const float *x,
                        const float *other, int64_t n)
{
    (void)x;
    times(dx, dy, other, n);
}

static const wsr__binary function = {
    .value = value,
    .slope = {slope, slope},
    .forward = times,
    .backward = {times_other, times_other},
    .reads = {2, 1},
    .keeps_zero = true,
};

// ------------------------------------------------------------ of one shape

static uint32_t needs(const wsr__node *node)
{
    return (node->src[1].want_diff ? 1u : 0u) |
           (node->src[0].want_diff ? 2u : 0u);
}

static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    times(node->dst.data + begin, node->src[0].data + begin,
          node->src[1].data + begin, end - begin);
}

// One source after the other: both may be the same tensor.
static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const float *const dy = node->dst.diff;
    for (size_t s = 0; s < 2; s++) {
        const float *const other = node->src[1 - s].data;
        float *const dx = node->src[s].diff;
        const bool add = node->src[s].accumulate;
        for (int64_t i = begin; node->src[s].want_diff && i < end; i++) {
            dx[i] = (add ? dx[i] : 0.0f) + dy[i] * other[i];
        }
    }
}

static wsr_status forward(wsr__node *node)
{
    return wsr__share_elements(node, 1, forward_share);
}

static wsr_status backward(wsr__node *node)
{
    return wsr__share_elements(node, 1, backward_share);
}

static const wsr__impl same = {
    .name = "same",
    .applicable = wsr__broadcast_same,
    .layout = wsr__layout_same,
    .needs = needs,
    .forward = forward,
    .backward = backward,
    .accumulates = true,
    .in_place = true,
};

static const wsr__impl *const impls[] = {&same, &wsr__broadcast_native,
                                         &wsr__broadcast_ref, NULL};

const wsr__op_class wsr__op_mul = {
    .super = {"mul", "elementwise product, with broadcasting", "", NULL, 0},
    .min_srcs = 2,
    .max_srcs = 2,
    .sources = "a (n, ...), b (n, ...) as NumPy broadcasts",
    .result = "shape of both together",
    .infer = wsr__broadcast_infer,
    .impls = impls,
    .binary = &function,
};
