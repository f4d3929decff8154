// SPDX-License-Identifier: Apache-2.0
//
// batch_norm of rows (n, c). Threads share the channels, a block of
// neighbouring ones at a time, and walk down the rows: each block of a row is
// a line of memory or two. Sums are formed in double precision, row by row.

#include "op/batch_norm.h"

#include <math.h>

enum { CHANNELS = 32 }; // of a block

static bool applicable(const wsr__node *node)
{
    return node->src[WSR__BN_SRC].desc.shape.ndims == 2;
}

// Mean and inverse deviation, c floats each, which backward needs.
static wsr_status plan(wsr__node *node)
{
    node->workspace_floats = 2 *
                             (size_t)node->src[WSR__BN_SRC].desc.shape.dims[1];
    return WSR_OK;
}

// Channels [first, first + count) of all rows, and their statistics.
typedef struct block {
    int64_t rows;
    int64_t pitch; // channels of a row
    int64_t first;
    int64_t count;
    float *mean; // (count)
    float *inv;  // (count)
} block;

static block block_of(const wsr__node *node, int64_t i)
{
    const int64_t *const d = node->src[WSR__BN_SRC].desc.shape.dims;
    const int64_t first = i * CHANNELS;
    return (block){.rows = d[0],
                   .pitch = d[1],
                   .first = first,
                   .count = d[1] - first < CHANNELS ? d[1] - first : CHANNELS,
                   .mean = node->workspace + first,
                   .inv = node->workspace + d[1] + first};
}

static void share_blocks(wsr__node *node, wsr__body body)
{
    const int64_t *const d = node->src[WSR__BN_SRC].desc.shape.dims;
    wsr__share((d[1] + CHANNELS - 1) / CHANNELS, d[0] * CHANNELS, body, node);
}

// ----------------------------------------------------------------- forward

// Mean, then variance around it. The workspace gets the variance in place of
// the inverse deviation.
static void batch_stats(const wsr__node *node, const block *b)
{
    const float *const x = node->src[WSR__BN_SRC].data + b->first;
    double sum[CHANNELS] = {0};
    double square[CHANNELS] = {0};
    for (int64_t r = 0; r < b->rows; r++) {
        for (int64_t i = 0; i < b->count; i++) {
            sum[i] += (double)x[r * b->pitch + i];
        }
    }
    for (int64_t i = 0; i < b->count; i++) {
        sum[i] /= (double)b->rows;
        b->mean[i] = (float)sum[i];
    }
    for (int64_t r = 0; r < b->rows; r++) {
        for (int64_t i = 0; i < b->count; i++) {
            const double d = (double)x[r * b->pitch + i] - sum[i];
            square[i] += d * d;
        }
    }
    for (int64_t i = 0; i < b->count; i++) {
        b->inv[i] = (float)(square[i] / (double)b->rows);
    }
}

static void stats_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    for (int64_t i = begin; i < end; i++) {
        const block b = block_of(ctx, i);
        batch_stats(ctx, &b);
    }
}

static void running_stats(const wsr__node *node)
{
    const int64_t c = node->src[WSR__BN_SRC].desc.shape.dims[1];
    for (int64_t i = 0; i < c; i++) {
        node->workspace[i] = node->src[WSR__BN_MEAN].data[i];
        node->workspace[c + i] = node->src[WSR__BN_VAR].data[i];
    }
}

static void apply_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const float *const weight = wsr__batch_norm_affine(node, WSR__BN_WEIGHT);
    const float *const bias = wsr__batch_norm_affine(node, WSR__BN_BIAS);
    for (int64_t k = begin; k < end; k++) {
        const block b = block_of(node, k);
        const float *const x = node->src[WSR__BN_SRC].data + b.first;
        float *const y = node->dst.data + b.first;
        float scale[CHANNELS];
        float shift[CHANNELS];
        for (int64_t i = 0; i < b.count; i++) {
            scale[i] = b.inv[i] * (weight == NULL ? 1 : weight[b.first + i]);
            shift[i] = bias == NULL ? 0 : bias[b.first + i];
        }
        for (int64_t r = 0; r < b.rows; r++) {
            for (int64_t i = 0; i < b.count; i++) {
                y[r * b.pitch + i] =
                    (x[r * b.pitch + i] - b.mean[i]) * scale[i] + shift[i];
            }
        }
    }
}

static wsr_status forward(wsr__node *node)
{
    wsr_status status = WSR_OK;
    const wsr__batch_norm *const o = node->params;
    const int64_t c = node->src[WSR__BN_SRC].desc.shape.dims[1];
    float *const mean = node->workspace;
    float *const var = mean + c;
    if (node->train) {
        share_blocks(node, stats_share);
    } else {
        running_stats(node);
    }
    WSR_TRY(wsr__batch_norm_finish_stats(node, mean, var));
    for (int64_t i = 0; i < c; i++) {
        var[i] = (float)(1 / sqrt((double)var[i] + o->tol));
    }
    share_blocks(node, apply_share);
out:
    return status;
}

// ---------------------------------------------------------------- backward

// Sums over the rows of dy, and of dy times the normalised x.
static void sums_of(double sum[CHANNELS], double product[CHANNELS],
                    const wsr__node *node, const block *b)
{
    const float *const x = node->src[WSR__BN_SRC].data + b->first;
    const float *const dy = node->dst.diff + b->first;
    for (int64_t r = 0; r < b->rows; r++) {
        for (int64_t i = 0; i < b->count; i++) {
            const double d = (double)dy[r * b->pitch + i];
            sum[i] += d;
            product[i] +=
                d * (double)((x[r * b->pitch + i] - b->mean[i]) * b->inv[i]);
        }
    }
}

// With running statistics the gradient passes by the statistics.
static void diff_src(const wsr__node *node, const block *b,
                     const double sum[CHANNELS], const double product[CHANNELS])
{
    const float *const weight = wsr__batch_norm_affine(node, WSR__BN_WEIGHT);
    const float *const x = node->src[WSR__BN_SRC].data + b->first;
    const float *const dy = node->dst.diff + b->first;
    float *const dx = node->src[WSR__BN_SRC].diff + b->first;
    const double share = node->train ? 1 / (double)b->rows : 0;
    float scale[CHANNELS];
    float shift[CHANNELS];
    float slope[CHANNELS];
    for (int64_t i = 0; i < b->count; i++) {
        scale[i] = b->inv[i] * (weight == NULL ? 1 : weight[b->first + i]);
        shift[i] = (float)(sum[i] * share);
        slope[i] = (float)(product[i] * share) * b->inv[i];
    }
    for (int64_t r = 0; r < b->rows; r++) {
        for (int64_t i = 0; i < b->count; i++) {
            const int64_t at = r * b->pitch + i;
            dx[at] = scale[i] *
                     (dy[at] - shift[i] -
                      (node->train ? (x[at] - b->mean[i]) * slope[i] : 0));
        }
    }
}

// The sums of a block, and with them the gradients of weight and bias.
static void block_sums(double sum[CHANNELS], double product[CHANNELS],
                       const wsr__node *node, const block *b)
{
    float *const dw = wsr__batch_norm_diff(node, WSR__BN_WEIGHT);
    float *const db = wsr__batch_norm_diff(node, WSR__BN_BIAS);
    if (node->train || dw != NULL || db != NULL) {
        sums_of(sum, product, node, b);
    }
    for (int64_t i = 0; i < b->count; i++) {
        if (dw != NULL) {
            dw[b->first + i] = (float)product[i];
        }
        if (db != NULL) {
            db[b->first + i] = (float)sum[i];
        }
    }
}

static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    for (int64_t k = begin; k < end; k++) {
        const block b = block_of(node, k);
        double sum[CHANNELS] = {0};
        double product[CHANNELS] = {0};
        block_sums(sum, product, node, &b);
        if (node->src[WSR__BN_SRC].want_diff) {
            diff_src(node, &b, sum, product);
        }
    }
}

// A synchronised norm needs the sums of all blocks first; they lie in the room
// of sync, (c, 2).
static void sums_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    for (int64_t k = begin; k < end; k++) {
        const block b = block_of(node, k);
        double *const of = node->sync->room + 1 + 2 * b.first;
        double sum[CHANNELS] = {0};
        double product[CHANNELS] = {0};
        block_sums(sum, product, node, &b);
        for (int64_t i = 0; i < b.count; i++) {
            of[2 * i] = sum[i];
            of[2 * i + 1] = product[i];
        }
    }
}

static void diff_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    for (int64_t k = begin; k < end; k++) {
        const block b = block_of(node, k);
        const double *const of = node->sync->room + 1 + 2 * b.first;
        double sum[CHANNELS];
        double product[CHANNELS];
        for (int64_t i = 0; i < b.count; i++) {
            sum[i] = of[2 * i];
            product[i] = of[2 * i + 1];
        }
        diff_src(node, &b, sum, product);
    }
}

static wsr_status backward(wsr__node *node)
{
    wsr_status status = WSR_OK;
    if (!node->train || node->sync == NULL) {
        share_blocks(node, backward_share);
        return WSR_OK;
    }
    share_blocks(node, sums_share);
    WSR_TRY(wsr__batch_norm_average(NULL, node));
    if (node->src[WSR__BN_SRC].want_diff) {
        share_blocks(node, diff_share);
    }
out:
    return status;
}

const wsr__impl wsr__batch_norm_rows = {.name = "rows",
                                        .applicable = applicable,
                                        .needs = wsr__batch_norm_needs,
                                        .plan = plan,
                                        .forward = forward,
                                        .backward = backward,
                                        .syncs = true};
