// SPDX-License-Identifier: Apache-2.0
//
// Separable 7x7 convolution: relu, depthwise, pointwise, norm, and all of it
// once more; the stride is that of the first depthwise convolution.

#include "cell/cell.h"

static const wsr__layer layers[] = {WSR__SEP_CONV(7), WSR__LAYERS_END};

const wsr__cell_class wsr__cell_sep_conv_7x7 = {
    .super = {.name = "sep_conv_7x7",
              .summary = "separable 7x7 convolution, twice",
              .reference = "Liu et al. 2019, arXiv:1806.09055"},
    .build = wsr__cell_build_layers,
    .layers = layers,
};
