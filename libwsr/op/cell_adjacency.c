// SPDX-License-Identifier: Apache-2.0
//
// Adjacency matrix of a cell's graph (cell_graph.h) from the weights of the
// candidates on its edges. With w_e the greatest weight of edge e and B the
// directed matrix, of which entry (a, b) is
//
//   w_e   when b is the node of edge e and reads a
//   1     when b is the output and a the node of an edge
//
// the result is along * B + against * B^T. The gradient of w_e goes to the
// first greatest weight, and to no other.

#include "op/cell_graph.h"
#include "op/per_sample.h"

#include <stddef.h>
#include <string.h>

static const wsr__option schema[] = {
    {"along", WSR__FLOAT, offsetof(wsr__cell_adjacency_params, along), "1", 0,
     0, "", "factor of arcs along their direction", NULL},
    {"against", WSR__FLOAT, offsetof(wsr__cell_adjacency_params, against), "0",
     0, 0, "", "factor of the same arcs against it", NULL},
    {0},
};

static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)params;
    (void)n;
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__cell_graph_check(&srcs[0]));
    const int64_t v = srcs[0].dims[1] + WSR__CELL_GRAPH_MORE;
    *dst = wsr__shape3(srcs[0].dims[0], v, v);
out:
    return status;
}

static void forward(const wsr__node *node, int64_t begin, int64_t end)
{
    const wsr__cell_adjacency_params *const o = node->params;
    const int64_t edges = node->src[0].desc.shape.dims[1];
    const int64_t cols = node->src[0].desc.shape.dims[2];
    const int64_t v = edges + WSR__CELL_GRAPH_MORE;
    const float along = (float)o->along;
    const float against = (float)o->against;
    for (int64_t r = begin; r < end; r++) {
        float *const y = node->dst.data + r * v * v;
        memset(y, 0, (size_t)(v * v) * sizeof(*y));
        for (int64_t e = 0; e < edges; e++) {
            const float *const x = node->src[0].data + (r * edges + e) * cols;
            const float w = x[wsr__first_largest(x, cols)];
            const int64_t b = e + 2;
            int64_t a = 0;
            int64_t last = 0;
            for (wsr__cell_graph_sources(&a, &last, e); a < last; a++) {
                y[a * v + b] = along * w;
                y[b * v + a] = against * w;
            }
            y[b * v + v - 1] = along;
            y[(v - 1) * v + b] = against;
        }
    }
}

static void backward(const wsr__node *node, int64_t begin, int64_t end)
{
    const wsr__cell_adjacency_params *const o = node->params;
    const int64_t edges = node->src[0].desc.shape.dims[1];
    const int64_t cols = node->src[0].desc.shape.dims[2];
    const int64_t v = edges + WSR__CELL_GRAPH_MORE;
    for (int64_t i = begin * edges; i < end * edges; i++) {
        const float *const x = node->src[0].data + i * cols;
        const float *const dy = node->dst.diff + i / edges * v * v;
        float *const dx = node->src[0].diff + i * cols;
        const int64_t b = i % edges + 2;
        double sum = 0;
        int64_t a = 0;
        int64_t last = 0;
        for (wsr__cell_graph_sources(&a, &last, b - 2); a < last; a++) {
            sum += o->along * (double)dy[a * v + b] +
                   o->against * (double)dy[b * v + a];
        }
        if (!node->src[0].accumulate) {
            memset(dx, 0, (size_t)cols * sizeof(*dx));
        }
        dx[wsr__first_largest(x, cols)] += (float)sum;
    }
}

static const wsr__per_sample loops = {
    .forward = forward,
    .backward = backward,
    .reads = {1}, // which weight is greatest
};

const wsr__op_class wsr__op_cell_adjacency = {
    .super = {"cell_adjacency", "adjacency matrix of a cell's operations", "",
              schema, sizeof(wsr__cell_adjacency_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, m (m + 3) / 2 edges, candidates)",
    .result = "(n, edges + 3, edges + 3)",
    .infer = infer,
    .impls = wsr__per_sample_impls,
    .per_sample = &loops,
};
