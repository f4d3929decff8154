// SPDX-License-Identifier: Apache-2.0
//
// RobNet networks (Guo et al. 2020, arXiv:1911.10695): each of the 14 edges of
// a cell has a code of two bits, one for a separable convolution and one for a
// shortcut. A node is the sum of all its edges.

#include "net/net.h"

#include <string.h>

// All RobNet cells have four nodes; the output concatenates them all.
enum { NODES = 4 };

// Bit 0: separable convolution, bit 1: shortcut.
static const wsr__cell_class *const by_code[] = {
    &wsr__cell_none,
    &wsr__cell_sep_conv_3x3,
    &wsr__cell_skip_connect,
    &wsr__cell_res_sep_conv_3x3,
};

// Codes belong to cells by number, normal and reduction cells alike.
static wsr_value inside(wsr__cell *cell)
{
    static const size_t states[NODES] = {2, 3, 4, 5};
    const wsr_robnet_codes *const codes = cell->build->net->cells;
    size_t number = 0;
    for (size_t node = 0; node < NODES; node++) {
        for (size_t state = 0; state < node + 2; state++, number++) {
            const unsigned code =
                wsr_robnet_codes_at(codes, cell->number, number);
            const wsr__edge edge = {.cls = by_code[code],
                                    .state = state,
                                    .number = number,
                                    .below = "op.",
                                    .weight = 1};
            wsr__cell_edge(cell, &edge);
        }
        wsr__cell_node(cell);
    }
    return wsr__cell_concat(cell, states, NODES);
}

// Unless all cells share one list, every cell needs its own.
static wsr_status check(const wsr_net *net)
{
    const wsr_robnet_codes *const codes = net->cells;
    const size_t have = wsr_robnet_codes_count(codes);
    const size_t layers = wsr__net_layers(net);
    if (wsr_robnet_codes_share(codes) || layers <= have) {
        return WSR_OK;
    }
    return WSR_FAIL(WSR_CONFIG,
                    "robnet.layers: %zu are more than the %zu cells of %s",
                    layers, have, wsr_robnet_codes_name(codes));
}

// Only RobNet cells nest the operations of an edge.
static bool tells(const char *name)
{
    return strstr(name, ".op.op.") != NULL ||
           strstr(name, ".op.conv.op.") != NULL;
}

static const wsr__option schema[] = {
    {"codes", WSR__TEXT, WSR__CELLS_AT(cells), "", 0, 0, "",
     "name of RobNet codes, or a file", NULL},
    WSR__CELLS_OPTIONS("36", "20"),
    {0},
};

// -------------------------------------------------------------------- cells

static wsr_status parse(void **out, const char *text, const char *where)
{
    wsr_robnet_codes *codes = NULL;
    const wsr_status status = wsr_robnet_codes_parse(&codes, text, where);
    *out = codes;
    return status;
}

// Printing and parsing is exact, and codes are copied once per network.
static wsr_status copy(void **out, const wsr_robnet_codes *codes)
{
    char *text = NULL;
    wsr_status status = wsr_robnet_codes_print(&text, codes);
    if (status == WSR_OK) {
        status = parse(out, text, wsr_robnet_codes_name(codes));
    }
    wsr_text_free(text);
    return status;
}

// Codes that the caller gives are copied; otherwise the option names them.
static wsr_status make(void **out, const wsr__cells_options *options,
                       const void *given)
{
    wsr_robnet_codes *codes = NULL;
    if (given != NULL) {
        return copy(out, given);
    }
    if (options->cells.s[0] == '\0') {
        return WSR_FAIL(WSR_CONFIG, "robnet.codes: are missing");
    }
    const wsr_status status = wsr_robnet_codes_load(&codes, options->cells.s);
    *out = codes;
    return status;
}

static void drop(void *cells)
{
    wsr_robnet_codes_free(cells);
}

static const char *name_of(const void *cells)
{
    return wsr_robnet_codes_name(cells);
}

static wsr_status print(char **out, const void *cells)
{
    return wsr_robnet_codes_print(out, cells);
}

// Codes of cells beyond the last layer do not matter.
static bool same(const void *a, const void *b, size_t layers)
{
    bool equal = wsr_robnet_codes_share(a) ||
                 wsr_robnet_codes_count(a) >= layers;
    for (size_t c = 0; c < layers && equal; c++) {
        for (size_t e = 0; e < WSR__ROBNET_EDGES && equal; e++) {
            equal = wsr_robnet_codes_at(a, c, e) ==
                    wsr_robnet_codes_at(b, c, e);
        }
    }
    return equal;
}

const wsr__net_class wsr__net_robnet = {
    .super = {"robnet", "cells from RobNet codes", "arXiv:1911.10695", schema,
              sizeof(wsr__cells_options)},
    .cells = {"codes", make, drop, name_of, print, parse, same},
    .check = check,
    .tells = tells,
    .inside = inside,
};

wsr_status wsr_robnet_new(wsr_net **out, const wsr_robnet_codes *codes,
                          const char *options, uint64_t seed)
{
    return wsr__net_decode(out, &wsr__net_robnet, codes, options, seed);
}
