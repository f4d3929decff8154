// SPDX-License-Identifier: Apache-2.0
//
// Mean of each square window, over the taps inside the source or, with
// count_pad, over all of them with zeros outside.

#include "op/pool.h"

#include <stddef.h>

static const wsr__option schema[] = {
    {"kernel", WSR__INT, offsetof(wsr__pool2d, kernel), "3", 1, 15, "pixels",
     "side of the window", NULL},
    {"stride", WSR__INT, offsetof(wsr__pool2d, stride), "1", 1, 64, "pixels",
     "step between windows", NULL},
    {"pad", WSR__INT, offsetof(wsr__pool2d, pad), "0", 0, 7, "pixels",
     "border around the source", NULL},
    {"count_pad", WSR__BOOL, offsetof(wsr__pool2d, count_pad), "false", 0, 0,
     "", "divide by the whole window at the border too", NULL},
    {0},
};

// Moments are those of the batch norm behind, summed while a plane is in the
// cache; NULL if nobody wants them.
static wsr_status forward(wsr__node *node)
{
    const wsr__pool p = wsr__pool2d_shape(node, false);
    wsr__avg_pool_forward(node->dst.data, &p, node->src[0].data,
                          node->dst.moments);
    return WSR_OK;
}

// The gradient depends on no tensor of forward, so the op needs none.
static wsr_status backward(wsr__node *node)
{
    const wsr__pool p = wsr__pool2d_shape(node, true);
    wsr__avg_pool_backward(node->src[0].diff, &p, node->dst.diff,
                           node->dst.affine, node->src[0].accumulate);
    return WSR_OK;
}

static const wsr__impl native = {.name = "native",
                                 .layout = wsr__layout_blocked,
                                 .forward = forward,
                                 .backward = backward,
                                 .accumulates = true,
                                 .fusion = {.reads_affine = true,
                                            .writes_moments = true,
                                            .src_views = true,
                                            .dst_views = true}};

static wsr_status forward_ref(wsr__node *node)
{
    const wsr__ref_pool p = wsr__pool2d_ref_shape(node);
    wsr__ref_avg_pool_forward(node->dst.data, node->src[0].data, &p);
    return WSR_OK;
}

static wsr_status backward_ref(wsr__node *node)
{
    const wsr__ref_pool p = wsr__pool2d_ref_shape(node);
    wsr__ref_avg_pool_backward(node->src[0].diff, node->dst.diff, &p);
    return WSR_OK;
}

// The reference takes plain images and overwrites diff_src.
static const wsr__impl ref = {
    .name = "ref", .forward = forward_ref, .backward = backward_ref};

static const wsr__impl *const impls[] = {&native, &ref, NULL};

const wsr__op_class wsr__op_avg_pool = {
    .super = {"avg_pool", "mean of each window", "", schema,
              sizeof(wsr__pool2d)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, c, h, w)",
    .result = "(n, c, oh, ow), oh = (h + 2 pad - kernel) / stride + 1",
    .infer = wsr__pool2d_infer,
    .impls = impls,
    .piecewise_linear = 1u,
};
