// SPDX-License-Identifier: Apache-2.0
//
// Normalisation of groups of numbers that lie densely within each image:
//
//   dst = (src - mean) / sqrt(var + tol) * weight + bias
//
// with the biased variance of the group. layer_norm, group_norm and
// instance_norm differ in what a group is.

#ifndef WSR_OP_NORM_GROUPS_H
#define WSR_OP_NORM_GROUPS_H

#include "op/op.h"

/// Group k of the batch has `floats` numbers. Number i of it has the weight and
/// the bias at k % groups * weights + i / repeat.
typedef struct wsr__norm_groups {
    int64_t count; // in the batch
    int64_t floats;
    int64_t groups;  // in an image; 1 for layer_norm
    int64_t weights; // of a group
    int64_t repeat;  // numbers in a row that have the same weight
    double tol;
} wsr__norm_groups;

/// What such an op supplies: how the source of a node is divided.
typedef struct wsr__norm_class {
    wsr__norm_groups (*groups)(const wsr__node *node);
} wsr__norm_class;

/// Groups of channels of a node with one weight per channel.
wsr__norm_groups wsr__norm_of_channels(const wsr__node *node, int64_t groups,
                                       double tol);

/// The shape rule of these: source (n, c, ...), weights (c).
wsr_status wsr__norm_infer_channels(wsr_shape *dst, const wsr_shape *srcs,
                                    size_t n);

/// Sources 1 and 2, where there are any, are weight and bias of this shape.
wsr_status wsr__norm_check(const wsr_shape *weight, const wsr_shape *srcs,
                           size_t n);

/// Implementations of classes that have `norm`.
extern const wsr__impl *const wsr__norm_impls[];

#endif
