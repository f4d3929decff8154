// SPDX-License-Identifier: Apache-2.0
//
// The loops of normalisations of groups. Statistics are formed in double, in
// two passes. With x' = (src - mean) / std and g = diff_dst * weight:
//
//   diff_src = (g - mean(g) - x' * mean(g * x')) / std
//   diff_weight = sum of diff_dst * x',   diff_bias = sum of diff_dst

#include "op/norm_groups.h"

#include <math.h>

enum { SRC, WEIGHT, BIAS, PIECE = 64 };

wsr_status wsr__norm_check(const wsr_shape *weight, const wsr_shape *srcs,
                           size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (!wsr_shape_equal(&srcs[i], weight)) {
            char have[96];
            char want[96];
            wsr__shape_print(have, &srcs[i]);
            wsr__shape_print(want, weight);
            return WSR_FAIL(WSR_SHAPE, "%s must have shape %s, not %s",
                            i == WEIGHT ? "weight" : "bias", want, have);
        }
    }
    return WSR_OK;
}

wsr_status wsr__norm_infer_channels(wsr_shape *dst, const wsr_shape *srcs,
                                    size_t n)
{
    const wsr_shape weight = wsr__shape1(srcs[0].dims[1]);
    *dst = srcs[0];
    return wsr__norm_check(&weight, srcs, n);
}

wsr__norm_groups wsr__norm_of_channels(const wsr__node *node, int64_t groups,
                                       double tol)
{
    const wsr_shape *const src = &node->src[0].desc.shape;
    const int64_t images = src->dims[0];
    const int64_t channels = src->dims[1];
    const int64_t pixels = wsr_shape_count(src) / images / channels;
    return (wsr__norm_groups){.count = images * groups,
                              .floats = channels / groups * pixels,
                              .groups = groups,
                              .weights = channels / groups,
                              .repeat = pixels,
                              .tol = tol};
}

// What all threads share.
typedef struct job {
    wsr__node *node;
    wsr__norm_groups g;
    const float *weight; // NULL: 1
    const float *bias;   // NULL: 0
} job;

static job job_of(wsr__node *node)
{
    return (job){.node = node,
                 .g = node->cls->norm->groups(node),
                 .weight = node->n > WEIGHT ? node->src[WEIGHT].data : NULL,
                 .bias = node->n > BIAS ? node->src[BIAS].data : NULL};
}

// Mean and 1 / std of each group.
static wsr_status plan(wsr__node *node)
{
    node->workspace_floats = (size_t)(2 * node->cls->norm->groups(node).count);
    return WSR_OK;
}

static uint32_t needs(const wsr__node *node)
{
    return 1u << SRC | (node->n > WEIGHT ? 1u << WEIGHT : 0);
}

static void find_moments(float moments[2], const float *x,
                         const wsr__norm_groups *g)
{
    double sum = 0;
    for (int64_t i = 0; i < g->floats; i++) {
        sum += (double)x[i];
    }
    const double mean = sum / (double)g->floats;
    double squares = 0;
    for (int64_t i = 0; i < g->floats; i++) {
        const double d = (double)x[i] - mean;
        squares += d * d;
    }
    moments[0] = (float)mean;
    moments[1] = (float)(1 / sqrt(squares / (double)g->floats + g->tol));
}

// Group k, in runs of one weight.
static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const job *const j = ctx;
    const wsr__norm_groups *const g = &j->g;
    for (int64_t k = begin; k < end; k++) {
        const float *const x = j->node->src[SRC].data + k * g->floats;
        float *const y = j->node->dst.data + k * g->floats;
        float *const moments = j->node->workspace + 2 * k;
        const int64_t first = k % g->groups * g->weights;
        find_moments(moments, x, g);
        for (int64_t i = 0; i < g->floats; i++) {
            const int64_t at = first + i / g->repeat;
            const float scale = j->weight == NULL ? 1.0f : j->weight[at];
            const float shift = j->bias == NULL ? 0.0f : j->bias[at];
            y[i] = (x[i] - moments[0]) * moments[1] * scale + shift;
        }
    }
}

// Means of g and of g * x' over group k.
static void find_means(double means[2], const job *j, int64_t k)
{
    const wsr__norm_groups *const g = &j->g;
    const float *const x = j->node->src[SRC].data + k * g->floats;
    const float *const dy = j->node->dst.diff + k * g->floats;
    const float *const moments = j->node->workspace + 2 * k;
    const int64_t first = k % g->groups * g->weights;
    double sums[2] = {0, 0};
    for (int64_t i = 0; i < g->floats; i++) {
        const float scale =
            j->weight == NULL ? 1.0f : j->weight[first + i / g->repeat];
        const double grad = (double)(dy[i] * scale);
        sums[0] += grad;
        sums[1] += grad * (double)((x[i] - moments[0]) * moments[1]);
    }
    means[0] = sums[0] / (double)g->floats;
    means[1] = sums[1] / (double)g->floats;
}

static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const job *const j = ctx;
    const wsr__norm_groups *const g = &j->g;
    const bool add = j->node->src[SRC].accumulate;
    for (int64_t k = begin; k < end; k++) {
        const float *const x = j->node->src[SRC].data + k * g->floats;
        const float *const dy = j->node->dst.diff + k * g->floats;
        const float *const moments = j->node->workspace + 2 * k;
        float *const dx = j->node->src[SRC].diff + k * g->floats;
        const int64_t first = k % g->groups * g->weights;
        double means[2];
        find_means(means, j, k);
        for (int64_t i = 0; i < g->floats; i++) {
            const float scale =
                j->weight == NULL ? 1.0f : j->weight[first + i / g->repeat];
            const float xn = (x[i] - moments[0]) * moments[1];
            const float grad =
                (dy[i] * scale - (float)means[0] - xn * (float)means[1]) *
                moments[1];
            dx[i] = (add ? dx[i] : 0.0f) + grad;
        }
    }
}

// Weights [at, at + count) of a group, from group number k: their sums of
// diff_dst * x' and of diff_dst.
static void add_group(double sums[2][PIECE], const job *j, int64_t k,
                      int64_t at, int64_t count)
{
    const wsr__norm_groups *const g = &j->g;
    const float *const moments = j->node->workspace + 2 * k;
    const int64_t from = k * g->floats + at * g->repeat;
    const float *const x = j->node->src[SRC].data + from;
    const float *const dy = j->node->dst.diff + from;
    for (int64_t i = 0; i < count * g->repeat; i++) {
        const float xn = (x[i] - moments[0]) * moments[1];
        sums[0][i / g->repeat] += (double)dy[i] * (double)xn;
        sums[1][i / g->repeat] += (double)dy[i];
    }
}

static int64_t pieces_of(const wsr__norm_groups *g)
{
    return (g->weights + PIECE - 1) / PIECE;
}

// Pieces of the weights of one group: one thread sums over all images.
static void weights_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const job *const j = ctx;
    const wsr__norm_groups *const g = &j->g;
    const int64_t pieces = pieces_of(g);
    for (int64_t p = begin; p < end; p++) {
        const int64_t at = p % pieces * PIECE;
        const int64_t left = g->weights - at;
        const int64_t count = left < PIECE ? left : PIECE;
        double sums[2][PIECE] = {{0}};
        for (int64_t k = p / pieces; k < g->count; k += g->groups) {
            add_group(sums, j, k, at, count);
        }
        for (size_t s = WEIGHT; s < j->node->n; s++) {
            const wsr__arg *const arg = &j->node->src[s];
            for (int64_t i = 0; arg->want_diff && i < count; i++) {
                float *const to = arg->diff + p / pieces * g->weights + at + i;
                *to = (float)((arg->accumulate ? (double)*to : 0) +
                              sums[s - WEIGHT][i]);
            }
        }
    }
}

// A group is never divided: its sums have one order, whatever the threads.
static wsr_status forward(wsr__node *node)
{
    job j = job_of(node);
    wsr__share(j.g.count, j.g.floats, forward_share, &j);
    return WSR_OK;
}

static wsr_status backward(wsr__node *node)
{
    job j = job_of(node);
    bool weights = false;
    for (size_t s = WEIGHT; s < node->n; s++) {
        weights = weights || node->src[s].want_diff;
    }
    if (weights) {
        const int64_t items = j.g.groups * pieces_of(&j.g);
        wsr__share(items, wsr__dst_floats(node) / items, weights_share, &j);
    }
    if (node->src[SRC].want_diff) {
        wsr__share(j.g.count, j.g.floats, backward_share, &j);
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

const wsr__impl *const wsr__norm_impls[] = {&ref, NULL};
