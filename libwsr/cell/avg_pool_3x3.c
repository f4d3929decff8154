// SPDX-License-Identifier: Apache-2.0
//
// Mean over those of 3x3 pixels that lie inside of the image. It has no norm of
// its own; a supernet puts one behind it.

#include "cell/cell.h"

static const wsr__layer layers[] = {WSR__POOL(WSR__LAYER_AVG_POOL, 3, 0),
                                    WSR__LAYERS_END};

const wsr__cell_class wsr__cell_avg_pool_3x3 = {
    .super = {.name = "avg_pool_3x3",
              .summary = "mean over 3x3 pixels",
              .reference = "Liu et al. 2019, arXiv:1806.09055"},
    .build = wsr__cell_build_plain,
    .layers = layers,
    .bare = true,
};
