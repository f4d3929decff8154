// SPDX-License-Identifier: Apache-2.0
//
// A separable 3x3 convolution with a shortcut around it (code 11 of RobNet's
// space): dst = sep_conv_3x3(x) + skip_connect(x).

#include "cell/cell.h"

static wsr_value build(const wsr__cell_class *cls, const wsr__site *site,
                       wsr_value x)
{
    (void)cls;
    const wsr__cell_class *const sep = &wsr__cell_sep_conv_3x3;
    const wsr__cell_class *const skip = &wsr__cell_skip_connect;
    const wsr__site conv = wsr__site_below(site, "conv.");
    const wsr__site res = wsr__site_below(site, "res.");
    const wsr_value a = sep->build(sep, &conv, x);
    const wsr_value b = skip->build(skip, &res, x);
    return wsr__op2(site->graph, "add", NULL, a, b);
}

const wsr__cell_class wsr__cell_res_sep_conv_3x3 = {
    .super = {.name = "res_sep_conv_3x3",
              .summary = "separable 3x3 convolution with a shortcut",
              .reference = "Guo et al. 2020, arXiv:1911.10695"},
    .build = build,
    .codes_only = true,
};
