// SPDX-License-Identifier: Apache-2.0
//
// Networks whose cells come from a genotype (Liu et al. 2019,
// arXiv:1806.09055): every node is the sum of two operations, and the
// genotype says which states are concatenated.

#include "net/net.h"

static wsr_value inside(wsr__cell *cell)
{
    const wsr_genotype *const genotype = cell->build->net->genotype;
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

const wsr__net_kind wsr__network = {
    .name = "network",
    .schema = wsr__network_schema,
    .affine = true,
    .inside = inside,
};

wsr_status wsr_net_new(wsr_net **out, const wsr_genotype *genotype,
                       const char *options, uint64_t seed)
{
    return wsr__net_decode(out, &wsr__network, genotype, NULL, options, seed);
}
