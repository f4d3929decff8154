// SPDX-License-Identifier: Apache-2.0
//
// Largest value over height and width: (n, c, h, w) to (n, c). With `height`
// and `width` only the first rows and columns count, which is the first window
// of a pool that has no second. The gradient goes to the first pixel that has
// the largest value, as in PyTorch.

#include "op/params.h"

#include <math.h>
#include <stddef.h>

static const wsr__option schema[] = {
    {"height", WSR__INT, offsetof(wsr__global_max_pool_params, height), "0", 0,
     1 << 30, "pixels", "first rows, which alone count; 0: all", NULL},
    {"width", WSR__INT, offsetof(wsr__global_max_pool_params, width), "0", 0,
     1 << 30, "pixels", "first columns, which alone count; 0: all", NULL},
    {0},
};

static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)n;
    const wsr__global_max_pool_params *const o = params;
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__op_ndims(&srcs[0], 4));
    if (o->height > srcs[0].dims[2] || o->width > srcs[0].dims[3]) {
        return wsr__op_shape_fail("source must be as large as the window",
                                  &srcs[0]);
    }
    *dst = wsr__shape2(srcs[0].dims[0], srcs[0].dims[1]);
out:
    return status;
}

// Channel c of an image: pixels lie `step` floats apart, from `at` on.
typedef struct window {
    int64_t rows;
    int64_t columns;
    int64_t pitch; // of rows, floats
    int64_t step;
    int64_t at;
} window;

static window window_of(const wsr__node *node, int64_t i)
{
    const wsr__global_max_pool_params *const o = node->params;
    const wsr__desc *const src = &node->src[0].desc;
    const int64_t *const d = src->shape.dims;
    const int64_t step = src->layout == WSR__BLOCKED ? WSR__BLOCK : 1;
    const int64_t c = i % d[1];
    return (window){.rows = o->height != 0 ? o->height : d[2],
                    .columns = o->width != 0 ? o->width : d[3],
                    .pitch = d[3] * step,
                    .step = step,
                    .at = i / d[1] * wsr__row_floats(src) +
                          c / step * step * d[2] * d[3] + c % step};
}

// Whether x takes the place of the largest so far; a NaN does and stays.
static bool exceeds(float x, float most)
{
    return x > most || (isnan(x) && !isnan(most));
}

// Where the first of the largest values lies.
static int64_t largest(const float *src, const window *w)
{
    int64_t at = w->at;
    for (int64_t y = 0; y < w->rows; y++) {
        for (int64_t x = 0; x < w->columns; x++) {
            const int64_t here = w->at + y * w->pitch + x * w->step;
            at = exceeds(src[here], src[at]) ? here : at;
        }
    }
    return at;
}

// Channels of all images.
static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    for (int64_t i = begin; i < end; i++) {
        const window w = window_of(node, i);
        node->dst.data[i] = node->src[0].data[largest(node->src[0].data, &w)];
    }
}

static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    for (int64_t i = begin; i < end; i++) {
        const window w = window_of(node, i);
        node->src[0].diff[largest(node->src[0].data, &w)] += node->dst.diff[i];
    }
}

static int64_t plane_of(const wsr__node *node)
{
    const int64_t *const d = node->src[0].desc.shape.dims;
    return d[2] * d[3];
}

static wsr_status forward(wsr__node *node)
{
    wsr__share(wsr__dst_floats(node), plane_of(node), forward_share, node);
    return WSR_OK;
}

static wsr_status backward(wsr__node *node)
{
    wsr__start_diff(&node->src[0]);
    wsr__share(wsr__dst_floats(node), plane_of(node), backward_share, node);
    return WSR_OK;
}

// The image as its producer has it.
static void layout(wsr__node *node)
{
    node->dst.desc.layout = WSR__PLAIN;
}

static uint32_t needs(const wsr__node *node)
{
    (void)node;
    return 1u;
}

static const wsr__impl ref = {.name = "ref",
                              .layout = layout,
                              .needs = needs,
                              .forward = forward,
                              .backward = backward,
                              .accumulates = true};

static const wsr__impl *const impls[] = {&ref, NULL};

const wsr__op_class wsr__op_global_max_pool = {
    .super = {"global_max_pool", "largest value over height and width", "",
              schema, sizeof(wsr__global_max_pool_params)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, c, h, w)",
    .result = "(n, c)",
    .infer = infer,
    .impls = impls,
    .piecewise_linear = 1u,
};
