// SPDX-License-Identifier: Apache-2.0

#include "op/cell_graph.h"

// The m with m (m + 3) / 2 = edges.
int64_t wsr__cell_graph_nodes(int64_t edges)
{
    int64_t m = 0;
    while (m * (m + 3) / 2 < edges) {
        m++;
    }
    return m * (m + 3) / 2 == edges ? m : 0;
}

// Edge e leads to node i from state j. State 0 and 1 are graph nodes of the
// same number; the edges into state j >= 2 lie one behind the other.
void wsr__cell_graph_sources(int64_t *first, int64_t *end, int64_t edge)
{
    int64_t i = 0;
    while ((i + 1) * (i + 4) / 2 <= edge) {
        i++;
    }
    const int64_t j = edge - i * (i + 3) / 2;
    *first = j < 2 ? j : 2 + (j - 2) * (j + 1) / 2;
    *end = j < 2 ? j + 1 : *first + j;
}

wsr_status wsr__cell_graph_check(const wsr_shape *src)
{
    if (src->ndims != 3 || wsr__cell_graph_nodes(src->dims[1]) == 0) {
        return wsr__op_shape_fail(
            "source must be (n, m (m + 3) / 2 edges, candidates)", src);
    }
    return WSR_OK;
}

int64_t wsr__first_largest(const float *x, int64_t n)
{
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++) {
        best = x[i] > x[best] ? i : best;
    }
    return best;
}
