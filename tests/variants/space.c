// SPDX-License-Identifier: Apache-2.0
// A variant that the gate adds: pools.

#include "space/space.h"

static const char *const primitives[] = {"none", "max_pool_3x3",
                                         "avg_pool_3x3"};

const wsr__space_class wsr__space_dummy = {
    .super = {"dummy", "four nodes, two pools", "", NULL, 0},
    .nodes = 4,
    .primitives = primitives,
    .n_primitives = sizeof(primitives) / sizeof(*primitives),
};
