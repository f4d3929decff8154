// SPDX-License-Identifier: Apache-2.0
//
// What a node of a graph isomorphism network hears (Xu et al. 2019,
// arXiv:1810.00826): its own features and its neighbours', weighted,
//
//   dst = (1 + eps[layer]) x + A x
//
// for each sample, x being v rows of d features and A (v, v). Cells have few
// arcs, so zeros of A are left out.
//
//   dx = (1 + eps) dy + A^T dy,   dA = dy x^T,   deps = sum of dy x

#include "op/cell_graph.h"

#include <stddef.h>
#include <string.h>

enum { X, ADJACENCY, EPS };

static const wsr__option schema[] = {
    {"layer", WSR__INT, offsetof(wsr__gin_aggregate_params, layer), "0", 0,
     1 << 20, "", "element of eps", NULL},
    {0},
};

static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)n;
    const wsr__gin_aggregate_params *const o = params;
    const wsr_shape *const a = &srcs[ADJACENCY];
    const bool fits = srcs[X].ndims == 2 && a->ndims == 3 &&
                      a->dims[1] == a->dims[2] &&
                      a->dims[0] * a->dims[1] == srcs[X].dims[0];
    if (!fits) {
        char x[96];
        char adjacency[96];
        wsr__shape_print(x, &srcs[X]);
        wsr__shape_print(adjacency, a);
        return WSR_FAIL(WSR_SHAPE, "adjacency %s does not fit features %s",
                        adjacency, x);
    }
    if (srcs[EPS].ndims != 1 || o->layer >= srcs[EPS].dims[0]) {
        return wsr__op_shape_fail("eps must have an element for the layer",
                                  &srcs[EPS]);
    }
    *dst = srcs[X];
    return WSR_OK;
}

static uint32_t needs(const wsr__node *node)
{
    const bool factors = node->src[ADJACENCY].want_diff ||
                         node->src[EPS].want_diff;
    return (factors ? 1u << X : 0u) |
           (node->src[X].want_diff ? 1u << ADJACENCY : 0u);
}

static float own_weight(const wsr__node *node)
{
    const wsr__gin_aggregate_params *const o = node->params;
    return 1 + node->src[EPS].data[o->layer];
}

// y (+)= w x and the sum of the rows of `from` weighted by A, whose element
// for row k is a[k * step].
static void add_rows(float *y, const float *a, int64_t step, const float *from,
                     const int64_t sizes[2])
{
    for (int64_t k = 0; k < sizes[0]; k++) {
        const float w = a[k * step];
        const float *const x = from + k * sizes[1];
        for (int64_t i = 0; w != 0 && i < sizes[1]; i++) {
            y[i] += w * x[i];
        }
    }
}

static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const int64_t v = node->src[ADJACENCY].desc.shape.dims[1];
    const int64_t d = node->src[X].desc.shape.dims[1];
    const float own = own_weight(node);
    for (int64_t r = begin; r < end; r++) {
        const float *const a = node->src[ADJACENCY].data + r * v * v;
        const float *const x = node->src[X].data + r * v * d;
        float *const y = node->dst.data + r * v * d;
        wsr__scale_into(y, false, own, x, v * d);
        for (int64_t b = 0; b < v; b++) {
            add_rows(y + b * d, a + b * v, 1, x, (const int64_t[]){v, d});
        }
    }
}

// Of sample r.
static void backward_adjacency(const wsr__node *node, int64_t r)
{
    const wsr__arg *const arg = &node->src[ADJACENCY];
    const int64_t v = arg->desc.shape.dims[1];
    const int64_t d = node->src[X].desc.shape.dims[1];
    const float *const x = node->src[X].data + r * v * d;
    const float *const dy = node->dst.diff + r * v * d;
    float *const da = arg->diff + r * v * v;
    for (int64_t i = 0; i < v * v; i++) {
        da[i] = (arg->accumulate ? da[i] : 0.0f) +
                (float)wsr__dot(dy + i / v * d, x + i % v * d, d);
    }
}

// The scratch gets the sample's part of the gradient of eps.
static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const int64_t v = node->src[ADJACENCY].desc.shape.dims[1];
    const int64_t d = node->src[X].desc.shape.dims[1];
    const float own = own_weight(node);
    for (int64_t r = begin; r < end; r++) {
        const float *const a = node->src[ADJACENCY].data + r * v * v;
        const float *const dy = node->dst.diff + r * v * d;
        if (node->src[X].want_diff) {
            float *const dx = node->src[X].diff + r * v * d;
            wsr__scale_into(dx, node->src[X].accumulate, own, dy, v * d);
            for (int64_t b = 0; b < v; b++) {
                add_rows(dx + b * d, a + b, v, dy, (const int64_t[]){v, d});
            }
        }
        if (node->src[ADJACENCY].want_diff) {
            backward_adjacency(node, r);
        }
        if (node->src[EPS].want_diff) {
            node->scratch[r] =
                (float)wsr__dot(dy, node->src[X].data + r * v * d, v * d);
        }
    }
}

static wsr_status plan(wsr__node *node)
{
    const size_t n = (size_t)node->src[ADJACENCY].desc.shape.dims[0];
    node->scratch_floats = node->src[EPS].want_diff ? n : 0;
    return WSR_OK;
}

static void share_samples(wsr__node *node, wsr__body body)
{
    const int64_t n = node->src[ADJACENCY].desc.shape.dims[0];
    wsr__share(n, wsr__dst_floats(node) / n, body, node);
}

static wsr_status forward(wsr__node *node)
{
    share_samples(node, forward_share);
    return WSR_OK;
}

static wsr_status backward(wsr__node *node)
{
    const wsr__gin_aggregate_params *const o = node->params;
    const int64_t n = node->src[ADJACENCY].desc.shape.dims[0];
    share_samples(node, backward_share);
    if (node->src[EPS].want_diff) {
        double sum = 0;
        for (int64_t r = 0; r < n; r++) {
            sum += (double)node->scratch[r];
        }
        wsr__start_diff(&node->src[EPS]);
        node->src[EPS].diff[o->layer] += (float)sum;
    }
    return WSR_OK;
}

static const wsr__impl ref = {
    .name = "ref",
    .needs = needs,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .accumulates = true,
};

static const wsr__impl *const impls[] = {&ref, NULL};

const wsr__op_class wsr__op_gin_aggregate = {
    .super = {"gin_aggregate", "a node's features and its neighbours'",
              "arXiv:1810.00826", schema, sizeof(wsr__gin_aggregate_params)},
    .min_srcs = 3,
    .max_srcs = 3,
    .sources = "x (n v, d), adjacency (n, v, v), eps (layers)",
    .result = "as x",
    .infer = infer,
    .impls = impls,
};
