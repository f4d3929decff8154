// SPDX-License-Identifier: Apache-2.0
//
// A shortcut: the source itself, or a factorised reduction at stride 2.

#include "cell/cell.h"

static wsr_value build(const wsr__cell_class *cls, const wsr__site *site,
                       wsr_value x)
{
    (void)cls;
    return site->stride == 1 ? x : wsr__build_factorized_reduce(site, x);
}

const wsr__cell_class wsr__cell_skip_connect = {
    .super = {.name = "skip_connect",
              .summary = "identity, or factorised reduction at stride 2",
              .reference = "Liu et al. 2019, arXiv:1806.09055"},
    .build = build,
};
