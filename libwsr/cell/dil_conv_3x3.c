// SPDX-License-Identifier: Apache-2.0
//
// Dilated separable 3x3 convolution: relu, depthwise with dilation 2,
// pointwise, norm.

#include "cell/cell.h"

static const wsr__layer layers[] = {WSR__DIL_CONV(3, 0, 2), WSR__LAYERS_END};

const wsr__cell_class wsr__cell_dil_conv_3x3 = {
    .super = {.name = "dil_conv_3x3",
              .summary = "separable 3x3 convolution with dilation 2",
              .reference = "Liu et al. 2019, arXiv:1806.09055"},
    .build = wsr__cell_build_layers,
    .layers = layers,
};
