// SPDX-License-Identifier: Apache-2.0
//
// The space of NAS-Bench-201 (Dong and Yang 2020, arXiv:2001.00326): one cell
// of three nodes behind its source, an edge from every state to each node
// behind it, five candidates on an edge, 15 625 cells. net/nb201.c has the
// networks.
//
// The benchmark writes a cell node by node, |op~state|+|op~state|op~state|+...,
// and counts 6466 cells that differ: those with one text of this kind,
//
//   text(state 0) = 0
//   text(node)    = the sorted texts of its edges, joined by +
//   text(edge)    = #                  for none, and where the source is #
//                   text(source)       for skip_connect
//                   (text(source))op   otherwise
//
// A node of several # is not #, and sums are not joined with those they are
// terms of: more cells compute the same, but tables of the space go by this.

#include "space/space.h"

#include "cell/cell.h"

#include <stdlib.h>
#include <string.h>

// The order is that of the benchmark.
static const char *const primitives[] = {"none", "skip_connect", "nor_conv_1x1",
                                         "nor_conv_3x3", "avg_pool_3x3"};

const wsr__space_class wsr__space_nb201 = {
    .super = {.name = "nb201",
              .summary = "NAS-Bench-201: one cell, six edges, five primitives",
              .reference = "Dong and Yang 2020, arXiv:2001.00326"},
    .single = true,
    .nodes = 3,
    .primitives = primitives,
    .n_primitives = sizeof(primitives) / sizeof(*primitives),
};

// ------------------------------------------------------------------ reading

// Reads a cell from `at` on; `where` and `line` are for messages.
typedef struct reader {
    const char *at;
    const wsr__space_class *space;
    const char *where;
    size_t line;
} reader;

static wsr_status fail_at(const reader *r, const char *what)
{
    return WSR_FAIL(WSR_FORMAT, "cell: %s at '%.24s' (%s:%zu)", what, r->at,
                    r->where, r->line);
}

static wsr_status check_op(const reader *r, const char *op)
{
    const wsr__space_class *const space = r->space;
    for (size_t i = 0; i < space->n_primitives; i++) {
        if (wsr__streq(space->primitives[i], op)) {
            return WSR_OK;
        }
    }
    const char *const near =
        wsr__suggest(op, space->primitives, space->n_primitives);
    return WSR_FAIL(
        WSR_FORMAT,
        "cell: operation '%.40s' is none of the space %s%s%s%s "
        "(%s:%zu)",
        op, space->super.name, near != NULL ? ", did you mean '" : "",
        near != NULL ? near : "", near != NULL ? "'" : "", r->where, r->line);
}

// "op~state|" of node `node`, whose edges begin at `edges`.
static wsr_status read_edge(reader *r, wsr__genotype_edge *edges, size_t node)
{
    wsr_status status = WSR_OK;
    char op[WSR__GENOTYPE_NAME];
    const size_t length = strcspn(r->at, "~|+");
    if (r->at[length] != '~' || length == 0 || length >= sizeof(op)) {
        return fail_at(r, "no operation~state");
    }
    memcpy(op, r->at, length);
    op[length] = '\0';
    WSR_TRY(check_op(r, op));
    r->at += length + 1;
    const size_t state = (size_t)(*r->at - '0');
    if (*r->at < '0' || state > node || r->at[1] != '|') {
        return fail_at(r, "no state before the node");
    }
    if (edges[state].op[0] != '\0') {
        return fail_at(r, "a second edge from the state");
    }
    memcpy(edges[state].op, op, length + 1);
    r->at += 2;
out:
    return status;
}

// "|op~0|op~1|" and the "+" behind it, if a node follows.
static wsr_status read_node(reader *r, wsr__genotype_edge *edges, size_t node)
{
    wsr_status status = WSR_OK;
    if (*r->at != '|') {
        return fail_at(r, "no |");
    }
    r->at++;
    do {
        WSR_TRY(read_edge(r, edges, node));
    } while (*r->at != '\0' && strchr("+) \t\r\n\"'", *r->at) == NULL);
    if (node + 1 < r->space->nodes) {
        if (*r->at != '+') {
            return fail_at(r, "too few nodes");
        }
        r->at++;
    } else if (*r->at == '+') {
        return fail_at(r, "too many nodes");
    }
out:
    return status;
}

wsr_status wsr__genotype_read_single(wsr__genotype_draft *draft,
                                     const wsr__space_class *space,
                                     const char *text, size_t line)
{
    wsr_status status = WSR_OK;
    reader r = {text, space, draft->where, line};
    wsr__genotype_lists *const cell = &draft->cells[0];
    draft->single = space;
    for (size_t node = 0; node < space->nodes; node++) {
        wsr__genotype_edge *const edges = &cell->edges[cell->n_edges];
        memset(edges, 0, (node + 1) * sizeof(*edges));
        WSR_TRY(read_node(&r, edges, node));
        for (size_t state = 0; state <= node; state++) {
            edges[state].state = (int64_t)state;
            edges[state].line = line;
            if (edges[state].op[0] == '\0') {
                (void)snprintf(edges[state].op, sizeof(edges[state].op), "%s",
                               wsr__cell_none.super.name);
            }
        }
        cell->n_edges += node + 1;
    }
out:
    return status;
}

void wsr__genotype_print_single(wsr__str *out, const wsr_genotype *genotype)
{
    size_t edge = 0;
    for (size_t node = 0; node < wsr_genotype_nodes(genotype); node++) {
        wsr__str_add(out, node > 0 ? "+|" : "|");
        for (size_t state = 0; state <= node; state++, edge++) {
            wsr__str_addf(out, "%s~%zu|",
                          wsr_genotype_op(genotype, WSR_GENOTYPE_NORMAL, edge),
                          state);
        }
    }
}

// ---------------------------------------------------------------- reduction

enum { NODES = 3, TEXT = 256 };

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

// The texts of the edges into a node, sorted and joined.
static void join(char out[TEXT], char edges[NODES][TEXT], size_t n)
{
    size_t length = 0;
    qsort(edges, n, TEXT, compare);
    for (size_t i = 0; i < n; i++) {
        length += (size_t)snprintf(out + length, TEXT - length, "%s%s",
                                   i == 0 ? "" : "+", edges[i]);
    }
}

static void text_of_edge(char out[TEXT], const char *op,
                         const char source[TEXT])
{
    if (wsr__streq(op, "none") || wsr__streq(source, "#")) {
        (void)snprintf(out, TEXT, "#");
    } else if (wsr__streq(op, "skip_connect")) {
        memcpy(out, source, TEXT);
    } else {
        // An operation is known by a letter: "1x1", "3x3" or "pool".
        const char word = op[0] == 'a' ? 'p' : op[sizeof("nor_conv_") - 1];
        (void)snprintf(out, TEXT, "(%.200s)%c", source, word);
    }
}

void wsr__nb201_unique(wsr__str *out, const wsr_genotype *genotype)
{
    char states[NODES + 1][TEXT] = {"0"};
    size_t edge = 0;
    for (size_t node = 0; node < NODES; node++) {
        char edges[NODES][TEXT];
        for (size_t state = 0; state <= node; state++, edge++) {
            text_of_edge(edges[state],
                         wsr_genotype_op(genotype, WSR_GENOTYPE_NORMAL, edge),
                         states[state]);
        }
        join(states[node + 1], edges, node + 1);
    }
    wsr__str_add(out, states[NODES]);
}
