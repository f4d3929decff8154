// SPDX-License-Identifier: Apache-2.0
//
// Takes a range of one axis: dst holds the elements begin <= i < end of `axis`,
// which must not be the batch, or every step-th of them: begin, begin + step,
// ... A negative step goes through the range from its last element on.

#include "op/index_map.h"
#include "op/params.h"

#include <stddef.h>
#include <string.h>

static const wsr__option schema[] = {
    {"axis", WSR__INT, offsetof(wsr__slice_params, axis), "1", 1,
     WSR_MAX_DIMS - 1, "", "axis to cut; 0 is the batch", NULL},
    {"begin", WSR__INT, offsetof(wsr__slice_params, begin), "0", 0, 1 << 30, "",
     "first element", NULL},
    {"end", WSR__INT, offsetof(wsr__slice_params, end), "0", 0, 1 << 30, "",
     "one past the last element; 0: up to the last", NULL},
    {"step", WSR__INT, offsetof(wsr__slice_params, step), "1", -(1 << 30),
     1 << 30, "", "from element to element; negative: from the last one on",
     NULL},
    {0},
};

// 0 stands for the size of the axis, which the options cannot know.
static int64_t end_of(const wsr__slice_params *o, const wsr_shape *src)
{
    return o->end == 0 ? src->dims[o->axis] : o->end;
}

// Params that code has filled in without a step have 0.
static int64_t step_of(const wsr__slice_params *o)
{
    return o->step == 0 ? 1 : o->step;
}

// Bounds are options, checked here once for all batch sizes.
static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)n;
    const wsr__slice_params *const o = params;
    const int64_t size = o->axis < srcs[0].ndims ? srcs[0].dims[o->axis] : 0;
    const int64_t end = end_of(o, &srcs[0]);
    if (o->begin >= end || end > size) {
        char text[96];
        wsr__shape_print(text, &srcs[0]);
        return WSR_FAIL(
            WSR_SHAPE, "range [%lld, %lld) of axis %lld does not fit %s",
            (long long)o->begin, (long long)end, (long long)o->axis, text);
    }
    *dst = srcs[0];
    const int64_t step = step_of(o) < 0 ? -step_of(o) : step_of(o);
    dst->dims[o->axis] = (end - o->begin + step - 1) / step;
    return WSR_OK;
}

// One run per element of the axes before the cut one: `stride` floats from one
// run to the next in src, of which `floats` are taken from `from` on. In dst
// the runs follow each other without a gap.
typedef struct cut {
    int64_t count;
    int64_t stride;
    int64_t from;
    int64_t floats;
} cut;

// The axes behind the cut one make up its elements.
static cut cut_of(const wsr__node *node)
{
    const wsr__slice_params *const o = node->params;
    const wsr_shape *const src = &node->src[0].desc.shape;
    cut c = {1, src->dims[o->axis], o->begin,
             node->dst.desc.shape.dims[o->axis]};
    for (int i = 0; i < src->ndims; i++) {
        if (i < o->axis) {
            c.count *= src->dims[i];
        } else if (i > o->axis) {
            c.stride *= src->dims[i];
            c.from *= src->dims[i];
            c.floats *= src->dims[i];
        }
    }
    return c;
}

// Slices [begin, end), each a contiguous run in both tensors.
static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const cut c = cut_of(node);
    for (int64_t k = begin; k < end; k++) {
        memcpy(node->dst.data + k * c.floats,
               node->src[0].data + k * c.stride + c.from,
               (size_t)c.floats * sizeof(float));
    }
}

// What was not taken gets a zero gradient.
static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const cut c = cut_of(node);
    for (int64_t k = begin; k < end; k++) {
        float *const whole = node->src[0].diff + k * c.stride;
        const float *const dy = node->dst.diff + k * c.floats;
        if (!node->src[0].accumulate) {
            memset(whole, 0, (size_t)c.stride * sizeof(*whole));
        }
        for (int64_t i = 0; i < c.floats; i++) {
            whole[c.from + i] += dy[i];
        }
    }
}

// Work is divided by what is copied.
static wsr_status forward(wsr__node *node)
{
    const cut c = cut_of(node);
    wsr__share(c.count, c.floats, forward_share, node);
    return WSR_OK;
}

// Work is divided by what is written, the whole of src.
static wsr_status backward(wsr__node *node)
{
    const cut c = cut_of(node);
    wsr__share(c.count, c.stride, backward_share, node);
    return WSR_OK;
}

static bool is_dense(const wsr__node *node)
{
    return step_of(node->params) == 1;
}

static const wsr__impl dense = {
    .name = "dense",
    .applicable = is_dense,
    .forward = forward,
    .backward = backward,
    .accumulates = true,
};

static int64_t index_of(const wsr__node *node, int axis, int64_t i)
{
    const wsr__slice_params *const o = node->params;
    if (axis != (int)o->axis) {
        return i;
    }
    const int64_t step = step_of(o);
    const int64_t first = step > 0 ? o->begin
                                   : end_of(o, &node->src[0].desc.shape) - 1;
    return first + i * step;
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

static const wsr__impl *const impls[] = {&dense, &ref, NULL};

const wsr__op_class wsr__op_slice = {
    .super = {"slice", "range of one axis", "", schema,
              sizeof(wsr__slice_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src, with (end - begin) / step elements along the axis",
    .infer = infer,
    .impls = impls,
    .piecewise_linear = 1u,
};
