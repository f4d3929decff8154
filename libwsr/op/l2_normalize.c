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

// dz = factors[0] * dy + factors[1] * z of sample r, from <z, z> and <z, dy>;
// adds dtau, where wanted.
static void gradient(float factors[2], const wsr__node *node, int64_t r,
                     double square, double inner)
{
    const wsr__l2_normalize_params *const o = node->params;
    const double norm = sqrt(square);
    const double length = norm + o->guard;
    const double factor = (double)node->src[1].data[r] / length;
    // The part of dy along z changes the length, which the result has not.
    const double along = norm > 0 ? factor * inner / (norm * length) : 0;
    factors[0] = (float)factor;
    factors[1] = -(float)along;
    if (node->src[1].want_diff) {
        float *const dtau = node->src[1].diff + r;
        *dtau = (node->src[1].accumulate ? *dtau : 0.0f) +
                (float)(inner / length);
    }
}

static void backward_row(const wsr__node *node, int64_t r)
{
    const int64_t k = wsr__row_floats(&node->src[0].desc);
    const float *const z = node->src[0].data + r * k;
    const float *const dy = node->dst.diff + r * k;
    float factors[2];
    gradient(factors, node, r, wsr__dot(z, z, k), wsr__dot(z, dy, k));
    float *const dz = node->src[0].diff + r * k;
    const bool add = node->src[0].accumulate;
    for (int64_t i = 0; node->src[0].want_diff && i < k; i++) {
        dz[i] = (add ? dz[i] : 0.0f) + (factors[0] * dy[i] + factors[1] * z[i]);
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

// The same with vectors.
static void native_forward_share(void *ctx, int64_t begin, int64_t end,
                                 size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const wsr__l2_normalize_params *const o = node->params;
    const int64_t k = wsr__row_floats(&node->src[0].desc);
    for (int64_t r = begin; r < end; r++) {
        const float *const z = node->src[0].data + r * k;
        double square;
        wsr__inner_product(&square, z, z, k);
        const double length = sqrt(square) + o->guard;
        wsr__scale(node->dst.data + r * k,
                   (float)((double)node->src[1].data[r] / length), z, k);
    }
}

static void native_backward_row(const wsr__node *node, int64_t r)
{
    const int64_t k = wsr__row_floats(&node->src[0].desc);
    const float *const z = node->src[0].data + r * k;
    const float *const dy = node->dst.diff + r * k;
    float factors[2];
    double square;
    double inner;
    wsr__inner_product(&square, z, z, k);
    wsr__inner_product(&inner, z, dy, k);
    gradient(factors, node, r, square, inner);
    float *const dz = node->src[0].diff + r * k;
    if (!node->src[0].want_diff) {
        return;
    }
    if (node->src[0].accumulate) {
        wsr__axpy(dz, factors[0], dy, k);
        wsr__axpy(dz, factors[1], z, k);
    } else {
        wsr__sum(dz, (const float *const[]){dy, z}, factors, 2, k);
    }
}

static void native_backward_share(void *ctx, int64_t begin, int64_t end,
                                  size_t part)
{
    (void)part;
    for (int64_t r = begin; r < end; r++) {
        native_backward_row(ctx, r);
    }
}

static wsr_status native_forward(wsr__node *node)
{
    return wsr__share_samples(node, native_forward_share);
}

static wsr_status native_backward(wsr__node *node)
{
    return wsr__share_samples(node, native_backward_share);
}

static const wsr__impl native = {
    .name = "native",
    .layout = wsr__layout_same,
    .needs = needs,
    .forward = native_forward,
    .backward = native_backward,
    .accumulates = true,
    .in_place = true,
};

static const wsr__impl ref = {
    .name = "ref",
    .layout = wsr__layout_same,
    .needs = needs,
    .forward = forward,
    .backward = backward,
    .accumulates = true,
    .in_place = true,
};

static const wsr__impl *const impls[] = {&native, &ref, NULL};

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
