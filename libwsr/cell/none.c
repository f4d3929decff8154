// SPDX-License-Identifier: Apache-2.0
//
// No connection: zeros of the size that the others have. A sum leaves such an
// edge out; it is built only where a node has nothing else. Unlike 0 * x, it
// is zero for a NaN, too.

#include "cell/cell.h"
#include "op/params.h"

static wsr_value build(const wsr__cell_class *cls, const wsr__site *site,
                       wsr_value x)
{
    (void)cls;
    if (site->stride != 1) {
        const wsr__subsample_params every = {.stride = site->stride};
        x = wsr__op1_of(site->graph, &wsr__op_subsample, &every, x);
    }
    return wsr__op1(site->graph, "zero", NULL, x);
}

const wsr__cell_class wsr__cell_none = {
    .super = {.name = "none",
              .summary = "no connection",
              .reference = "Liu et al. 2019, arXiv:1806.09055"},
    .build = build,
    .none = true,
};
