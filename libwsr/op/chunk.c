// SPDX-License-Identifier: Apache-2.0
//
// One of `count` equal parts of an axis, the batch included: what concat joined
// along axis 0 comes apart again, whatever the size of the batch.
//
//   dst = src[index * size / count, (index + 1) * size / count)

#include "op/params.h"

#include <stddef.h>
#include <string.h>

static const wsr__option schema[] = {
    {"axis", WSR__INT, offsetof(wsr__chunk_params, axis), "0", 0,
     WSR_MAX_DIMS - 1, "", "axis to divide; 0 is the batch", NULL},
    {"count", WSR__INT, offsetof(wsr__chunk_params, count), "1", 1, 1 << 30, "",
     "number of parts", NULL},
    {"index", WSR__INT, offsetof(wsr__chunk_params, index), "0", 0, 1 << 30, "",
     "which part, from 0", NULL},
    {0},
};

// A batch of n parts stays one when a plan multiplies it.
static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)n;
    const wsr__chunk_params *const o = params;
    const int64_t size = o->axis < srcs[0].ndims ? srcs[0].dims[o->axis] : 0;
    if (size < o->count || size % o->count != 0 || o->index >= o->count) {
        char text[96];
        wsr__shape_print(text, &srcs[0]);
        return WSR_FAIL(
            WSR_SHAPE, "part %lld of %lld along axis %lld does not fit %s",
            (long long)o->index, (long long)o->count, (long long)o->axis, text);
    }
    *dst = srcs[0];
    dst->dims[o->axis] = size / o->count;
    return WSR_OK;
}

// Runs of floats: `count` of them lie in dst one behind the other, and in src
// `stride` apart from `from` on.
typedef struct runs {
    int64_t count;
    int64_t floats;
    int64_t stride;
    int64_t from;
} runs;

static runs runs_of(const wsr__node *node)
{
    const wsr__chunk_params *const o = node->params;
    const wsr_shape *const dst = &node->dst.desc.shape;
    runs r = {.count = 1, .floats = 1};
    for (int i = 0; i < dst->ndims; i++) {
        *(i < o->axis ? &r.count : &r.floats) *= dst->dims[i];
    }
    r.stride = r.floats * o->count;
    r.from = r.floats * o->index;
    return r;
}

static wsr_status forward(wsr__node *node)
{
    const runs r = runs_of(node);
    for (int64_t i = 0; i < r.count; i++) {
        memcpy(node->dst.data + i * r.floats,
               node->src[0].data + i * r.stride + r.from,
               (size_t)r.floats * sizeof(float));
    }
    return WSR_OK;
}

// The other parts get zeros, unless their gradients are there already.
static wsr_status backward(wsr__node *node)
{
    const runs r = runs_of(node);
    wsr__start_diff(&node->src[0]);
    for (int64_t i = 0; i < r.count; i++) {
        wsr__axpy(node->src[0].diff + i * r.stride + r.from, 1,
                  node->dst.diff + i * r.floats, r.floats);
    }
    return WSR_OK;
}

static const wsr__impl ref = {.name = "ref",
                              .forward = forward,
                              .backward = backward,
                              .accumulates = true};

static const wsr__impl *const impls[] = {&ref, NULL};

const wsr__op_class wsr__op_chunk = {
    .super = {"chunk", "one of several equal parts", "", schema,
              sizeof(wsr__chunk_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, ...)",
    .result = "as src, with 1 / count of the elements along the axis",
    .infer = infer,
    .impls = impls,
    .piecewise_linear = 1u,
};
