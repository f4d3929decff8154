// SPDX-License-Identifier: Apache-2.0
//
// Zeros of the source's shape and layout: the operation "none" on an edge. No
// gradient flows through it.

#include "op/op.h"

#include <string.h>

static wsr_status forward(wsr__node *node)
{
    memset(node->dst.data, 0,
           (size_t)wsr__dst_floats(node) * sizeof(*node->dst.data));
    return WSR_OK;
}

static const wsr__impl ref = {
    .name = "ref",
    .layout = wsr__layout_same,
    .forward = forward,
    .in_place = true,
};

static const wsr__impl *const impls[] = {&ref, NULL};

const wsr__op_class wsr__op_zero = {
    .super = {"zero", "zeros of the source's shape", "", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src, without a gradient",
    .infer = wsr__infer_same,
    .impls = impls,
    .no_grad = true,
    .piecewise_linear = 1u,
};
