// SPDX-License-Identifier: Apache-2.0
//
// Repeats a source along axes of which it has one element, or which it lacks,
// as NumPy broadcasts: dst has the shape that the source and `shape` have
// together. With a second source dst has its batch: so a parameter becomes a
// value of each image. The numbers of the second source do not matter.

#include "op/index_map.h"

#include <stddef.h>

typedef struct expand_params {
    wsr__ints shape;
} expand_params;

static const wsr__option schema[] = {
    {"shape", WSR__INTS, offsetof(expand_params, shape), "[1]", 1, 1 << 30, "",
     "sizes of all axes, the batch 1", NULL},
    {0},
};

// Axes are aligned at the last.
static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    const expand_params *const o = params;
    const wsr_shape *const src = &srcs[0];
    const int axes = (int)o->shape.n;
    if (axes < 1 || axes > WSR_MAX_DIMS || src->ndims > axes) {
        return wsr__op_shape_fail("shape must have the axes of the source",
                                  src);
    }
    *dst = (wsr_shape){.ndims = axes};
    for (int i = 0; i < axes; i++) {
        const int at = i - (axes - src->ndims);
        const int64_t own = at < 0 ? 1 : src->dims[at];
        const int64_t want = o->shape.v[i];
        if (own != want && own != 1 && want != 1) {
            return wsr__op_shape_fail("shape does not fit the source", src);
        }
        dst->dims[i] = own == 1 ? want : own;
    }
    if (n == 2 && dst->dims[0] != 1 && dst->dims[0] != srcs[1].dims[0]) {
        return wsr__op_shape_fail("source has a batch of its own", src);
    }
    if (n == 2) {
        dst->dims[0] = srcs[1].dims[0];
    }
    return wsr__shape_check(dst);
}

// The source as it would be with all axes of dst.
static int64_t size_at(const wsr__node *node, int axis)
{
    const wsr_shape *const src = &node->src[0].desc.shape;
    const int at = axis - (node->dst.desc.shape.ndims - src->ndims);
    return at < 0 ? 1 : src->dims[at];
}

static int64_t index_of(const wsr__node *node, int axis, int64_t i)
{
    return size_at(node, axis) == 1 ? 0 : i;
}

static wsr_status plan(wsr__node *node)
{
    return wsr__index_map_plan(node, index_of, 0);
}

static const wsr__impl ref = {
    .name = "ref",
    .plan = plan,
    .forward = wsr__index_map_forward,
    .backward = wsr__index_map_backward,
    .unplan = wsr__index_map_unplan,
    .accumulates = true,
};

static const wsr__impl *const impls[] = {&ref, NULL};

const wsr__op_class wsr__op_expand = {
    .super = {"expand", "source repeated along axes of one element", "", schema,
              sizeof(expand_params)},
    .min_srcs = 1,
    .max_srcs = 2,
    .sources = "src (n, ...) or a parameter, a value with the batch or none",
    .result = "shape, with the batch of the sources",
    .infer = infer,
    .impls = impls,
    .fixed = 1u << 1,
    .piecewise_linear = 1u,
};
