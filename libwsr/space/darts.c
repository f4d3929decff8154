// SPDX-License-Identifier: Apache-2.0
//
// The space of DARTS (Liu et al. 2019, arXiv:1806.09055): cells of four nodes,
// an edge from every earlier state to each, and eight candidates on an edge.

#include "space/space.h"

// The order is that of the columns of the architecture parameters.
static const char *const primitives[] = {
    "none",         "max_pool_3x3", "avg_pool_3x3", "skip_connect",
    "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5",
};

const wsr__space_class wsr__space_darts = {
    .super = {.name = "darts",
              .summary = "four nodes, eight primitives",
              .reference = "Liu et al. 2019, arXiv:1806.09055"},
    .nodes = 4,
    .primitives = primitives,
    .n_primitives = sizeof(primitives) / sizeof(*primitives),
};
