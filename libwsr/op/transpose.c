// SPDX-License-Identifier: Apache-2.0
//
// Axes in another order: axis i of dst is axis order[i] of src. The batch
// axis stays in front.

#include "op/params.h"

#include <stddef.h>
#include <string.h>

static const wsr__option schema[] = {
    {"order", WSR__INTS, offsetof(wsr__transpose_params, order), "[]", 0,
     WSR_MAX_DIMS - 1, "",
     "axes of the source, 0 first; empty: those behind the batch reversed",
     NULL},
    {0},
};

// Which axis of src becomes axis i of dst. An empty list reverses the axes
// behind the batch, as .T would.
static int64_t from(const wsr__transpose_params *o, int ndims, int i)
{
    if (o->order.n > 0) {
        return o->order.v[i];
    }
    return i == 0 ? 0 : ndims - i;
}

// `order` names the axes behind the batch, each once. Seen as a set of bits:
// all of them, in as many numbers as there are axes.
static bool is_permutation(const wsr__transpose_params *o, int ndims)
{
    if (o->order.n == 0) {
        return true;
    }
    unsigned seen = 0;
    for (size_t i = 0; i < o->order.n; i++) {
        seen |= 1u << o->order.v[i];
    }
    return o->order.n == (size_t)ndims && o->order.v[0] == 0 &&
           seen == (1u << ndims) - 1;
}

// Axis 0 stays: samples are never mixed.
static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)n;
    const wsr__transpose_params *const o = params;
    const int ndims = srcs[0].ndims;
    if (!is_permutation(o, ndims)) {
        return wsr__op_shape_fail(
            "order must name each axis of the source once, 0 first", &srcs[0]);
    }
    *dst = srcs[0];
    for (int i = 0; i < ndims; i++) {
        dst->dims[i] = srcs[0].dims[from(o, ndims, i)];
    }
    return WSR_OK;
}

// Floats to go in src for a step along each axis of dst.
static void strides_of(int64_t strides[WSR_MAX_DIMS], const wsr__node *node)
{
    const wsr_shape *const src = &node->src[0].desc.shape;
    int64_t plain[WSR_MAX_DIMS] = {0};
    int64_t stride = 1;
    for (int i = src->ndims; i-- > 0;) {
        plain[i] = stride;
        stride *= src->dims[i];
    }
    for (int i = 0; i < src->ndims; i++) {
        strides[i] = plain[from(node->params, src->ndims, i)];
    }
}

// Offset in src of row `row` of dst, a row being its last axis.
static int64_t row_offset(const wsr_shape *dst, const int64_t *strides,
                          int64_t row)
{
    int64_t offset = 0;
    int64_t left = row;
    for (int i = dst->ndims - 1; i-- > 0;) {
        offset += left % dst->dims[i] * strides[i];
        left /= dst->dims[i];
    }
    return offset;
}

// Rows [begin, end): dst is written in order, src is read by strides.
static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const wsr_shape *const dst = &node->dst.desc.shape;
    const int64_t size = dst->dims[dst->ndims - 1];
    int64_t strides[WSR_MAX_DIMS] = {0};
    strides_of(strides, node);
    const int64_t stride = strides[dst->ndims - 1];
    for (int64_t r = begin; r < end; r++) {
        const float *const x = node->src[0].data + row_offset(dst, strides, r);
        float *const y = node->dst.data + r * size;
        if (stride == 1) {
            memcpy(y, x, (size_t)size * sizeof(*y));
            continue;
        }
        for (int64_t i = 0; i < size; i++) {
            y[i] = x[i * stride];
        }
    }
}

// The same walk; the gradient goes where forward read from.
static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const wsr_shape *const dst = &node->dst.desc.shape;
    const int64_t size = dst->dims[dst->ndims - 1];
    const bool add = node->src[0].accumulate;
    int64_t strides[WSR_MAX_DIMS] = {0};
    strides_of(strides, node);
    const int64_t stride = strides[dst->ndims - 1];
    for (int64_t r = begin; r < end; r++) {
        float *const dx = node->src[0].diff + row_offset(dst, strides, r);
        const float *const dy = node->dst.diff + r * size;
        for (int64_t i = 0; i < size; i++) {
            dx[i * stride] = (add ? dx[i * stride] : 0.0f) + dy[i];
        }
    }
}

// Each element of src belongs to one element of dst, so rows can be split among
// threads in both passes. Sources are plain.
static void share_rows(wsr__node *node, wsr__body body)
{
    const wsr_shape *const dst = &node->dst.desc.shape;
    const int64_t size = dst->dims[dst->ndims - 1];
    wsr__share(wsr__dst_floats(node) / size, size, body, node);
}

static wsr_status forward(wsr__node *node)
{
    share_rows(node, forward_share);
    return WSR_OK;
}

static wsr_status backward(wsr__node *node)
{
    share_rows(node, backward_share);
    return WSR_OK;
}

static const wsr__impl ref = {
    .name = "ref",
    .forward = forward,
    .backward = backward,
    .accumulates = true,
};

static const wsr__impl *const impls[] = {&ref, NULL};

const wsr__op_class wsr__op_transpose = {
    .super = {"transpose", "axes in another order", "", schema,
              sizeof(wsr__transpose_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "the axes of src in the given order",
    .infer = infer,
    .impls = impls,
    .piecewise_linear = 1u,
};
