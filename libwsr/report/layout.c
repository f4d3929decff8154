// SPDX-License-Identifier: Apache-2.0
//
// Computes where the parts of a cell stand in its picture: a layered drawing in
// the manner of Sugiyama, Tagawa and Toda (1981).
//
// A state stands in the column of its depth, the longest way from an input.
// Labels of operations have columns of their own between those, and an edge
// that passes a column has a part there as well: no label covers a node or
// another label, and no edge runs through one. Within a column parts are
// sorted by the mean place of their neighbours and set as near to it as their
// heights permit, several times from left to right and back.

#include "report/report.h"

#include <string.h>

// The bound is never met: a cell of five nodes has fewer parts.
static size_t add_part(wsr__cell_layout *l, wsr__part_kind kind, size_t column)
{
    if (l->n_parts < WSR__LAYOUT_PARTS) {
        l->parts[l->n_parts] = (wsr__part){.kind = kind, .column = column};
        l->n_parts++;
    }
    return l->n_parts - 1;
}

// The edge from one state to another through all columns between.
static void add_route(wsr__cell_layout *l, size_t from, size_t to,
                      const char *op)
{
    wsr__route *const route = &l->routes[l->n_routes++];
    const size_t end = l->parts[to].column;
    *route = (wsr__route){.op = op};
    route->parts[route->n++] = from;
    for (size_t c = l->parts[from].column + 1; c < end; c++) {
        const bool label = op != NULL && c + 1 == end;
        route->parts[route->n++] =
            add_part(l, label ? WSR__PART_LABEL : WSR__PART_BEND, c);
    }
    route->parts[route->n++] = to;
}

// Columns of states are even, those of labels odd: a node stands two columns
// behind its deepest input.
static wsr_status add_states(wsr__cell_layout *l, const wsr_genotype *g,
                             wsr_genotype_cell cell)
{
    const size_t nodes = wsr_genotype_nodes(g);
    size_t deepest = 0;
    if (nodes + 3 > WSR__LAYOUT_STATES) {
        return WSR_FAIL(WSR_UNSUPPORTED, "cell: %zu nodes are too many to draw",
                        nodes);
    }
    (void)add_part(l, WSR__PART_STATE, 0);
    (void)add_part(l, WSR__PART_STATE, 0);
    for (size_t i = 0; i < nodes; i++) {
        size_t column = 0;
        for (size_t k = 2 * i; k < 2 * i + 2; k++) {
            const size_t c = l->parts[wsr_genotype_state(g, cell, k)].column;
            column = c > column ? c : column;
        }
        deepest = column + 2 > deepest ? column + 2 : deepest;
        (void)add_part(l, WSR__PART_STATE, column + 2);
    }
    (void)add_part(l, WSR__PART_STATE, deepest + 2);
    l->states = nodes + 3;
    l->columns = deepest + 3;
    return WSR_OK;
}

// Edges of the cell first, then those that lead to the output.
static void add_routes(wsr__cell_layout *l, const wsr_genotype *g,
                       wsr_genotype_cell cell)
{
    for (size_t k = 0; k < 2 * wsr_genotype_nodes(g); k++) {
        add_route(l, wsr_genotype_state(g, cell, k), k / 2 + 2,
                  wsr_genotype_op(g, cell, k));
    }
    for (size_t i = 0; i < wsr_genotype_concat_count(g, cell); i++) {
        if (l->n_routes < WSR__LAYOUT_EDGES) {
            add_route(l, wsr_genotype_concat(g, cell, i), l->states - 1, NULL);
        }
    }
}

// With the air around it, in units of the picture.
static double height(const wsr__part *part)
{
    switch (part->kind) {
    case WSR__PART_STATE:
        return 46.0;
    case WSR__PART_LABEL:
        return 29.0;
    default:
        return 18.0;
    }
}

// The mean place of a part's neighbours; its own where it has none.
static double mean_of_neighbours(const wsr__cell_layout *l, size_t part,
                                 bool before, bool after)
{
    double sum = 0.0;
    size_t n = 0;
    for (size_t r = 0; r < l->n_routes; r++) {
        const wsr__route *const route = &l->routes[r];
        for (size_t k = 0; k < route->n; k++) {
            if (route->parts[k] == part && before && k > 0) {
                sum += l->parts[route->parts[k - 1]].y;
                n++;
            }
            if (route->parts[k] == part && after && k + 1 < route->n) {
                sum += l->parts[route->parts[k + 1]].y;
                n++;
            }
        }
    }
    return n == 0 ? l->parts[part].y : sum / (double)n;
}

// Sort by `want`; equal ones stay in their order.
static void sort(size_t *order, size_t n, const wsr__cell_layout *l)
{
    for (size_t i = 1; i < n; i++) {
        const size_t moved = order[i];
        size_t k = i;
        while (k > 0 && l->parts[order[k - 1]].want > l->parts[moved].want) {
            order[k] = order[k - 1];
            k--;
        }
        order[k] = moved;
    }
}

// Least squares to `want` under the distances that heights demand: isotonic
// regression of want minus the distances, by pooling adjacent violators.
static void place(const size_t *order, size_t n, wsr__cell_layout *l)
{
    double offset[WSR__LAYOUT_PARTS];
    double mean[WSR__LAYOUT_PARTS];
    size_t count[WSR__LAYOUT_PARTS];
    size_t blocks = 0;
    for (size_t i = 0; i < n; i++) {
        const wsr__part *const part = &l->parts[order[i]];
        offset[i] = i == 0 ? 0.0
                           : offset[i - 1] + 0.5 * height(part) +
                                 0.5 * height(&l->parts[order[i - 1]]);
        mean[blocks] = part->want - offset[i];
        count[blocks++] = 1;
        while (blocks > 1 && mean[blocks - 2] > mean[blocks - 1]) {
            const double a = (double)count[blocks - 2];
            const double b = (double)count[blocks - 1];
            mean[blocks - 2] = (a * mean[blocks - 2] + b * mean[blocks - 1]) /
                               (a + b);
            count[blocks - 2] += count[blocks - 1];
            blocks--;
        }
    }
    size_t i = 0;
    for (size_t b = 0; b < blocks; b++) {
        for (size_t k = 0; k < count[b]; k++) {
            l->parts[order[i]].y = mean[b] + offset[i];
            i++;
        }
    }
}

// One column. `sorted`: parts may change their order.
static void settle(wsr__cell_layout *l, size_t column, bool before, bool after)
{
    size_t order[WSR__LAYOUT_PARTS];
    size_t n = 0;
    for (size_t p = 0; p < l->n_parts; p++) {
        if (l->parts[p].column == column) {
            l->parts[p].want = before && after
                                   ? l->parts[p].y
                                   : mean_of_neighbours(l, p, before, after);
            order[n++] = p;
        }
    }
    sort(order, n, l);
    for (size_t i = 0; i < n; i++) {
        l->parts[order[i]].want =
            mean_of_neighbours(l, order[i], before, after);
    }
    place(order, n, l);
}

// Inputs stay where they are put; everything else follows from them.
static void settle_all(wsr__cell_layout *l)
{
    enum { ROUNDS = 6 };
    l->parts[0].y = -52.0;
    l->parts[1].y = 52.0;
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t c = 1; c < l->columns; c++) {
            settle(l, c, true, false);
        }
        for (size_t c = l->columns - 1; c-- > 1;) {
            settle(l, c, false, true);
        }
    }
    for (size_t c = 1; c < l->columns; c++) {
        settle(l, c, true, false);
    }
    // The order stands now; straighten the edges.
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t c = 1; c < l->columns; c++) {
            settle(l, c, true, true);
        }
    }
}

wsr_status wsr__layout_make(wsr__cell_layout *layout,
                            const wsr_genotype *genotype,
                            wsr_genotype_cell cell)
{
    wsr_status status = WSR_OK;
    layout->n_parts = 0;
    layout->n_routes = 0;
    WSR_TRY(add_states(layout, genotype, cell));
    add_routes(layout, genotype, cell);
    settle_all(layout);
    layout->top = 0.0;
    layout->bottom = 0.0;
    for (size_t p = 0; p < layout->n_parts; p++) {
        const double half = 0.5 * height(&layout->parts[p]);
        const double y = layout->parts[p].y;
        layout->top = y - half < layout->top ? y - half : layout->top;
        layout->bottom = y + half > layout->bottom ? y + half : layout->bottom;
    }
out:
    return status;
}
