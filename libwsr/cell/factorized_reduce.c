// SPDX-License-Identifier: Apache-2.0
//
// Halving an image without losing every other pixel (Liu et al. 2019,
// arXiv:1806.09055): of r = relu(x), half of the channels are a 1x1
// convolution of the even pixels, the others one of the odd pixels,
//
//   dst = norm(concat(conv_1(r[::2, ::2]), conv_2(r[1::2, 1::2]))),
//
// which needs even sides for both halves to be of one size. Sites that pad give
// the second half of an odd side a row and a column of zeros at the end, as the
// boost models of the released code of Wsr-NAS do.

#include "cell/cell.h"
#include "op/params.h"

static wsr_value pad(const wsr__site *site, int axis, wsr_value x)
{
    const wsr__slice_params first = {.axis = axis, .begin = 0, .end = 1};
    const wsr__concat_params along = {.axis = axis};
    const wsr_value zeros =
        wsr__op1(site->graph, "zero", NULL,
                 wsr__op1_of(site->graph, &wsr__op_slice, &first, x));
    const wsr_value srcs[] = {x, zeros};
    return wsr__opn_of(site->graph, &wsr__op_concat, &along, srcs, 2);
}

wsr_value wsr__build_factorized_reduce(const wsr__site *site, wsr_value x)
{
    wsr_graph *const g = site->graph;
    static const wsr__layer even = WSR__CONV(1, 2, 1);
    static const wsr__layer shifted = {WSR__ROW(WSR__LAYER_CONV, 1, 2, 1),
                                       .halves = 1, .offset = 1};
    if (site->channels % 2 != 0) {
        wsr__site_fail(site, WSR_CONFIG,
                       "an odd number of channels cannot be halved");
    }
    const bool odd[] = {wsr__site_size(site, x, 2) % 2 != 0,
                        wsr__site_size(site, x, 3) % 2 != 0};
    if ((odd[0] || odd[1]) && !site->pads) {
        wsr__site_fail(site, WSR_SHAPE,
                       "an image with an odd side cannot be halved");
    }
    const wsr_value r = wsr__op1(g, "relu", NULL, x);
    const wsr_value a = wsr__build_conv(site, "conv_1.weight", &even, r);
    wsr_value b = wsr__build_conv(site, "conv_2.weight", &shifted, r);
    for (int i = 0; i < 2; i++) {
        b = odd[i] ? pad(site, 2 + i, b) : b;
    }
    const wsr__site bn = wsr__site_below(site, "bn.");
    return wsr__build_norm(&bn, wsr__op2(g, "concat", NULL, a, b));
}
