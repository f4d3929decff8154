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

static const wsr__option schema[] = {
    WSR__CELLS_OPTIONS("8", "3"),
    {0},
};

const wsr__net_class wsr__net_dummy = {
    .super = {"dummy", "shortcuts alone", "", schema,
              sizeof(wsr__cells_options)},
    .affine = true,
    .inside = inside,
};
