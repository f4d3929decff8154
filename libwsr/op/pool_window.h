// SPDX-License-Identifier: Apache-2.0
//
// Any window of a pool, plane by plane: the implementation for windows that the
// native kernels do not know, and the reference of both pools.

#ifndef WSR_OP_POOL_WINDOW_H
#define WSR_OP_POOL_WINDOW_H

#include "op/pool.h"

/// Taps of a window along one side that lie inside: from first to last, `step`
/// apart.
typedef struct wsr__taps {
    int64_t first;
    int64_t last; // -1 below first: none
    int64_t step;
    int64_t counted; // taps that an average with padding counts
} wsr__taps;

/// A window of a plane, of which pixel (r, c) is number r * width + c.
typedef struct wsr__pool_window {
    wsr__taps rows;
    wsr__taps columns;
    int64_t width;
    bool count_pad;
} wsr__pool_window;

/// What a pool makes of a window of plane x, and how the gradient of that adds
/// to the gradient of the plane. `spread` may read x if the op needs it.
typedef struct wsr__pool_function {
    float (*value)(const float *x, const wsr__pool_window *w);
    void (*spread)(float *dx, float dy, const float *x,
                   const wsr__pool_window *w);
} wsr__pool_function;

/// All windows of a node of plain images. backward accumulates.
wsr_status wsr__pool_windows_forward(wsr__node *node,
                                     const wsr__pool_function *f);
wsr_status wsr__pool_windows_backward(wsr__node *node,
                                      const wsr__pool_function *f);

#endif
