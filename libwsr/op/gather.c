// SPDX-License-Identifier: Apache-2.0
//
// Takes chosen elements of one axis: dst[..., j, ...] = src[..., indices[j],
// ...]. An index may occur several times; its gradients add up. The axis must
// not be the batch.

#include "op/op.h"

#include <stddef.h>
#include <string.h>

typedef struct gather_params {
    int64_t axis;
    wsr__ints indices;
} gather_params;

static const wsr__option schema[] = {
    {"axis", WSR__INT, offsetof(gather_params, axis), "1", 1, WSR_MAX_DIMS - 1,
     "", "axis to choose from; 0 is the batch", NULL},
    {"indices", WSR__INTS, offsetof(gather_params, indices), "[0]", 0, 1 << 30,
     "", "elements in the order of the result", NULL},
    {0},
};

// Indices are options of the op, checked once, so runs need not look.
static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)n;
    const gather_params *const o = params;
    const int64_t size = o->axis < srcs[0].ndims ? srcs[0].dims[o->axis] : 0;
    char text[96];
    wsr__shape_print(text, &srcs[0]);
    if (o->indices.n == 0) {
        return WSR_FAIL(WSR_SHAPE, "no index is given for %s", text);
    }
    for (size_t i = 0; i < o->indices.n; i++) {
        if (o->indices.v[i] >= size) {
            return WSR_FAIL(WSR_SHAPE, "index %lld of axis %lld is not in %s",
                            (long long)o->indices.v[i], (long long)o->axis,
                            text);
        }
    }
    // dst has as many elements on the axis as there are indices.
    *dst = srcs[0];
    dst->dims[o->axis] = (int64_t)o->indices.n;
    return WSR_OK;
}

// The source as (count, size, floats). count: samples and axes in front of the
// gathered one, size: elements of that axis, floats: of one element.
typedef struct view {
    int64_t count;
    int64_t size;
    int64_t floats;
} view;

// Row-major: element (i, j, k) lies at (i * size + j) * floats + k. Sources are
// plain, so channels can be gathered like any axis.
static view view_of(const wsr__node *node)
{
    const gather_params *const o = node->params;
    const wsr_shape *const src = &node->src[0].desc.shape;
    view v = {1, src->dims[o->axis], 1};
    for (int i = 0; i < src->ndims; i++) {
        v.count *= i < o->axis ? src->dims[i] : 1;
        v.floats *= i > o->axis ? src->dims[i] : 1;
    }
    return v;
}

// Slices [begin, end) of the axes before the gathered one.
static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const gather_params *const o = node->params;
    const view v = view_of(node);
    float *dst = node->dst.data + begin * (int64_t)o->indices.n * v.floats;
    for (int64_t k = begin; k < end; k++) {
        const float *const src = node->src[0].data + k * v.size * v.floats;
        for (size_t j = 0; j < o->indices.n; j++, dst += v.floats) {
            memcpy(dst, src + o->indices.v[j] * v.floats,
                   (size_t)v.floats * sizeof(*dst));
        }
    }
}

// The same slices: an index that occurs twice stays within one thread.
static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const gather_params *const o = node->params;
    const view v = view_of(node);
    const float *dy = node->dst.diff + begin * (int64_t)o->indices.n * v.floats;
    for (int64_t k = begin; k < end; k++) {
        float *const whole = node->src[0].diff + k * v.size * v.floats;
        if (!node->src[0].accumulate) {
            memset(whole, 0, (size_t)(v.size * v.floats) * sizeof(*whole));
        }
        for (size_t j = 0; j < o->indices.n; j++, dy += v.floats) {
            float *const dx = whole + o->indices.v[j] * v.floats;
            for (int64_t i = 0; i < v.floats; i++) {
                dx[i] += dy[i];
            }
        }
    }
}

// Parallel over count, for both passes alike.
static wsr_status forward(wsr__node *node)
{
    const gather_params *const o = node->params;
    const view v = view_of(node);
    wsr__share(v.count, (int64_t)o->indices.n * v.floats, forward_share, node);
    return WSR_OK;
}

static wsr_status backward(wsr__node *node)
{
    const view v = view_of(node);
    wsr__share(v.count, v.size * v.floats, backward_share, node);
    return WSR_OK;
}

static const wsr__impl ref = {
    .name = "ref",
    .forward = forward,
    .backward = backward,
    .accumulates = true,
};

static const wsr__impl *const impls[] = {&ref, NULL};

const wsr__op_class wsr__op_gather = {
    .super = {"gather", "chosen elements of one axis", "", schema,
              sizeof(gather_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src, with an element per index along the axis",
    .infer = infer,
    .impls = impls,
};
