// SPDX-License-Identifier: Apache-2.0
//
// Mean of each window, over the taps inside the source or, with count_pad, over
// all of them with zeros outside. What ceil_mode lets reach beyond the border
// never counts, as in PyTorch.

#include "op/pool_window.h"

#include <stddef.h>

static const wsr__option schema[] = {
    WSR__POOL_OPTIONS,
    {"count_pad", WSR__BOOL, offsetof(wsr__pool2d, count_pad), "false", 0, 0,
     "", "divide by the whole window at the border too", NULL},
    {0},
};

// Moments are those of the batch norm behind, summed while a plane is in the
// cache; NULL if nobody wants them.
static wsr_status forward(wsr__node *node)
{
    const wsr__pool p = wsr__pool2d_shape(node, false);
    wsr__avg_pool_forward(node->dst.data, &p, node->src[0].data,
                          node->dst.moments);
    return WSR_OK;
}

// The gradient depends on no tensor of forward, so the op needs none.
static wsr_status backward(wsr__node *node)
{
    const wsr__pool p = wsr__pool2d_shape(node, true);
    wsr__avg_pool_backward(node->src[0].diff, &p, node->dst.diff,
                           node->dst.affine, node->src[0].accumulate);
    return WSR_OK;
}

static const wsr__impl native = {.name = "native",
                                 .applicable = wsr__pool2d_is_square,
                                 .layout = wsr__layout_blocked,
                                 .forward = forward,
                                 .backward = backward,
                                 .accumulates = true,
                                 .fusion = {.reads_affine = true,
                                            .writes_moments = true,
                                            .src_views = true,
                                            .dst_views = true}};

// What the sum over a window is divided by.
static double divisor(const wsr__pool_window *p, const wsr__taps *rows,
                      const wsr__taps *columns)
{
    return p->count_pad ? (double)(rows->counted * columns->counted)
                        : (double)((rows->last - rows->first + 1) *
                                   (columns->last - columns->first + 1));
}

// Sum of a window of a plane of `width` columns.
static double sum_of(const float *x, const wsr__taps *rows,
                     const wsr__taps *columns, int64_t width)
{
    double sum = 0;
    for (int64_t r = rows->first; r <= rows->last; r++) {
        for (int64_t c = columns->first; c <= columns->last; c++) {
            sum += (double)x[r * width + c];
        }
    }
    return sum;
}

// Adds a number to each pixel of a window.
static void add_to(float *dx, float share, const wsr__taps *rows,
                   const wsr__taps *columns, int64_t width)
{
    for (int64_t r = rows->first; r <= rows->last; r++) {
        for (int64_t c = columns->first; c <= columns->last; c++) {
            dx[r * width + c] += share;
        }
    }
}

// Planes [begin, end).
static void forward_planes(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const wsr__pool_window p = wsr__pool_window_of(node);
    float *y = node->dst.data + begin * p.h.out * p.w.out;
    for (int64_t k = begin; k < end; k++) {
        const float *const x = node->src[0].data + k * p.h.size * p.w.size;
        for (int64_t i = 0; i < p.h.out * p.w.out; i++, y++) {
            const wsr__taps rows = wsr__taps_of(&p.h, i / p.w.out);
            const wsr__taps columns = wsr__taps_of(&p.w, i % p.w.out);
            const double sum = sum_of(x, &rows, &columns, p.w.size);
            *y = (float)(sum / divisor(&p, &rows, &columns));
        }
    }
}

// Every pixel inside the window gets the same share.
static void backward_planes(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const wsr__pool_window p = wsr__pool_window_of(node);
    const float *dy = node->dst.diff + begin * p.h.out * p.w.out;
    for (int64_t k = begin; k < end; k++) {
        float *const dx = node->src[0].diff + k * p.h.size * p.w.size;
        for (int64_t i = 0; i < p.h.out * p.w.out; i++, dy++) {
            const wsr__taps rows = wsr__taps_of(&p.h, i / p.w.out);
            const wsr__taps columns = wsr__taps_of(&p.w, i % p.w.out);
            const double whole = divisor(&p, &rows, &columns);
            const float share = (float)((double)*dy / whole);
            add_to(dx, share, &rows, &columns, p.w.size);
        }
    }
}

static wsr_status forward_ref(wsr__node *node)
{
    return wsr__pool_planes(node, forward_planes);
}

static wsr_status backward_ref(wsr__node *node)
{
    wsr__start_diff(&node->src[0]);
    return wsr__pool_planes(node, backward_planes);
}

// Any window, of plain images.
static const wsr__impl ref = {.name = "ref",
                              .forward = forward_ref,
                              .backward = backward_ref,
                              .accumulates = true};

static const wsr__impl *const impls[] = {&native, &ref, NULL};

const wsr__op_class wsr__op_avg_pool = {
    .super = {"avg_pool", "mean of each window", "", schema,
              sizeof(wsr__pool2d)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, c, h, w)",
    .result = "(n, c, oh, ow), oh = (h + 2 pad - kernel) / stride + 1",
    .infer = wsr__pool2d_infer,
    .impls = impls,
    .piecewise_linear = 1u,
};
