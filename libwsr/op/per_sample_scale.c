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
    return wsr__infer_per_sample(dst, srcs,
                                 "factors must be one number per sample");
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
    wsr__scale_into(node->src[0].diff + r * k, node->src[0].accumulate,
                    node->src[1].data[r], node->dst.diff + r * k, k);
}

// Of factor r, summed in double.
static void backward_s(const wsr__node *node, int64_t r)
{
    const int64_t k = wsr__row_floats(&node->dst.desc);
    const float *const dy = node->dst.diff + r * k;
    const float *const x = node->src[0].data + r * k;
    float *const ds = node->src[1].diff + r;
    *ds = (node->src[1].accumulate ? *ds : 0.0f) + (float)wsr__dot(dy, x, k);
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
    return wsr__share_samples(node, forward_share);
}

static wsr_status backward(wsr__node *node)
{
    return wsr__share_samples(node, backward_share);
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
    .sources = "src (n, ...), factors (n) or (n, 1)",
    .result = "as src",
    .infer = infer,
    .impls = impls,
    .piecewise_linear = 1u,
};
