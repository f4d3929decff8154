// SPDX-License-Identifier: Apache-2.0
//
// Ops that copy: each axis of dst has a map from its indices to those of src,
//
//   dst[i, j, ...] = src[map_0(i), map_1(j), ...]
//
// or a constant where a map leads outside. The gradient of an element of src is
// the sum over its copies.

#ifndef WSR_OP_INDEX_MAP_H
#define WSR_OP_INDEX_MAP_H

#include "op/op.h"

/// Index in src of index i of an axis of dst; negative: none.
typedef int64_t (*wsr__index_of)(const wsr__node *node, int axis, int64_t i);

/// Tabulate the maps. Axes of src are those of dst, aligned at the last; those
/// that src lacks count as axes of one element. The rest of an implementation
/// follows from the tables.
wsr_status wsr__index_map_plan(wsr__node *node, wsr__index_of index_of,
                               float fill);
wsr_status wsr__index_map_forward(wsr__node *node);
wsr_status wsr__index_map_backward(wsr__node *node);
void wsr__index_map_unplan(wsr__node *node);

#endif
