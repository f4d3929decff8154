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

enum { STATES_MAX = WSR__GENOTYPE_NODES + 1 };

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

// Row by row: alphas is (edges, candidates) of a cell, the edges of node 0
// first. Every node is concatenated to the output. Raw alphas are compared, not
// their softmax: the order is the same within an edge, but need not be so
// between edges.
static wsr_status derive_cell(wsr__genotype_lists *out,
                              const wsr__space_class *space,
                              const float *alphas)
{
    const char *const *const primitives = space->primitives;
    const size_t n = space->n_primitives;
    size_t row = 0;
    for (size_t i = 0; i < wsr__space_edges(space) * n; i++) {
        if (isnan(alphas[i])) {
            return WSR_FAIL(WSR_NUMERIC, "alphas: value of edge %zu is NaN",
                            i / n);
        }
    }
    for (size_t node = 0; node < space->nodes; node++) {
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

// The first largest primitive of a row, "none" included.
static wsr_status keep_best(wsr__genotype_edge *out, const float *row,
                            const wsr__space_class *space, size_t number)
{
    size_t best = 0;
    for (size_t k = 0; k < space->n_primitives; k++) {
        if (isnan(row[k])) {
            return WSR_FAIL(WSR_NUMERIC, "alphas: value of edge %zu is NaN",
                            number);
        }
        best = row[k] > row[best] ? k : best;
    }
    (void)snprintf(out->op, sizeof(out->op), "%s", space->primitives[best]);
    return WSR_OK;
}

// In a single space every edge is kept.
static wsr_status derive_single(wsr__genotype_lists *out,
                                const wsr__space_class *space,
                                const float *alphas)
{
    wsr_status status = WSR_OK;
    for (size_t node = 0; node < space->nodes; node++) {
        for (size_t state = 0; state <= node; state++) {
            const size_t number = out->n_edges++;
            out->edges[number].state = (int64_t)state;
            WSR_TRY(keep_best(&out->edges[number],
                              alphas + number * space->n_primitives, space,
                              number));
        }
    }
out:
    return status;
}

// A cell through which nothing passes could not be trained: the edge from the
// source to the result then keeps its best primitive other than "none".
static wsr_status connect(wsr_genotype **out, wsr__genotype_draft *draft,
                          const wsr__space_class *space, const float *alphas)
{
    const size_t at = draft->cells[0].n_edges - space->nodes;
    const size_t n = space->n_primitives;
    wsr__genotype_edge *const e = &draft->cells[0].edges[at];
    if (wsr__genotype_connected(*out)) {
        return WSR_OK;
    }
    const edge best = best_of_row(alphas + at * n, 0, space->primitives, n);
    wsr_genotype_free(*out);
    (void)snprintf(e->op, sizeof(e->op), "%s", space->primitives[best.op]);
    return wsr__genotype_make(out, draft);
}

static bool some_primitive(const wsr__space_class *space)
{
    for (size_t k = 0; k < space->n_primitives; k++) {
        if (!wsr__streq(space->primitives[k], "none")) {
            return true;
        }
    }
    return false;
}

wsr_status wsr__genotype_derive(wsr_genotype **out, const char *name,
                                const wsr__space_class *space,
                                const float *alphas)
{
    wsr_status status = WSR_OK;
    const size_t half = wsr__space_edges(space) * space->n_primitives;
    wsr__genotype_draft draft = {.where = "alphas"};
    *out = NULL;
    if (!some_primitive(space)) {
        status = WSR_FAIL(WSR_ARG, "primitives: none but 'none'");
        goto out;
    }
    WSR_TRY(wsr__strcpy(draft.name, sizeof(draft.name), name));
    if (space->single) {
        draft.single = space;
        WSR_TRY(derive_single(&draft.cells[0], space, alphas));
    } else {
        WSR_TRY(derive_cell(&draft.cells[0], space, alphas));
        WSR_TRY(derive_cell(&draft.cells[1], space, alphas + half));
    }
    WSR_TRY(wsr__genotype_make(out, &draft));
    if (space->single) {
        WSR_TRY(connect(out, &draft, space, alphas));
    }
out:
    return status;
}

wsr_status wsr_genotype_from_alphas(wsr_genotype **out, const float *alphas,
                                    size_t edges, size_t candidates,
                                    const char *space, const char *name)
{
    wsr_status status = WSR_OK;
    const wsr__space_class *cls = NULL;
    *out = NULL;
    WSR_TRY(wsr__space_find(&cls, space == NULL ? "darts" : space));
    if (edges != wsr__space_rows(cls) || candidates != cls->n_primitives) {
        return WSR_FAIL(WSR_SHAPE,
                        "alphas: (%zu, %zu) is not (%zu, %zu), the edges and "
                        "candidates of the space %s",
                        edges, candidates, wsr__space_rows(cls),
                        cls->n_primitives, cls->super.name);
    }
    WSR_TRY(wsr__genotype_derive(out, name, cls, alphas));
out:
    return status;
}
