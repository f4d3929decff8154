// SPDX-License-Identifier: Apache-2.0

#include "op/one_axis.h"

#include <stddef.h>

const wsr__option wsr__one_axis_schema[] = {
    {"axis", WSR__INT, offsetof(wsr__one_axis_params, axis), "-1",
     1 - WSR_MAX_DIMS, WSR_MAX_DIMS - 1, "",
     "axis behind the batch; negative: from the end", NULL},
    {0},
};

static int axis_of(const wsr__one_axis_params *o, const wsr_shape *shape)
{
    return (int)(o->axis < 0 ? o->axis + shape->ndims : o->axis);
}

wsr_status wsr__one_axis_infer(wsr_shape *dst, const void *params,
                               const wsr_shape *srcs, size_t n)
{
    (void)n;
    const int axis = axis_of(params, &srcs[0]);
    if (axis < 1 || axis >= srcs[0].ndims) {
        return wsr__op_shape_fail("source must have the axis behind the batch",
                                  &srcs[0]);
    }
    *dst = srcs[0];
    return WSR_OK;
}

// Backward works from dst and leaves src free.
static uint32_t needs(const wsr__node *node)
{
    (void)node;
    return WSR__NEED_DST;
}

// Rows of a node: `size` numbers each, `stride` apart.
typedef struct rows {
    int64_t size;
    int64_t stride;
} rows;

static rows rows_of(const wsr__node *node)
{
    const wsr_shape *const shape = &node->dst.desc.shape;
    const int axis = axis_of(node->params, shape);
    rows all = {shape->dims[axis], 1};
    for (int i = axis + 1; i < shape->ndims; i++) {
        all.stride *= shape->dims[i];
    }
    return all;
}

// Offset of row r.
static int64_t row_at(const rows *all, int64_t r)
{
    return r / all->stride * all->size * all->stride + r % all->stride;
}

// Rows [begin, end). The largest number is for the op to take out, so that
// nothing overflows.
static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const rows all = rows_of(node);
    const int64_t k = all.size * all.stride;
    for (int64_t r = begin; r < end; r++) {
        const int64_t at = row_at(&all, r);
        const float *const x = node->src[0].data + at;
        float most = x[0];
        for (int64_t i = all.stride; i < k; i += all.stride) {
            most = x[i] > most ? x[i] : most;
        }
        node->cls->one_axis->forward(node->dst.data + at, x, most, k,
                                     all.stride);
    }
}

static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const rows all = rows_of(node);
    for (int64_t r = begin; r < end; r++) {
        const int64_t at = row_at(&all, r);
        node->cls->one_axis->backward(node->src[0].diff + at,
                                      node->src[0].accumulate,
                                      node->dst.data + at, node->dst.diff + at,
                                      all.size * all.stride, all.stride);
    }
}

// A row is never divided: its sums have one order, whatever the threads.
static wsr_status share_rows(wsr__node *node, wsr__body body)
{
    const int64_t size = rows_of(node).size;
    wsr__share(wsr__dst_floats(node) / size, size, body, node);
    return WSR_OK;
}

static wsr_status forward(wsr__node *node)
{
    return share_rows(node, forward_share);
}

static wsr_status backward(wsr__node *node)
{
    return share_rows(node, backward_share);
}

static const wsr__impl ref = {
    .name = "ref",
    .needs = needs,
    .forward = forward,
    .backward = backward,
    .accumulates = true,
    .in_place = true,
};

const wsr__impl *const wsr__one_axis_impls[] = {&ref, NULL};
