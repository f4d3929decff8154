// SPDX-License-Identifier: Apache-2.0
//
// Largest value of each square window; padding never wins. The gradient goes
// to the first maximum in row-major order, whose place forward remembers.

#include "op/pool.h"

#include <stddef.h>

static const wsr__option schema[] = {
    {"kernel", WSR__INT, offsetof(wsr__pool2d, kernel), "3", 1, 15, "pixels",
     "side of the window", NULL},
    {"stride", WSR__INT, offsetof(wsr__pool2d, stride), "1", 1, 64, "pixels",
     "step between windows", NULL},
    {"pad", WSR__INT, offsetof(wsr__pool2d, pad), "0", 0, 7, "pixels",
     "border around the source", NULL},
    {0},
};

// A window has at most 15 x 15 taps, so a tap fits into a byte.
static wsr_status plan(wsr__node *node)
{
    if (node->backward) {
        const size_t bytes = (size_t)wsr__dst_floats(node);
        node->workspace_floats = (bytes + sizeof(float) - 1) / sizeof(float);
    }
    return WSR_OK;
}

// The workspace holds bytes: per number of dst the tap that was the maximum.
static uint8_t *index_of(const wsr__node *node)
{
    return (uint8_t *)node->workspace;
}

static wsr_status forward(wsr__node *node)
{
    const wsr__pool p = wsr__pool2d_shape(node, false);
    wsr__max_pool_forward(node->dst.data, index_of(node), &p, node->src[0].data,
                          node->dst.moments);
    return WSR_OK;
}

// The index is enough: src is not read again.
static wsr_status backward(wsr__node *node)
{
    const wsr__pool p = wsr__pool2d_shape(node, true);
    wsr__max_pool_backward(node->src[0].diff, &p, node->dst.diff,
                           index_of(node), node->dst.affine,
                           node->src[0].accumulate);
    return WSR_OK;
}

// It does not read `pre`: the kernel compares numbers as they lie in memory,
// and a norm of negative scale turns their order round.
static const wsr__impl native = {.name = "native",
                                 .layout = wsr__layout_blocked,
                                 .plan = plan,
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
    wsr__ref_max_pool_forward(node->dst.data, node->src[0].data, &p);
    return WSR_OK;
}

static wsr_status backward_ref(wsr__node *node)
{
    const wsr__ref_pool p = wsr__pool2d_ref_shape(node);
    wsr__ref_max_pool_backward(node->src[0].diff, node->src[0].data,
                               node->dst.diff, &p);
    return WSR_OK;
}

// The reference keeps no index and looks for the maximum again.
static uint32_t needs_ref(const wsr__node *node)
{
    (void)node;
    return 1u;
}

static const wsr__impl ref = {.name = "ref",
                              .needs = needs_ref,
                              .forward = forward_ref,
                              .backward = backward_ref};

static const wsr__impl *const impls[] = {&native, &ref, NULL};

const wsr__op_class wsr__op_max_pool = {
    .super = {"max_pool", "largest value of each window", "", schema,
              sizeof(wsr__pool2d)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, c, h, w)",
    .result = "(n, c, oh, ow), oh = (h + 2 pad - kernel) / stride + 1",
    .infer = wsr__pool2d_infer,
    .impls = impls,
    .piecewise_linear = 1u,
};
