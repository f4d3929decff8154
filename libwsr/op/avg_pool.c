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
static double divisor(const wsr__pool_window *w)
{
    return w->count_pad ? (double)(w->rows.counted * w->columns.counted)
                        : (double)((w->rows.last - w->rows.first + 1) *
                                   (w->columns.last - w->columns.first + 1));
}

static float mean(const float *x, const wsr__pool_window *w)
{
    double sum = 0;
    for (int64_t r = w->rows.first; r <= w->rows.last; r++) {
        for (int64_t c = w->columns.first; c <= w->columns.last; c++) {
            sum += (double)x[r * w->width + c];
        }
    }
    return (float)(sum / divisor(w));
}

// Every pixel inside the window gets the same share.
static void spread(float *dx, float dy, const float *x,
                   const wsr__pool_window *w)
{
    (void)x;
    const float share = (float)((double)dy / divisor(w));
    for (int64_t r = w->rows.first; r <= w->rows.last; r++) {
        for (int64_t c = w->columns.first; c <= w->columns.last; c++) {
            dx[r * w->width + c] += share;
        }
    }
}

static const wsr__pool_function function = {mean, spread};

static wsr_status forward_ref(wsr__node *node)
{
    return wsr__pool_windows_forward(node, &function);
}

static wsr_status backward_ref(wsr__node *node)
{
    return wsr__pool_windows_backward(node, &function);
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
