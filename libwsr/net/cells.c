// SPDX-License-Identifier: Apache-2.0
//
// Cells, edge by edge: an operation applied to a state, and what may come
// behind it; a node is the sum of its edges. In a reduction cell the edges
// that come from the cell's two sources have stride 2.

#include "net/net.h"
#include "op/params.h"

void wsr__drop_path_name(char out[WSR__SITE_NAME], size_t cell, size_t edge)
{
    (void)snprintf(out, WSR__SITE_NAME, "drop_path.%zu.%zu", cell, edge);
}

// States 0 and 1 are the outputs of the two cells before.
int64_t wsr__cell_stride(const wsr__cell *cell, size_t state)
{
    return cell->reduce && state < 2 ? 2 : 1;
}

wsr_value wsr__cell_candidate(const wsr__cell_class *cls, const wsr__site *site,
                              bool norm, wsr_value x)
{
    const wsr_value y = cls->build(cls, site, x);
    if (!norm || !cls->bare) {
        return y;
    }
    const wsr__site behind = wsr__site_below(site, "1.");
    return wsr__build_norm(&behind, y);
}

// Times an input with one number per sample.
static wsr_value multiply(const wsr__cell *cell, const char *name, wsr_value x)
{
    wsr_graph *const g = cell->site.graph;
    const wsr_value factor = wsr__input(g, name, wsr__shape1(1));
    return wsr__op2(g, "per_sample_scale", NULL, x, factor);
}

static wsr_value weigh(const wsr__cell *cell, float weight, wsr_value x)
{
    const wsr__scale_params scale = {.factor = (double)weight};
    return wsr__op1_of(cell->site.graph, &wsr__op_scale, &scale, x);
}

// Adds an edge to the current node. Order: operation, norm, drop path, weight.
void wsr__cell_edge(wsr__cell *cell, const wsr__edge *edge)
{
    const wsr_value x = cell->states[edge->state];
    const wsr__build *const build = cell->build;
    if (edge->cls->none) {
        cell->idle_state = edge->state;
        return;
    }
    wsr__site site = edge->name != NULL
                         ? wsr__site_below(&cell->site, "%s", edge->name)
                         : wsr__site_below(&cell->site, "_ops.%zu.%s",
                                           edge->number, edge->below);
    site.stride = wsr__cell_stride(cell, edge->state);
    const wsr_status before = site.graph->status;
    wsr_value y = wsr__cell_candidate(edge->cls, &site, edge->norm, x);
    if (build->training && wsr__net_drop_path(build->net) > 0 && y != x) {
        // Drop path (Larsson et al. 2017, arXiv:1605.07648): 0, or one over
        // the probability of staying. See wsr_net_drop_path.
        char name[WSR__SITE_NAME];
        wsr__drop_path_name(name, cell->number, edge->number);
        y = multiply(cell, name, y);
    }
    if (edge->factor != NULL) {
        y = multiply(cell, edge->factor, y);
    } else if (edge->weight != 1) {
        y = weigh(cell, edge->weight, y);
    }
    wsr__site_blame(&site, before);
    if (cell->n_terms == WSR__TERMS) {
        wsr__site_fail(&site, WSR_INTERNAL, "node has too many edges");
        return;
    }
    cell->terms[cell->n_terms++] = y;
}

void wsr__cell_node(wsr__cell *cell)
{
    wsr_value y = cell->terms[0];
    if (cell->n_terms == 0) {
        const wsr__cell_class *const none = &wsr__cell_none;
        wsr__site site = cell->site;
        site.stride = wsr__cell_stride(cell, cell->idle_state);
        y = none->build(none, &site, cell->states[cell->idle_state]);
    } else if (cell->n_terms > 1) {
        y = wsr__opn(cell->site.graph, "add", NULL, cell->terms, cell->n_terms);
    }
    cell->states[cell->n_states++] = y;
    cell->n_terms = 0;
}

wsr_value wsr__cell_concat(wsr__cell *cell, const size_t *states, size_t n)
{
    wsr_value srcs[WSR__STATES];
    for (size_t i = 0; i < n; i++) {
        srcs[i] = cell->states[states[i]];
    }
    return wsr__opn(cell->site.graph, "concat", NULL, srcs, n);
}
