// SPDX-License-Identifier: Apache-2.0
//
// A dense 3x3 convolution between a ReLU and a norm, an operation of
// NAS-Bench-201.

#include "cell/cell.h"

static const wsr__layer layers[] = {WSR__RELU, WSR__CONV(3, 0, 2), WSR__NORM,
                                    WSR__LAYERS_END};

const wsr__cell_class wsr__cell_nor_conv_3x3 = {
    .super = {.name = "nor_conv_3x3",
              .summary = "dense 3x3 convolution",
              .reference = "Dong and Yang 2020, arXiv:2001.00326"},
    .build = wsr__cell_build_layers,
    .layers = layers,
};
