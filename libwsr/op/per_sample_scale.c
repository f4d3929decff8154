// SPDX-License-Identifier: Apache-2.0
//
// Multiplies each sample of x (n, ...) by a number of its own, s (n) or (n, 1).
// Drop path uses it, and the sampled weight of an edge.
//
//   dst[r] = s[r] * x[r],   dx[r] = s[r] * dy[r],   ds[r] = <dy[r], x[r]>
//
// Zeros stay zeros, so any layout will do.

#include "op/op.h"

// s is (n) or (n, 1), so that a column of a matrix will do.
static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)params;
    (void)n;
    if (srcs[1].dims[0] != srcs[0].dims[0] ||
        wsr_shape_count(&srcs[1]) != srcs[0].dims[0]) {
        return wsr__op_shape_fail("factors must be one number per sample",
                                  &srcs[1]);
    }
    *dst = srcs[0];
    return WSR_OK;
}

// The gradient of either source needs the other.
static uint32_t needs(const wsr__node *node)
{
    return (node->src[1].want_diff ? 1u : 0u) |
           (node->src[0].want_diff ? 2u : 0u);
}

static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const int64_t k = wsr__row_floats(&node->dst.desc);
    for (int64_t r = begin; r < end; r++) {
        const float s = node->src[1].data[r];
        for (int64_t i = r * k; i < (r + 1) * k; i++) {
            node->dst.data[i] = s * node->src[0].data[i];
        }
    }
}

// Of sample r; factors that are 0 give zeros, as drop path wants it.
static void backward_x(const wsr__node *node, int64_t r)
{
    const int64_t k = wsr__row_floats(&node->dst.desc);
    const float s = node->src[1].data[r];
    const float *const dy = node->dst.diff + r * k;
    float *const dx = node->src[0].diff + r * k;
    const bool add = node->src[0].accumulate;
    for (int64_t i = 0; i < k; i++) {
        dx[i] = (add ? dx[i] : 0.0f) + s * dy[i];
    }
}

// Of factor r, summed in double.
static void backward_s(const wsr__node *node, int64_t r)
{
    const int64_t k = wsr__row_floats(&node->dst.desc);
    const float *const dy = node->dst.diff + r * k;
    const float *const x = node->src[0].data + r * k;
    float *const ds = node->src[1].diff + r;
    double sum = 0;
    for (int64_t i = 0; i < k; i++) {
        sum += (double)dy[i] * (double)x[i];
    }
    *ds = (node->src[1].accumulate ? *ds : 0.0f) + (float)sum;
}

static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    for (int64_t r = begin; r < end; r++) {
        if (node->src[0].want_diff) {
            backward_x(node, r);
        }
        if (node->src[1].want_diff) {
            backward_s(node, r);
        }
    }
}

static wsr_status forward(wsr__node *node)
{
    wsr__share(node->dst.desc.shape.dims[0], wsr__row_floats(&node->dst.desc),
               forward_share, node);
    return WSR_OK;
}

static wsr_status backward(wsr__node *node)
{
    wsr__share(node->dst.desc.shape.dims[0], wsr__row_floats(&node->dst.desc),
               backward_share, node);
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

const wsr__op_class wsr__op_per_sample_scale = {
    .super = {"per_sample_scale", "samples times one number each", "", NULL, 0},
    .min_srcs = 2,
    .max_srcs = 2,
    .infer = infer,
    .impls = impls,
};
