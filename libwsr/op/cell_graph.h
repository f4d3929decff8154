// SPDX-License-Identifier: Apache-2.0
//
// A cell as a graph whose nodes are the operations on its edges, so that a
// graph network can read it. A cell of m nodes has m (m + 3) / 2 edges; edge
// i (i + 3) / 2 + j leads from state j to node i, where states 0 and 1 are the
// cell's inputs and state j + 2 is node j. The graph has these nodes:
//
//   0, 1          the inputs
//   2 + e         edge e
//   2 + edges     the output
//
// An operation reads the result of each operation whose edge ends where its
// own begins. The output reads all of them.

#ifndef WSR_OP_CELL_GRAPH_H
#define WSR_OP_CELL_GRAPH_H

#include "op/op.h"

/// Nodes that a cell's graph has beside its edges, and columns that their
/// kinds take beside the candidates.
enum { WSR__CELL_GRAPH_MORE = 3 };

/// Nodes of a cell of so many edges, 0 when there is no such cell.
int64_t wsr__cell_graph_nodes(int64_t edges);

/// Graph nodes [first, end) whose results edge e reads.
void wsr__cell_graph_sources(int64_t *first, int64_t *end, int64_t edge);

/// SHAPE unless the source is (n, edges, candidates) of a cell.
wsr_status wsr__cell_graph_check(const wsr_shape *src);

/// The first largest of n numbers.
int64_t wsr__first_largest(const float *x, int64_t n);

/// Params of cell_adjacency.
typedef struct wsr__cell_adjacency_params {
    double along;
    double against;
} wsr__cell_adjacency_params;

/// Params of gin_aggregate.
typedef struct wsr__gin_aggregate_params {
    int64_t layer;
} wsr__gin_aggregate_params;

#endif
