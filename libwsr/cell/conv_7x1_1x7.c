// SPDX-License-Identifier: Apache-2.0
//
// Dense 1x7 and 7x1 convolutions in a row: relu, 1x7, 7x1, norm. Each takes the
// stride along its longer side. An operation of NASNet's and AmoebaNet's space.

#include "cell/cell.h"

static const wsr__layer layers[] = {
    WSR__RELU,
    {.kind = WSR__LAYER_CONV,
     .kernel = {1, 7},
     .stride = {1, 0},
     .dilation = {1, 1},
     .halves = 2},
    {.kind = WSR__LAYER_CONV,
     .kernel = {7, 1},
     .stride = {0, 1},
     .dilation = {1, 1},
     .halves = 2},
    WSR__NORM,
    WSR__LAYERS_END,
};

const wsr__cell_class wsr__cell_conv_7x1_1x7 = {
    .super = {.name = "conv_7x1_1x7",
              .summary = "dense 1x7 and 7x1 convolutions",
              .reference = "Zoph et al. 2018, arXiv:1707.07012"},
    .build = wsr__cell_build_plain,
    .layers = layers,
};
