// SPDX-License-Identifier: Apache-2.0
//
// Derives a genotype from architecture parameters (Liu et al. 2019,
// arXiv:1806.09055, section 2.3). Every node keeps the two incoming edges whose
// best primitive, "none" apart, has the largest alpha, and on each of them that
// primitive. The stronger edge comes first: the order of the edges decides the
// names of a network's parameters.

#include "space/space.h"

#include <math.h>
#include <string.h>

enum { NODES = 4, STATES_MAX = NODES + 1 };

typedef struct edge {
    size_t state;
    size_t op; // of the primitives
    float strength;
} edge;

// The first largest primitive of a row, "none" apart.
static edge best_of_row(const float *alphas, size_t state,
                        const char *const *primitives, size_t n)
{
    edge best = {.state = state, .op = n, .strength = -INFINITY};
    for (size_t k = 0; k < n; k++) {
        if (wsr__streq(primitives[k], "none")) {
            continue;
        }
        if (best.op == n || alphas[k] > best.strength) {
            best.op = k;
            best.strength = alphas[k];
        }
    }
    return best;
}

// Stable: equal strengths keep the order of their states.
static void sort_by_strength(edge *edges, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const edge moved = edges[i];
        size_t j = i;
        for (; j > 0 && edges[j - 1].strength < moved.strength; j--) {
            edges[j] = edges[j - 1];
        }
        edges[j] = moved;
    }
}

// Row by row: alphas is (14, n), the edges of node 0 first. Every node is
// concatenated to the output. Raw alphas are compared,
// not their softmax: the order is the same within an edge, but need not be so
// between edges.
static wsr_status derive_cell(wsr__genotype_lists *out, const float *alphas,
                              const char *const *primitives, size_t n)
{
    size_t row = 0;
    for (size_t i = 0; i < WSR__ALPHA_ROWS * n; i++) {
        if (isnan(alphas[i])) {
            return WSR_FAIL(WSR_NUMERIC, "alphas: value of edge %zu is NaN",
                            i / n);
        }
    }
    for (size_t node = 0; node < NODES; node++) {
        edge edges[STATES_MAX];
        for (size_t state = 0; state < node + 2; state++, row++) {
            edges[state] = best_of_row(alphas + row * n, state, primitives, n);
        }
        sort_by_strength(edges, node + 2);
        for (size_t k = 0; k < 2; k++) {
            wsr__genotype_edge *const e = &out->edges[out->n_edges++];
            (void)snprintf(e->op, sizeof(e->op), "%s", primitives[edges[k].op]);
            e->state = (int64_t)edges[k].state;
        }
        out->concat[out->n_concat++] = (int64_t)node + 2;
    }
    out->given = true;
    out->concat_given = true;
    return WSR_OK;
}

static bool some_primitive(const char *const *primitives, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        if (!wsr__streq(primitives[k], "none")) {
            return true;
        }
    }
    return false;
}

wsr_status wsr__genotype_derive(wsr_genotype **out, const char *name,
                                const float *alphas_normal,
                                const float *alphas_reduce,
                                const char *const *primitives, size_t n)
{
    wsr_status status = WSR_OK;
    wsr__genotype_draft draft = {.where = "alphas"};
    *out = NULL;
    if (!some_primitive(primitives, n)) {
        status = WSR_FAIL(WSR_ARG, "primitives: none but 'none'");
        goto out;
    }
    WSR_TRY(wsr__strcpy(draft.name, sizeof(draft.name), name));
    WSR_TRY(derive_cell(&draft.cells[0], alphas_normal, primitives, n));
    WSR_TRY(derive_cell(&draft.cells[1], alphas_reduce, primitives, n));
    WSR_TRY(wsr__genotype_make(out, &draft));
out:
    return status;
}
