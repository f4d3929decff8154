// SPDX-License-Identifier: Apache-2.0
//
// Scales each sample of z (n, ...) to the Euclidean norm tau, (n, 1) or (n):
//
//   r = ||z||,   dst = z * tau / (r + guard)
//   dz = tau / (r + guard) * (dy - z * <z, dy> / (r * (r + guard)))
//   dtau = <z, dy> / (r + guard)
//
// The norm's own gradient at 0 counts as 0. Without a guard a zero sample
// yields NaN. Zeros stay zeros, so any layout will do.

#include "op/params.h"

#include <math.h>
#include <stddef.h>

static const wsr__option schema[] = {
    {"guard", WSR__FLOAT, offsetof(wsr__l2_normalize_params, guard), "0", 0, 1,
     "", "added to the norm before the division", NULL},
    {0},
};

// Row r of z is everything behind the batch axis, k floats.
static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)params;
    (void)n;
    return wsr__infer_per_sample(dst, srcs,
                                 "tau must be one number per sample");
}

static uint32_t needs(const wsr__node *node)
{
    return 1u | (node->src[0].want_diff ? 2u : 0u);
}

static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const wsr__l2_normalize_params *const o = node->params;
    const int64_t k = wsr__row_floats(&node->src[0].desc);
    for (int64_t r = begin; r < end; r++) {
        const float *const z = node->src[0].data + r * k;
        const double length = sqrt(wsr__dot(z, z, k)) + o->guard;
        const float factor = (float)((double)node->src[1].data[r] / length);
        for (int64_t i = 0; i < k; i++) {
            node->dst.data[r * k + i] = z[i] * factor;
        }
    }
}

// The gradients of one sample: dz, where wanted, and dtau.
static void backward_row(const wsr__node *node, int64_t r)
{
    const wsr__l2_normalize_params *const o = node->params;
    const int64_t k = wsr__row_floats(&node->src[0].desc);
    const float *const z = node->src[0].data + r * k;
    const float *const dy = node->dst.diff + r * k;
    const double norm = sqrt(wsr__dot(z, z, k));
    const double length = norm + o->guard;
    const double inner = wsr__dot(z, dy, k);
    if (node->src[0].want_diff) {
        float *const dz = node->src[0].diff + r * k;
        const bool add = node->src[0].accumulate;
        const double factor = (double)node->src[1].data[r] / length;
        // The part of dy along z changes the length, which the result has not.
        const double along = norm > 0 ? factor * inner / (norm * length) : 0;
        for (int64_t i = 0; i < k; i++) {
            dz[i] = (add ? dz[i] : 0.0f) +
                    ((float)factor * dy[i] - (float)along * z[i]);
        }
    }
    if (node->src[1].want_diff) {
        float *const dtau = node->src[1].diff + r;
        *dtau = (node->src[1].accumulate ? *dtau : 0.0f) +
                (float)(inner / length);
    }
}

static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    for (int64_t r = begin; r < end; r++) {
        backward_row(ctx, r);
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

const wsr__op_class wsr__op_l2_normalize = {
    .super = {"l2_normalize", "samples brought to given lengths", "", schema,
              sizeof(wsr__l2_normalize_params)},
    .min_srcs = 2,
    .max_srcs = 2,
    .sources = "src (n, ...), lengths (n) or (n, 1)",
    .result = "as src",
    .infer = infer,
    .impls = impls,
};
