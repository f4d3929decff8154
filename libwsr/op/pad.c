// SPDX-License-Identifier: Apache-2.0
//
// A border around the axes behind the batch, as in ONNX: of a constant, of the
// source reflected at its edge (which is not repeated), of the edge, or of the
// source again from its other end (wrap). A negative width cuts off.

#include "op/index_map.h"

#include <stddef.h>

typedef struct pad_params {
    wsr__ints pads;
    wsr__text mode;
    double value;
} pad_params;

static const char *const words[] = {"constant", "reflect", "edge", "wrap",
                                    NULL};

static const wsr__option schema[] = {
    {"pads", WSR__INTS, offsetof(pad_params, pads), "[]", -(1 << 20), 1 << 20,
     "", "widths before each axis, then behind each; the batch may be left out",
     NULL},
    {"mode", WSR__WORD, offsetof(pad_params, mode), "constant", 0, 0, "",
     "what the border consists of", words},
    {"value", WSR__FLOAT, offsetof(pad_params, value), "0", 0, 0, "",
     "of a constant border", NULL},
    {0},
};

// Width before (0) or behind (1) an axis. A list of two numbers fewer than
// twice the axes has none for the batch.
static int64_t width_of(const pad_params *o, int ndims, int axis, int side)
{
    const int axes = (int)o->pads.n / 2;
    const int at = axis - (ndims - axes);
    return at < 0 ? 0 : o->pads.v[side * axes + at];
}

static wsr_status fail(const char *what, const wsr_shape *src)
{
    return wsr__op_shape_fail(what, src);
}

static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)n;
    const pad_params *const o = params;
    const wsr_shape *const src = &srcs[0];
    const size_t all = 2 * (size_t)src->ndims;
    if (src->ndims < 1 || (o->pads.n != all && o->pads.n + 2 != all)) {
        return fail("pads must hold two numbers for each axis of the source",
                    src);
    }
    *dst = *src;
    for (int i = 0; i < src->ndims; i++) {
        const int64_t before = width_of(o, src->ndims, i, 0);
        const int64_t behind = width_of(o, src->ndims, i, 1);
        const int64_t most = before > behind ? before : behind;
        if (i == 0 && (before != 0 || behind != 0)) {
            return fail("the batch cannot be padded", src);
        }
        if (o->mode.s[0] == 'r' && most >= src->dims[i]) {
            return fail("a reflected border must be smaller than the source",
                        src);
        }
        if (o->mode.s[0] == 'w' && most > src->dims[i]) {
            return fail("a border that wraps must not be larger than the "
                        "source",
                        src);
        }
        dst->dims[i] += before + behind;
        if (dst->dims[i] < 1 || -before >= src->dims[i] ||
            -behind >= src->dims[i]) {
            return fail("nothing is left of the source", src);
        }
    }
    return wsr__shape_check(dst);
}

static int64_t index_of(const wsr__node *node, int axis, int64_t i)
{
    const pad_params *const o = node->params;
    const wsr_shape *const src = &node->src[0].desc.shape;
    const int64_t last = src->dims[axis] - 1;
    const int64_t at = i - width_of(o, src->ndims, axis, 0);
    if ((at >= 0 && at <= last) || o->mode.s[0] == 'c') {
        return at > last ? -1 : at;
    }
    if (o->mode.s[0] == 'e') {
        return at < 0 ? 0 : last;
    }
    if (o->mode.s[0] == 'w') {
        return at < 0 ? at + last + 1 : at - last - 1;
    }
    return at < 0 ? -at : 2 * last - at;
}

static wsr_status plan(wsr__node *node)
{
    const pad_params *const o = node->params;
    return wsr__index_map_plan(node, index_of, (float)o->value);
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

const wsr__op_class wsr__op_pad = {
    .super = {"pad", "border around the source", "", schema,
              sizeof(pad_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src, larger by the widths",
    .infer = infer,
    .impls = impls,
    .piecewise_linear = 1u,
};
