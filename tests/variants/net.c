// SPDX-License-Identifier: Apache-2.0
// A variant that the gate adds: shortcuts alone.

#include "net/net.h"

static wsr_value inside(wsr__cell *cell)
{
    static const size_t states[] = {2};
    const wsr__edge edge = {
        .cls = &wsr__cell_skip_connect, .state = 1, .below = "", .weight = 1};
    wsr__cell_edge(cell, &edge);
    wsr__cell_node(cell);
    return wsr__cell_concat(cell, states, 1);
}

// One pattern is all there is.
static wsr_status make(void **out, const wsr__net_options *options,
                       const void *given)
{
    (void)options;
    (void)given;
    *out = NULL;
    return WSR_OK;
}

static const char *name_of(const void *cells)
{
    (void)cells;
    return "shortcuts";
}

static const wsr__option schema[] = {
    {"pattern", WSR__TEXT, WSR__NET_AT(cells), "", 0, 0, "", "is not read",
     NULL},
    WSR__NET_OPTIONS("8", "3"),
    {0},
};

const wsr__net_class wsr__net_dummy = {
    .super = {"dummy", "shortcuts alone", "", schema, sizeof(wsr__net_options)},
    .cells = {.key = "pattern", .make = make, .name = name_of},
    .affine = true,
    .inside = inside,
};
