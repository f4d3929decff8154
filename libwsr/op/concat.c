// SPDX-License-Identifier: Apache-2.0
//
// Sources side by side along an axis. Along axis 0 batches follow each other: a
// plan has several times its batch there, and `chunk` takes them apart again.
// Blocked images are joined block by block when every source fills its blocks,
// or when all have the same number of channels: each part then keeps its
// padding. Otherwise rows are copied in the plain layout.

#include "op/params.h"

#include <stddef.h>
#include <string.h>

static const wsr__option schema[] = {
    {"axis", WSR__INT, offsetof(wsr__concat_params, axis), "1", 0,
     WSR_MAX_DIMS - 1, "", "dimension to join; 0: one batch behind the other",
     NULL},
    {0},
};

// All dimensions but `axis` must agree; dst has the sum of them there.
static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    const wsr__concat_params *const o = params;
    const int axis = (int)o->axis;
    *dst = srcs[0];
    if (axis >= dst->ndims) {
        return wsr__op_shape_fail("axis must be one of the source", &srcs[0]);
    }
    for (size_t i = 1; i < n; i++) {
        wsr_shape other = srcs[i];
        if (other.ndims == dst->ndims) {
            other.dims[axis] = dst->dims[axis];
        }
        if (!wsr_shape_equal(&other, dst)) {
            return wsr__op_shape_fail("sources must agree but for the axis",
                                      &srcs[i]);
        }
        dst->dims[axis] += srcs[i].dims[axis];
    }
    return WSR_OK;
}

// ----------------------------------------------------------------- blocked

// Every part must begin at a block of dst: either each source fills its blocks,
// or all have the same number of channels and dst keeps the padding of each
// (desc.part). Parts of one block or less would be mostly padding. If no source
// is blocked, copying plain rows is cheaper.

static bool joins_blocks(const wsr__node *node)
{
    const wsr__concat_params *const o = node->params;
    const bool images = node->src[0].desc.shape.ndims == 4 && o->axis == 1;
    const int64_t first = images ? node->src[0].desc.shape.dims[1] : 0;
    bool full = images;
    bool alike = images && first > WSR__BLOCK;
    bool blocked = false;
    for (size_t i = 0; images && i < node->n; i++) {
        const int64_t c = node->src[i].desc.shape.dims[1];
        full = full && c % WSR__BLOCK == 0;
        alike = alike && c == first;
        blocked |= node->src[i].desc.layout == WSR__BLOCKED;
    }
    return blocked && (full || alike);
}

// part 0 says that no source has padding, so dst is an ordinary blocked image.
static void layout_blocked(wsr__node *node)
{
    const int64_t first = node->src[0].desc.shape.dims[1];
    bool full = true;
    for (size_t i = 0; i < node->n; i++) {
        node->src[i].desc.layout = WSR__BLOCKED;
        full = full && node->src[i].desc.shape.dims[1] % WSR__BLOCK == 0;
    }
    node->dst.desc.layout = WSR__BLOCKED;
    node->dst.desc.part = full ? 0 : first;
}

// Source i as a run of blocks, and where that run lies in dst.
static wsr__dims part_of(const wsr__node *node, size_t i, int64_t *at)
{
    const int64_t *const d = node->src[i].desc.shape.dims;
    *at = 0;
    for (size_t j = 0; j < i; j++) {
        *at += wsr__desc_blocks(&node->src[j].desc) * WSR__BLOCK * d[2] * d[3];
    }
    return (wsr__dims){.n = d[0], .c = d[1], .h = d[2], .w = d[3]};
}

// Floats from image to image of dst.
static int64_t image_floats(const wsr__node *node)
{
    return wsr__row_floats(&node->dst.desc);
}

// Runs only where fuse.c could not let the producers write into dst.
static wsr_status forward_blocked(wsr__node *node)
{
    for (size_t i = 0; i < node->n; i++) {
        int64_t at = 0;
        wsr__dims d = part_of(node, i, &at);
        d.dst_batch_stride = image_floats(node);
        wsr__scale_images(node->dst.data + at, &d, node->src[i].data, NULL,
                          false);
    }
    return WSR_OK;
}

static wsr_status backward_blocked(wsr__node *node)
{
    for (size_t i = 0; i < node->n; i++) {
        const wsr__arg *const src = &node->src[i];
        int64_t at = 0;
        wsr__dims d = part_of(node, i, &at);
        d.src_batch_stride = image_floats(node);
        if (src->want_diff) {
            wsr__scale_images(src->diff, &d, node->dst.diff + at, NULL,
                              src->accumulate);
        }
    }
    return WSR_OK;
}

static const wsr__impl blocked = {.name = "native",
                                  .applicable = joins_blocks,
                                  .layout = layout_blocked,
                                  .forward = forward_blocked,
                                  .backward = backward_blocked,
                                  .accumulates = true,
                                  .fusion = {.is_concat = true}};

// ------------------------------------------------------------------- plain

// Contiguous floats that one step of the outer dimensions takes from a shape.
// The axes before `axis` count the rows, which are copied one by one.
static int64_t run_of(const wsr_shape *shape, int64_t axis)
{
    int64_t run = 1;
    for (int i = (int)axis; i < shape->ndims; i++) {
        run *= shape->dims[i];
    }
    return run;
}

static wsr_status forward(wsr__node *node)
{
    const wsr__concat_params *const o = node->params;
    const int64_t row = run_of(&node->dst.desc.shape, o->axis);
    const int64_t rows = wsr__dst_floats(node) / row;
    int64_t at = 0;
    for (size_t i = 0; i < node->n; i++) {
        const int64_t run = run_of(&node->src[i].desc.shape, o->axis);
        for (int64_t r = 0; r < rows; r++) {
            memcpy(node->dst.data + r * row + at, node->src[i].data + r * run,
                   (size_t)run * sizeof(float));
        }
        at += run;
    }
    return WSR_OK;
}

// Row r of a source's gradient, `run` floats.
static void take(const wsr__arg *src, const float *diff_dst, int64_t run,
                 int64_t r)
{
    float *const to = src->diff + r * run;
    if (!src->accumulate) {
        memcpy(to, diff_dst, (size_t)run * sizeof(float));
        return;
    }
    for (int64_t i = 0; i < run; i++) {
        to[i] += diff_dst[i];
    }
}

static wsr_status backward(wsr__node *node)
{
    const wsr__concat_params *const o = node->params;
    const int64_t row = run_of(&node->dst.desc.shape, o->axis);
    const int64_t rows = wsr__dst_floats(node) / row;
    int64_t at = 0;
    for (size_t i = 0; i < node->n; i++) {
        const wsr__arg *const src = &node->src[i];
        const int64_t run = run_of(&src->desc.shape, o->axis);
        for (int64_t r = 0; src->want_diff && r < rows; r++) {
            take(src, node->dst.diff + r * row + at, run, r);
        }
        at += run;
    }
    return WSR_OK;
}

static const wsr__impl ref = {.name = "ref",
                              .forward = forward,
                              .backward = backward,
                              .accumulates = true};

static const wsr__impl *const impls[] = {&blocked, &ref, NULL};

const wsr__op_class wsr__op_concat = {
    .super = {"concat", "sources side by side", "", schema,
              sizeof(wsr__concat_params)},
    .min_srcs = 1,
    .max_srcs = 64,
    .sources = "src (n, ...), ... that differ along the axis only",
    .result = "as src, the sizes along the axis added",
    .infer = infer,
    .impls = impls,
    .piecewise_linear = WSR__ALL_SRCS,
};
