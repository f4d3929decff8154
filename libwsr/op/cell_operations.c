// SPDX-License-Identifier: Apache-2.0
//
// The kinds of the nodes of a cell's graph (cell_graph.h), one-hot, a row per
// node: the first input, the second, the candidate with the first greatest
// weight of each edge, the output. No gradient: a small step of the weights
// does not change which is greatest.

#include "op/cell_graph.h"

#include <string.h>

static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)params;
    (void)n;
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__cell_graph_check(&srcs[0]));
    *dst =
        wsr__shape2(srcs[0].dims[0] * (srcs[0].dims[1] + WSR__CELL_GRAPH_MORE),
                    srcs[0].dims[2] + WSR__CELL_GRAPH_MORE);
out:
    return status;
}

static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const int64_t edges = node->src[0].desc.shape.dims[1];
    const int64_t candidates = node->src[0].desc.shape.dims[2];
    const int64_t rows = edges + WSR__CELL_GRAPH_MORE;
    const int64_t cols = candidates + WSR__CELL_GRAPH_MORE;
    for (int64_t r = begin; r < end; r++) {
        float *const y = node->dst.data + r * rows * cols;
        memset(y, 0, (size_t)(rows * cols) * sizeof(*y));
        y[0] = 1;
        y[cols + 1] = 1;
        for (int64_t e = 0; e < edges; e++) {
            const float *const x = node->src[0].data +
                                   (r * edges + e) * candidates;
            y[(2 + e) * cols + 2 + wsr__first_largest(x, candidates)] = 1;
        }
        y[rows * cols - 1] = 1;
    }
}

static wsr_status forward(wsr__node *node)
{
    return wsr__share_samples(node, forward_share);
}

static const wsr__impl ref = {.name = "ref", .forward = forward};

static const wsr__impl *const impls[] = {&ref, NULL};

const wsr__op_class wsr__op_cell_operations = {
    .super = {"cell_operations", "kinds of a cell's operations, one-hot", "",
              NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, m (m + 3) / 2 edges, candidates)",
    .result = "(n (edges + 3), candidates + 3), without a gradient",
    .infer = infer,
    .impls = impls,
    .no_grad = true,
};
