// SPDX-License-Identifier: Apache-2.0
//
// Maximum over a 3x3 window. It has no norm of its own; a supernet adds one
// behind it, so that all candidates have the same scale.

#include "cell/cell.h"

static const wsr__layer layers[] = {WSR__POOL(WSR__LAYER_MAX_POOL, 3, 0),
                                    WSR__LAYERS_END};

const wsr__cell_class wsr__cell_max_pool_3x3 = {
    .super = {.name = "max_pool_3x3",
              .summary = "maximum over 3x3 pixels",
              .reference = "Liu et al. 2019, arXiv:1806.09055"},
    .build = wsr__cell_build_plain,
    .layers = layers,
    .bare = true,
};
