// SPDX-License-Identifier: Apache-2.0
//
// Networks whose cells come from a genotype (Liu et al. 2019,
// arXiv:1806.09055): every node is the sum of two operations, and the genotype
// says which states the cell concatenates.

#include "net/net.h"

// Edges 2i and 2i + 1 enter node i. An error is kept in the cell's site and
// reported when the graph is complete, so callers need not check each call.
static wsr_value inside(wsr__cell *cell)
{
    const wsr_genotype *const genotype = cell->build->net->cells;
    const wsr_genotype_cell which = cell->reduce ? WSR_GENOTYPE_REDUCE
                                                 : WSR_GENOTYPE_NORMAL;
    for (size_t k = 0; k < 2 * wsr_genotype_nodes(genotype); k++) {
        wsr__edge edge = {.state = wsr_genotype_state(genotype, which, k),
                          .number = k,
                          .below = "",
                          .weight = 1};
        const wsr_status status =
            wsr__cell_find(&edge.cls, wsr_genotype_op(genotype, which, k));
        if (status != WSR_OK) {
            wsr__site_fail(&cell->site, status, "operation is unknown");
            return 0;
        }
        wsr__cell_edge(cell, &edge);
        if (k % 2 == 1) {
            wsr__cell_node(cell);
        }
    }
    size_t states[WSR__STATES];
    const size_t n = wsr_genotype_concat_count(genotype, which);
    for (size_t i = 0; i < n; i++) {
        states[i] = wsr_genotype_concat(genotype, which, i);
    }
    return wsr__cell_concat(cell, states, n);
}

static const wsr__option schema[] = {
    {"genotype", WSR__TEXT, WSR__CELLS_AT(cells), "", 0, 0, "",
     "name of a genotype, or a file", NULL},
    WSR__CELLS_OPTIONS("36", "20"),
    {"auxiliary", WSR__BOOL, WSR__CELLS_AT(auxiliary), "false", 0, 0, "",
     "second classifier in training", NULL},
    {"drop_path", WSR__FLOAT, WSR__CELLS_AT(drop_path), "0", 0, 0.99, "",
     "probability of dropping an operation's result in training", NULL},
    {0},
};

// -------------------------------------------------------------------- cells

// A genotype that the caller gives is copied; otherwise the option names one.
static wsr_status make(void **out, const wsr__cells_options *options,
                       const void *given)
{
    wsr_status status = WSR_OK;
    wsr_genotype *genotype = NULL;
    if (given == NULL && options->cells.s[0] == '\0') {
        return WSR_FAIL(WSR_CONFIG, "network.genotype: is missing");
    }
    status = given != NULL ? wsr_genotype_copy(&genotype, given)
                           : wsr_genotype_load(&genotype, options->cells.s);
    *out = genotype;
    return status;
}

static void drop(void *cells)
{
    wsr_genotype_free(cells);
}

static const char *name_of(const void *cells)
{
    return wsr_genotype_name(cells);
}

static wsr_status print(char **out, const void *cells)
{
    return wsr_genotype_print(out, cells);
}

static wsr_status parse(void **out, const char *text, const char *where)
{
    wsr_genotype *genotype = NULL;
    const wsr_status status = wsr_genotype_parse(&genotype, text, where);
    *out = genotype;
    return status;
}

// The number of layers does not matter: all cells of a kind are equal.
static bool same(const void *a, const void *b, size_t layers)
{
    (void)layers;
    return wsr_genotype_equal(a, b);
}

// Batch norms of these networks have affine parameters, unlike those of a
// supernet.
const wsr__net_class wsr__net_network = {
    .super = {"network", "cells from a genotype", "arXiv:1806.09055", schema,
              sizeof(wsr__cells_options)},
    .cells = {"genotype", make, drop, name_of, print, parse, same},
    .affine = true,
    .check = wsr__net_check_single,
    .inside = inside,
};

wsr_status wsr_net_new(wsr_net **out, const wsr_genotype *genotype,
                       const char *options, uint64_t seed)
{
    return wsr__net_decode(out, &wsr__net_network, genotype, options, seed);
}

const wsr_genotype *wsr_net_genotype(const wsr_net *net)
{
    const char *const key = net->cls->cells.key;
    return key != NULL && wsr__streq(key, wsr__net_network.cells.key)
               ? net->cells
               : NULL;
}
