// SPDX-License-Identifier: Apache-2.0
//
// RobNet networks (Guo et al. 2020, arXiv:1911.10695): each of the 14 edges of
// a cell has a code of two bits, one for a separable convolution and one for a
// shortcut; all edges of a node are summed.

#include "net/net.h"

enum { NODES = 4 };

static const wsr__cell_class *const by_code[] = {
    &wsr__cell_none,
    &wsr__cell_sep_conv_3x3,
    &wsr__cell_skip_connect,
    &wsr__cell_res_sep_conv_3x3,
};

static wsr_value inside(wsr__cell *cell)
{
    static const size_t states[NODES] = {2, 3, 4, 5};
    const wsr_robnet_codes *const codes = cell->build->net->codes;
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

static wsr_status check(const wsr_net *net)
{
    const size_t have = wsr_robnet_codes_count(net->codes);
    const size_t layers = (size_t)net->options.layers;
    if (wsr_robnet_codes_share(net->codes) || layers <= have) {
        return WSR_OK;
    }
    return WSR_FAIL(WSR_CONFIG,
                    "robnet.layers: %zu are more than the %zu cells of %s",
                    layers, have, wsr_robnet_codes_name(net->codes));
}

const wsr__net_kind wsr__robnet = {
    .name = "robnet",
    .schema = wsr__robnet_schema,
    .check = check,
    .inside = inside,
};

wsr_status wsr_robnet_new(wsr_net **out, const wsr_robnet_codes *codes,
                          const char *options, uint64_t seed)
{
    return wsr__net_decode(out, &wsr__robnet, NULL, codes, options, seed);
}
