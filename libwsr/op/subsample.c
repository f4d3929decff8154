// SPDX-License-Identifier: Apache-2.0
//
// Every stride-th pixel, beginning at (offset, offset):
//   dst[n, c, y, x] = src[n, c, offset + y * stride, offset + x * stride]
// With stride 2 and offsets 0 and 1 these are the two halves of a factorised
// reduction.

#include "op/params.h"

#include <stddef.h>
#include <string.h>

static const wsr__option schema[] = {
    {"stride", WSR__INT, offsetof(wsr__subsample_params, stride), "2", 1, 64,
     "pixels", "step between pixels", NULL},
    {"offset", WSR__INT, offsetof(wsr__subsample_params, offset), "0", 0, 63,
     "pixels", "row and column to begin at", NULL},
    {0},
};

// As many pixels as lie at offset + k * stride inside of the source.
static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)n;
    const wsr__subsample_params *const o = params;
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__op_ndims(&srcs[0], 4));
    const int64_t *const d = srcs[0].dims;
    if (d[2] <= o->offset || d[3] <= o->offset) {
        return wsr__op_shape_fail("source must be larger than the offset",
                                  &srcs[0]);
    }
    *dst = wsr__shape4(d[0], d[1], (d[2] - o->offset - 1) / o->stride + 1,
                       (d[3] - o->offset - 1) / o->stride + 1);
out:
    return status;
}

// A plane is an image of one channel, or of one block of them.
typedef struct work {
    const wsr__node *node;
    int64_t lanes; // floats per pixel: 8 blocked, 1 plain
    int64_t planes;
    int64_t h, w, oh, ow;
    int64_t stride;
    int64_t offset;
} work;

// src and dst lie in the same layout; dst has as many planes as src.
static work work_of(const wsr__node *node)
{
    const wsr__subsample_params *const o = node->params;
    const int64_t *const s = node->src[0].desc.shape.dims;
    const int64_t *const d = node->dst.desc.shape.dims;
    const bool blocked = node->src[0].desc.layout == WSR__BLOCKED;
    return (work){.node = node,
                  .lanes = blocked ? WSR__BLOCK : 1,
                  .planes = s[0] * (blocked ? wsr__blocks(s[1]) : s[1]),
                  .h = s[2],
                  .w = s[3],
                  .oh = d[2],
                  .ow = d[3],
                  .stride = o->stride,
                  .offset = o->offset};
}

// The first pixel of src that row y of dst reads.
static const float *row_of(const work *k, const float *src, int64_t plane,
                           int64_t y)
{
    const int64_t row = plane * k->h + k->offset + y * k->stride;
    return src + (row * k->w + k->offset) * k->lanes;
}

// A pixel is `lanes` floats: one channel, or the eight of a block.
static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const work *const k = ctx;
    float *to = k->node->dst.data + begin * k->oh * k->ow * k->lanes;
    for (int64_t i = begin * k->oh; i < end * k->oh; i++) {
        const float *const from =
            row_of(k, k->node->src[0].data, i / k->oh, i % k->oh);
        for (int64_t x = 0; x < k->ow; x++) {
            memcpy(to, from + x * k->stride * k->lanes,
                   (size_t)k->lanes * sizeof(float));
            to += k->lanes;
        }
    }
}

// Planes are independent in both passes. Forward only copies numbers.
static wsr_status forward(wsr__node *node)
{
    work k = work_of(node);
    wsr__parallel(k.planes, forward_share, &k);
    return WSR_OK;
}

// Adds, since src->diff holds zeros or an earlier gradient.
static void add_row(const work *k, float *to, const float *from)
{
    for (int64_t x = 0; x < k->ow; x++) {
        for (int64_t l = 0; l < k->lanes; l++) {
            to[x * k->stride * k->lanes + l] += from[x * k->lanes + l];
        }
    }
}

// Pixels that no dst reads get a zero gradient.
static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const work *const k = ctx;
    const wsr__arg *const src = &k->node->src[0];
    const int64_t plane = k->h * k->w * k->lanes;
    if (!src->accumulate) {
        memset(src->diff + begin * plane, 0,
               (size_t)((end - begin) * plane) * sizeof(float));
    }
    for (int64_t i = begin * k->oh; i < end * k->oh; i++) {
        const int64_t row = i / k->oh * k->h + k->offset +
                            i % k->oh * k->stride;
        add_row(k, src->diff + (row * k->w + k->offset) * k->lanes,
                k->node->dst.diff + i * k->ow * k->lanes);
    }
}

static wsr_status backward(wsr__node *node)
{
    work k = work_of(node);
    wsr__parallel(k.planes, backward_share, &k);
    return WSR_OK;
}

static const wsr__impl native = {.name = "native",
                                 .layout = wsr__layout_same,
                                 .forward = forward,
                                 .backward = backward,
                                 .accumulates = true};

static const wsr__impl ref = {.name = "ref",
                              .forward = forward,
                              .backward = backward,
                              .accumulates = true};

static const wsr__impl *const impls[] = {&native, &ref, NULL};

const wsr__op_class wsr__op_subsample = {
    .super = {"subsample", "every stride-th pixel", "", schema,
              sizeof(wsr__subsample_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, c, h, w)",
    .result = "(n, c, oh, ow), oh = (h - offset - 1) / stride + 1",
    .infer = infer,
    .impls = impls,
    .piecewise_linear = 1u,
};
