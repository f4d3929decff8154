// SPDX-License-Identifier: Apache-2.0
//
// Params of conv2d, and functions that its implementations share.

#ifndef WSR_OP_CONV2D_H
#define WSR_OP_CONV2D_H

#include "op/op.h"

typedef struct wsr__conv2d {
    wsr__ints stride;   // one number, or h and w
    wsr__ints pad;      // one number, or h and w
    wsr__ints dilation; // one number, or h and w
    int64_t groups;
    int64_t offset;
} wsr__conv2d;

/// The convolution of a node whose descs are known.
wsr__conv wsr__conv2d_shape(const wsr__node *node);

/// Whether weights, source i, that were packed at version `*seen` must be
/// packed again, the norm folded into them considered.
bool wsr__conv2d_stale(uint64_t *seen, const wsr__node *node, size_t i);

/// Backward reads the source for the weights' gradient and the weights for
/// the source's.
uint32_t wsr__conv2d_needs(const wsr__node *node);

/// The gradient of the bias, source 2, where it is wanted: sums of dst.diff,
/// per channel.
void wsr__conv2d_backward_bias(const wsr__node *node);

extern const wsr__impl wsr__conv2d_depthwise;
extern const wsr__impl wsr__conv2d_pointwise;
extern const wsr__impl wsr__conv2d_few_src;
extern const wsr__impl wsr__conv2d_few_dst;
extern const wsr__impl wsr__conv2d_plain;
extern const wsr__impl wsr__conv2d_dense;
extern const wsr__impl wsr__conv2d_dnnl;

#endif
