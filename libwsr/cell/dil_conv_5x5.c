// SPDX-License-Identifier: Apache-2.0
//
// Dilated separable 5x5 convolution: relu, depthwise with dilation 2,
// pointwise, norm.

#include "cell/cell.h"

static const wsr__layer layers[] = {WSR__DIL_CONV(5, 0, 2), WSR__LAYERS_END};

const wsr__cell_class wsr__cell_dil_conv_5x5 = {
    .super = {.name = "dil_conv_5x5",
              .summary = "separable 5x5 convolution with dilation 2",
              .reference = "Liu et al. 2019, arXiv:1806.09055"},
    .build = wsr__cell_build_layers,
    .layers = layers,
};
