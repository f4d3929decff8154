// SPDX-License-Identifier: Apache-2.0
//
// Copies an image into the other layout, plain or blocked. Plans insert this op
// where a kernel asks for a layout that its source does not have. Graphs have
// no use for it: their values have no layout.

#include "op/op.h"

static void layout(wsr__node *node)
{
    node->dst.desc.layout =
        node->src[0].desc.layout == WSR__PLAIN ? WSR__BLOCKED : WSR__PLAIN;
}

// Only images have two layouts.
static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)params;
    (void)n;
    *dst = srcs[0];
    return wsr__op_ndims(&srcs[0], 4);
}

// Part `k` of a blocked image lies at `blocked`, and at `plain`.
typedef struct place {
    wsr__dims dims;
    int64_t blocked;
    int64_t plain;
} place;

// Strides are from image to image of the whole; without parts there is one
// part, of all channels.
static place place_of(const wsr__desc *desc, int64_t k, bool to_blocked)
{
    const int64_t *const d = desc->shape.dims;
    const int64_t pixels = d[2] * d[3];
    const int64_t c = desc->part > 0 ? desc->part : d[1];
    const int64_t blocked = wsr__desc_blocks(desc) * WSR__BLOCK * pixels;
    const int64_t plain = d[1] * pixels;
    return (place){.dims = {.n = d[0],
                            .c = c,
                            .h = d[2],
                            .w = d[3],
                            .src_batch_stride = to_blocked ? plain : blocked,
                            .dst_batch_stride = to_blocked ? blocked : plain},
                   .blocked = k * wsr__blocks(c) * WSR__BLOCK * pixels,
                   .plain = k * c * pixels};
}

// Between two tensors of which one is blocked.
static void convert(float *to, const wsr__desc *desc_to, const float *from,
                    const wsr__desc *desc_from, bool accumulate)
{
    const bool to_blocked = desc_to->layout == WSR__BLOCKED;
    const wsr__desc *const desc = to_blocked ? desc_to : desc_from;
    const int64_t parts = desc->part > 0 ? desc->shape.dims[1] / desc->part : 1;
    for (int64_t k = 0; k < parts; k++) {
        const place p = place_of(desc, k, to_blocked);
        if (to_blocked) {
            wsr__to_blocked(to + p.blocked, &p.dims, from + p.plain,
                            accumulate);
        } else {
            wsr__to_plain(to + p.plain, &p.dims, from + p.blocked, accumulate);
        }
    }
}

static wsr_status forward(wsr__node *node)
{
    convert(node->dst.data, &node->dst.desc, node->src[0].data,
            &node->src[0].desc, false);
    return WSR_OK;
}

// The gradient goes back the other way.
static wsr_status backward(wsr__node *node)
{
    convert(node->src[0].diff, &node->src[0].desc, node->dst.diff,
            &node->dst.desc, node->src[0].accumulate);
    return WSR_OK;
}

static const wsr__impl native = {.name = "native",
                                 .layout = layout,
                                 .forward = forward,
                                 .backward = backward,
                                 .accumulates = true,
                                 .fusion = {.parts = true}};

static const wsr__impl *const impls[] = {&native, NULL};

const wsr__op_class wsr__op_reorder = {
    .super = {"reorder", "the same image in the other layout", "", NULL, 0},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, c, h, w)",
    .result = "as src",
    .infer = infer,
    .impls = impls,
    .piecewise_linear = 1u,
};
