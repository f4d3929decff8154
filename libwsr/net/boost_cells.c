// SPDX-License-Identifier: Apache-2.0
//
// Builds boost networks (boost.c): the base, and beside each of its stages a
// block of a cell. Without a genotype the cell is relaxed, as in PC-DARTS (Xu
// et al. 2020, arXiv:1907.05737):
//
//   edge(x) = shuffle(concat(sum_k softmax(alpha)_k op_k(a), b)),  x = (a, b)
//   node    = sum_e softmax(beta)_e edge_e
//
// where a is the first quarter of the channels and b the others, pooled 2x2
// where the edge halves. Alphas and betas are inputs, so that their gradients
// come with those of the images.

#include "net/boost.h"
#include "op/params.h"

enum { PARTS = 4 }; // of the channels; one of them goes through operations

// A network under construction.
typedef struct boost {
    const wsr__build *build;
    const wsr__site *site;
    const wsr__space_class *space; // NULL: there is a genotype
    wsr_value before;              // source of the stage before
    size_t n;                      // blocks so far
    wsr_value alphas;              // softmax, (n, edges, candidates)
    wsr_value betas;               // (n, edges)
} boost;

// (n, 1, candidates) as (n, candidates).
static wsr_value weights_of_edge(const boost *b, size_t edge)
{
    const wsr__slice_params row = {
        .axis = 1, .begin = (int64_t)edge, .end = (int64_t)edge + 1};
    return wsr__build_flat(
        b->site, wsr__op1_of(b->site->graph, &wsr__op_slice, &row, b->alphas));
}

// Channel i of group g becomes channel g of group i: the parts of the next
// edge then hold channels of both parts of this one.
static wsr_value shuffle(const wsr__site *site, int64_t channels, wsr_value x)
{
    static const wsr__transpose_params swap = {.order = {5, {0, 2, 1, 3, 4}}};
    const int64_t h = wsr__site_size(site, x, 2);
    const int64_t w = wsr__site_size(site, x, 3);
    const wsr__reshape_params apart = {
        .dims = {4, {PARTS, channels / PARTS, h, w}}};
    const wsr__reshape_params joined = {.dims = {3, {channels, h, w}}};
    x = wsr__op1_of(site->graph, &wsr__op_reshape, &apart, x);
    x = wsr__op1_of(site->graph, &wsr__op_transpose, &swap, x);
    return wsr__op1_of(site->graph, &wsr__op_reshape, &joined, x);
}

// All candidates on the part `x` of a state, weighted.
static wsr_value mix(const boost *b, const wsr__site *site, size_t edge,
                     wsr_value x)
{
    const wsr__space_class *const space = b->space;
    wsr_graph *const g = site->graph;
    wsr_value terms[WSR__TERMS + 1];
    for (size_t k = 0; k < space->n_primitives; k++) {
        const wsr__cell_class *cls = NULL;
        const wsr__site at = wsr__site_below(site, "_ops.%zu.", k);
        const size_t first = g->count;
        if (wsr__cell_find(&cls, space->primitives[k]) != WSR_OK) {
            wsr__site_fail(&at, WSR_NOTFOUND, "primitive is unknown");
            return x;
        }
        terms[k] = wsr__cell_candidate(cls, &at, true, x);
        for (size_t i = first; b->build->madds != NULL && i < g->count; i++) {
            b->build->madds[edge * space->n_primitives + k] +=
                wsr__graph_madds(g, i);
        }
    }
    terms[space->n_primitives] = weights_of_edge(b, edge);
    return wsr__opn(g, "weighted_sum", NULL, terms, space->n_primitives + 1);
}

// Pools of odd sides take a row and a column outside of the image, so that
// sides are rounded up, as those of convolutions are.
static wsr_value relaxed_edge(const boost *b, const wsr__cell *cell,
                              size_t state, size_t edge)
{
    const wsr_value x = cell->states[state];
    wsr_graph *const g = cell->site.graph;
    wsr__site site = wsr__site_below(&cell->site, "_ops.%zu.", edge);
    const int64_t channels = site.channels;
    const wsr__slice_params part = {.axis = 1, .end = channels / PARTS};
    const wsr__slice_params rest = {
        .axis = 1, .begin = channels / PARTS, .end = channels};
    const wsr__pool2d pool =
        wsr__pool2d_square(2, 2, wsr__site_size(&site, x, 2) % 2);
    site.channels = channels / PARTS;
    site.stride = wsr__cell_stride(cell, state);
    const wsr_value mixed =
        mix(b, &site, edge, wsr__op1_of(g, &wsr__op_slice, &part, x));
    wsr_value passed = wsr__op1_of(g, &wsr__op_slice, &rest, x);
    if (site.stride == 2) {
        passed = wsr__build_max_pool(&site, pool, passed);
    }
    return shuffle(&site, channels, wsr__op2(g, "concat", NULL, mixed, passed));
}

static wsr_value relaxed_cell(const boost *b, wsr__cell *cell)
{
    wsr_graph *const g = cell->site.graph;
    size_t states[WSR__STATES];
    size_t edge = 0;
    for (size_t node = 0; node < b->space->nodes; node++) {
        const size_t n = node + 2;
        const wsr__slice_params range = {
            .axis = 1, .begin = (int64_t)edge, .end = (int64_t)(edge + n)};
        wsr_value terms[WSR__STATES + 1];
        for (size_t state = 0; state < n; state++, edge++) {
            terms[state] = relaxed_edge(b, cell, state, edge);
        }
        terms[n] = wsr__op1(g, "softmax", NULL,
                            wsr__op1_of(g, &wsr__op_slice, &range, b->betas));
        states[node] = cell->n_states;
        cell->states[cell->n_states++] =
            wsr__opn(g, "weighted_sum", NULL, terms, n + 1);
    }
    return wsr__cell_concat(cell, states, b->space->nodes);
}

// The cell of kind `network`, whose options do not matter here.
static wsr_value found_cell(const boost *b, wsr__cell *cell)
{
    wsr__cells_options options = {0};
    wsr_net inner = {.cls = &wsr__net_network,
                     .options = &options.super,
                     .cells = b->build->net->cells};
    const wsr__build build = {.net = &inner};
    cell->build = &build;
    const wsr_value y = wsr__net_network.inside(cell);
    cell->build = b->build;
    return y;
}

// The middle of x, as large as `like`: convolutions of a base without padding
// see fewer pixels than those of a block.
static wsr_value crop(const wsr__site *site, wsr_value x, wsr_value like)
{
    for (int axis = 2; axis < 4; axis++) {
        const int64_t have = wsr__site_size(site, x, axis);
        const int64_t want = wsr__site_size(site, like, axis);
        if (have > want) {
            const int64_t first = (have - want) / 2;
            const wsr__slice_params range = {
                .axis = axis, .begin = first, .end = first + want};
            x = wsr__op1_of(site->graph, &wsr__op_slice, &range, x);
        }
    }
    return x;
}

// Whether going from x to y halves the sides, rounded up, or reduces more.
static bool halves(const wsr__site *site, wsr_value x, wsr_value y)
{
    const int64_t side = wsr__site_size(site, x, 2);
    return side > 1 && wsr__site_size(site, y, 2) <= (side + 1) / 2;
}

// A state of a block: as large as the stage's source, with the block's width.
static wsr_value enter(const wsr__site *site, const char *name, wsr_value x,
                       wsr_value like)
{
    const wsr__site at = wsr__site_below(site, "%s.", name);
    return crop(&at,
                halves(&at, x, like) ? wsr__build_factorized_reduce(&at, x)
                                     : wsr__build_relu_conv_norm(&at, x),
                like);
}

// Every node has as many channels as the concatenation of all must have, and
// parts of them that a factorised reduction can halve.
static int64_t width_of(const boost *b, const wsr__site *site, wsr_value y)
{
    const wsr_genotype *const genotype = b->build->net->cells;
    const int64_t nodes = b->space != NULL ? (int64_t)b->space->nodes
                                           : (int64_t)wsr_genotype_concat_count(
                                                 genotype, WSR_GENOTYPE_NORMAL);
    const int64_t unit = nodes * 2 * (b->space != NULL ? PARTS : 1);
    const int64_t channels = wsr__site_size(site, y, 1);
    if (channels % unit != 0 && site->graph->status == WSR_OK) {
        site->graph->status =
            WSR_FAIL(WSR_CONFIG,
                     "boost.base: %lld channels behind stage %zu are no "
                     "multiple of %lld, which the cells beside it need",
                     (long long)channels, b->n, (long long)unit);
    }
    return channels / nodes;
}

// From x to what is added to y, the output of the stage. After a failure sizes
// mean nothing.
static wsr_value build_block(const boost *b, wsr_value x, wsr_value y)
{
    const int64_t width = width_of(b, b->site, y);
    if (b->site->graph->status != WSR_OK) {
        return y;
    }
    wsr__cell cell = {.build = b->build,
                      .number = b->n,
                      .reduce = halves(b->site, x, y),
                      .site = wsr__site_below(b->site, "weak.%zu.", b->n),
                      .n_states = 2};
    cell.site.affine = b->space == NULL;
    cell.site.pads = true;
    cell.site.channels = width;
    cell.states[0] =
        enter(&cell.site, "preprocess0", b->n == 0 ? x : b->before, x);
    cell.states[1] = enter(&cell.site, "preprocess1", x, x);
    const wsr_value block = b->space != NULL ? relaxed_cell(b, &cell)
                                             : found_cell(b, &cell);
    wsr__site_blame(&cell.site, WSR_OK);
    return crop(b->site, block, y);
}

static wsr_value add_block(void *ctx, wsr_value x, wsr_value y)
{
    boost *const b = ctx;
    y = wsr__op2(b->site->graph, "add", NULL, y, build_block(b, x, y));
    b->before = x;
    b->n++;
    return y;
}

static void add_inputs(boost *b)
{
    const int64_t edges = (int64_t)wsr__space_edges(b->space);
    const int64_t candidates = (int64_t)b->space->n_primitives;
    wsr_graph *const g = b->site->graph;
    b->alphas =
        wsr__op1(g, "softmax", NULL,
                 wsr__input(g, "alphas", wsr__shape3(1, edges, candidates)));
    b->betas = wsr__input(g, "betas", wsr__shape2(1, edges));
}

// The base's parameters have its names behind "base.".
wsr_value wsr__boost_body(const wsr__build *build, const wsr__site *site,
                          wsr_value x)
{
    const wsr__boost_own *const o = build->net->own;
    boost b = {
        .build = build, .site = site, .space = wsr__boost_space(build->net)};
    const wsr__beside beside = {add_block, &b};
    const wsr__site below = wsr__site_below(site, "base.");
    wsr__build inner = *build;
    inner.net = o->base;
    inner.beside = build->base ? NULL : &beside;
    if (b.space != NULL && !build->base) {
        add_inputs(&b);
    }
    const wsr_value logits = wsr__net_body(&inner, &below, x);
    if (b.n == 0 && !build->base) {
        wsr__site_fail(site, WSR_CONFIG,
                       "boost.base: has no stages for cells beside them");
    }
    return logits;
}
