// SPDX-License-Identifier: Apache-2.0
//
// Any window of a pool, plane by plane: the implementation for windows that the
// native kernels do not know, and the reference of both pools.

#ifndef WSR_OP_POOL_WINDOW_H
#define WSR_OP_POOL_WINDOW_H

#include "op/pool.h"

/// Both sides of the pool of a node.
typedef struct wsr__pool_window {
    wsr__pool_side h;
    wsr__pool_side w;
    bool count_pad;
} wsr__pool_window;

wsr__pool_window wsr__pool_window_of(const wsr__node *node);

/// Taps of window `i` that lie inside: from first to last, `dilation` apart.
typedef struct wsr__taps {
    int64_t first;
    int64_t last; // -1 below first: none
    int64_t step;
    int64_t counted; // taps that an average with padding counts
} wsr__taps;

wsr__taps wsr__taps_of(const wsr__pool_side *side, int64_t i);

/// Share the planes of a node, (n, c), among the threads.
wsr_status wsr__pool_planes(wsr__node *node, wsr__body body);

#endif
