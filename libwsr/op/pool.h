// SPDX-License-Identifier: Apache-2.0
//
// Params of max_pool and avg_pool, and functions that the two share.

#ifndef WSR_OP_POOL_H
#define WSR_OP_POOL_H

#include "op/op.h"

/// Lists have one number, or height and width; pad also top, left, bottom,
/// right. An empty list is its default.
typedef struct wsr__pool2d {
    wsr__ints kernel;
    wsr__ints stride;
    wsr__ints pad;
    wsr__ints dilation; // of max_pool
    bool ceil_mode;     // a last window may reach beyond the border
    bool count_pad;     // average: padding counts as zeros
} wsr__pool2d;

/// Square windows.
wsr__pool2d wsr__pool2d_square(int64_t kernel, int64_t stride, int64_t pad);

/// Windows along one side of an image.
typedef struct wsr__pool_side {
    int64_t size;
    int64_t out;
    int64_t kernel;
    int64_t stride;
    int64_t dilation;
    int64_t pad[2]; // before and behind
} wsr__pool_side;

/// Rows (0) or columns (1) of a node.
wsr__pool_side wsr__pool2d_side(const wsr__node *node, int side);

wsr_status wsr__pool2d_infer(wsr_shape *dst, const void *params,
                             const wsr_shape *srcs, size_t n);

/// Whether the native kernels can compute a node: square windows of at most
/// 15 x 15 taps, which stay within a border that is alike on all sides.
bool wsr__pool2d_is_square(const wsr__node *node);
/// The pool of such a node, with the batch strides of data or of gradients.
wsr__pool wsr__pool2d_shape(const wsr__node *node, bool diffs);

// clang-format off
/// Options that both pools have.
#define WSR__POOL_OPTIONS \
    {"kernel", WSR__INTS, offsetof(wsr__pool2d, kernel), "3", 1, 4096, \
     "pixels", "sides of the window: one number, or height and width", NULL}, \
    {"stride", WSR__INTS, offsetof(wsr__pool2d, stride), "1", 1, 4096, \
     "pixels", "step between windows: one number, or height and width", NULL}, \
    {"pad", WSR__INTS, offsetof(wsr__pool2d, pad), "0", 0, 2048, "pixels", \
     "border: one number, height and width, or top, left, bottom, right", \
     NULL}, \
    {"ceil_mode", WSR__BOOL, offsetof(wsr__pool2d, ceil_mode), "false", 0, 0, \
     "", "a last window that begins inside may reach beyond the border", NULL}
// clang-format on

#endif
