// SPDX-License-Identifier: Apache-2.0
//
// A linear map of what the paths through a cell compute: a path encoding after
// White et al. 2021 (BANANAS, arXiv:1910.11858), in which "none" and skip
// connections are resolved. A path that meets "none" computes nothing, and a
// skip connection changes nothing, so that a path is the word of its other
// operations. With K such candidates there are K^l words of l operations, which
// are numbered as in a heap: word i with operation k behind it is K i + 1 + k.
// s_j[i] is the number of paths from a source to state j that compute word i,
// each times the weights of its edges w:
//
//   s_j[K i + 1 + k] = sum over states a before j of w_aj[k] s_a[i]
//                      + w_aj[skip] s_a[K i + 1 + k]
//
// which is one product of matrices for each node. The heads are linear in the
// words that reach the end of a cell, its last node or all nodes together, of
// at most `length` operations; longer ones are left out.

#include "op/params.h"
#include "predictor/predictor.h"
#include "space/space.h"

#include <stddef.h>
#include <string.h>

typedef struct options {
    wsr__predictor_options common;
    int64_t length;
} options;

static const wsr__option schema[] = {
    WSR__PREDICTOR_OPTIONS,
    {"length", WSR__INT, offsetof(options, length), "3", 1, 5, "operations",
     "of a path, without skip connections; longer ones are left out", NULL},
    {0},
};

// -------------------------------------------------------------------- space

// The space whose tables have so many rows and columns, NULL: none.
static const wsr__space_class *space_of(int64_t rows, int64_t cols)
{
    for (size_t i = 0; wsr__spaces.classes[i] != NULL; i++) {
        const wsr__space_class *const space =
            (const wsr__space_class *)(const void *)wsr__spaces.classes[i];
        if (wsr__space_rows(space) == (size_t)rows &&
            space->n_primitives == (size_t)cols) {
            return space;
        }
    }
    return NULL;
}

static wsr_status check(const void *params, int64_t rows, int64_t cols)
{
    (void)params;
    if (space_of(rows, cols) == NULL) {
        return WSR_FAIL(WSR_CONFIG,
                        "predictor: paths reads the tables of a search space, "
                        "none has %lld x %lld numbers",
                        (long long)rows, (long long)cols);
    }
    return WSR_OK;
}

// Options of gather that take, of the candidates of an edge, those that a word
// is made of, and skip connections. Spaces have few, so that the text fits.
enum { TEXT = 128 };

typedef struct candidates {
    int64_t n; // of words
    char words[TEXT];
    char skips[TEXT];
} candidates;

static void add(char text[TEXT], const char *more)
{
    const size_t at = strlen(text);
    (void)snprintf(text + at, TEXT - at, "%s", more);
}

static void append(char text[TEXT], size_t k)
{
    char number[64];
    (void)snprintf(number, sizeof(number), "%s%zu",
                   text[0] == '\0' ? "axis=2,indices=[" : ",", k);
    add(text, number);
}

static void sort_candidates(candidates *c, const wsr__space_class *space)
{
    *c = (candidates){0};
    for (size_t k = 0; k < space->n_primitives; k++) {
        const char *const name = space->primitives[k];
        if (wsr__streq(name, "skip_connect")) {
            append(c->skips, k);
        } else if (!wsr__streq(name, "none")) {
            append(c->words, k);
            c->n++;
        }
    }
    add(c->words, "]");
    add(c->skips, "]");
}

// -------------------------------------------------------------------- graph

// What the words of a cell are counted with.
typedef struct counter {
    const wsr__predictor_graph *g;
    const wsr__space_class *space;
    candidates candidates;
    int64_t words;  // of at most `length` operations
    int64_t before; // those that another operation may follow
} counter;

static wsr_value slice(const counter *c, wsr_value src, int64_t axis,
                       int64_t begin, int64_t end)
{
    const wsr__slice_params params = {axis, begin, end, 1};
    return wsr__op1_of(c->g->graph, &wsr__op_slice, &params, src);
}

static wsr_value join(const counter *c, wsr_value a, wsr_value b, int64_t axis)
{
    const wsr__concat_params params = {axis};
    const wsr_value srcs[] = {a, b};
    return wsr__opn_of(c->g->graph, &wsr__op_concat, &params, srcs, 2);
}

static wsr_value fill(const counter *c, wsr_value like, double value)
{
    const wsr__scale_params params = {0, value};
    return wsr__op1_of(c->g->graph, &wsr__op_scale, &params, like);
}

// (1, words, sources): the word of no operation, once.
static wsr_value begin(const counter *c)
{
    const int64_t sources = (int64_t)wsr__space_sources(c->space);
    char shape[64];
    const wsr_value some = slice(c, slice(c, c->g->x, 1, 0, 1), 2, 0, sources);
    (void)snprintf(shape, sizeof(shape), "shape=[1,%lld,%lld]",
                   (long long)c->words - 1, (long long)sources);
    const wsr_value rest =
        wsr__op1(c->g->graph, "expand", shape, fill(c, some, 0));
    return join(c, fill(c, some, 1), rest, 1);
}

// Words (1, words, 1) of a node whose edges are `edges` (1, n, candidates),
// from those of the n states before it (1, words, n).
static wsr_value add_node(const counter *c, wsr_value states, wsr_value edges)
{
    wsr_graph *const graph = c->g->graph;
    const wsr__reshape_params column = {{2, {c->words - 1, 1}}};
    const wsr_value letters =
        wsr__op1(graph, "gather", c->candidates.words, edges);
    const wsr_value skips =
        wsr__op1(graph, "gather", c->candidates.skips, edges);
    const wsr_value same = wsr__op2(graph, "matmul", NULL, states, skips);
    const wsr_value longer =
        wsr__op1_of(graph, &wsr__op_reshape, &column,
                    wsr__op2(graph, "matmul", NULL,
                             slice(c, states, 1, 0, c->before), letters));
    return join(
        c, slice(c, same, 1, 0, 1),
        wsr__op2(graph, "add", NULL, slice(c, same, 1, 1, c->words), longer),
        1);
}

// The words (1, words) of the cell whose edges begin in row `first`.
static wsr_value count_words(const counter *c, int64_t first)
{
    const int64_t sources = (int64_t)wsr__space_sources(c->space);
    const int64_t nodes = (int64_t)c->space->nodes;
    const int64_t all = sources + nodes;
    const wsr__reshape_params row = {{1, {c->words}}};
    wsr_value states = begin(c);
    for (int64_t n = sources; n < all; n++) {
        const wsr_value edges = slice(c, c->g->x, 1, first, first + n);
        states = join(c, states, add_node(c, states, edges), 2);
        first += n;
    }
    const wsr_value ends =
        slice(c, states, 2, c->space->single ? all - 1 : sources, all);
    return wsr__op1_of(c->g->graph, &wsr__op_reshape, &row,
                       wsr__op1(c->g->graph, "reduce_sum", "axes=[2]", ends));
}

static wsr_value build(wsr__predictor_graph *g)
{
    const options *const o = g->options;
    const wsr__space_class *const space = space_of(g->rows, g->cols);
    counter c = {.g = g, .space = space, .words = 1};
    if (space == NULL) {
        return g->x; // check() has refused the table
    }
    sort_candidates(&c.candidates, space);
    for (int64_t l = 0; l < o->length; l++) {
        c.before = c.words;
        c.words = 1 + c.before * c.candidates.n;
    }
    wsr_value words = count_words(&c, 0);
    if (!space->single) {
        words = join(&c, words,
                     count_words(&c, (int64_t)wsr__space_edges(space)), 1);
    }
    return wsr__predictor_linear(g, "heads", words, (int64_t)g->heads,
                                 wsr__predictor_bound(c.words));
}

const wsr__predictor_class wsr__predictor_paths = {
    .super = {"paths", "linear map of what the paths of a cell compute",
              "arXiv:1910.11858", schema, sizeof(options)},
    .build = build,
    .check = check,
};
