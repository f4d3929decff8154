// SPDX-License-Identifier: Apache-2.0
//
// Largest value of each window; padding never wins. The gradient goes to the
// first maximum in row-major order, whose place forward remembers.

#include "op/pool_window.h"

#include <math.h>
#include <stddef.h>

static const wsr__option schema[] = {
    WSR__POOL_OPTIONS,
    {"dilation", WSR__INTS, offsetof(wsr__pool2d, dilation), "1", 1, 4096,
     "pixels", "step between taps: one number, or height and width", NULL},
    {0},
};

// A window has at most 15 x 15 taps, so a tap fits into a byte.
static wsr_status plan(wsr__node *node)
{
    if (node->backward) {
        const size_t bytes = (size_t)wsr__dst_floats(node);
        node->workspace_floats = (bytes + sizeof(float) - 1) / sizeof(float);
    }
    return WSR_OK;
}

// The workspace holds bytes: per number of dst the tap that was the maximum.
static uint8_t *index_of(const wsr__node *node)
{
    return (uint8_t *)node->workspace;
}

static wsr_status forward(wsr__node *node)
{
    const wsr__pool p = wsr__pool2d_shape(node, false);
    wsr__max_pool_forward(node->dst.data, index_of(node), &p, node->src[0].data,
                          node->dst.moments);
    return WSR_OK;
}

// The index is enough: src is not read again.
static wsr_status backward(wsr__node *node)
{
    const wsr__pool p = wsr__pool2d_shape(node, true);
    wsr__max_pool_backward(node->src[0].diff, &p, node->dst.diff,
                           index_of(node), node->dst.affine,
                           node->src[0].accumulate);
    return WSR_OK;
}

// It does not read `pre`: the kernel compares numbers as they lie in memory,
// and a norm of negative scale turns their order round.
static const wsr__impl native = {.name = "native",
                                 .applicable = wsr__pool2d_is_square,
                                 .layout = wsr__layout_blocked,
                                 .plan = plan,
                                 .forward = forward,
                                 .backward = backward,
                                 .accumulates = true,
                                 .fusion = {.reads_affine = true,
                                            .writes_moments = true,
                                            .src_views = true,
                                            .dst_views = true}};

// Offset in the plane of the first maximum, the first NaN if there is one; -1
// for a window without a pixel, which a dilation can make.
static int64_t argmax(const float *x, const wsr__pool_window *w)
{
    int64_t best = -1;
    for (int64_t r = w->rows.first; r <= w->rows.last; r += w->rows.step) {
        for (int64_t c = w->columns.first; c <= w->columns.last;
             c += w->columns.step) {
            const float v = x[r * w->width + c];
            const bool more = best < 0 || v > x[best] || isnan(v);
            if (more && (best < 0 || !isnan(x[best]))) {
                best = r * w->width + c;
            }
        }
    }
    return best;
}

static float most(const float *x, const wsr__pool_window *w)
{
    const int64_t best = argmax(x, w);
    return best < 0 ? -INFINITY : x[best];
}

// Finds the maximum again rather than keep an index.
static void spread(float *dx, float dy, const float *x,
                   const wsr__pool_window *w)
{
    const int64_t best = argmax(x, w);
    if (best >= 0) {
        dx[best] += dy;
    }
}

static const wsr__pool_function function = {most, spread};

static wsr_status forward_ref(wsr__node *node)
{
    return wsr__pool_windows_forward(node, &function);
}

static wsr_status backward_ref(wsr__node *node)
{
    return wsr__pool_windows_backward(node, &function);
}

static uint32_t needs_ref(const wsr__node *node)
{
    (void)node;
    return 1u;
}

// Any window, of plain images.
static const wsr__impl ref = {.name = "ref",
                              .needs = needs_ref,
                              .forward = forward_ref,
                              .backward = backward_ref,
                              .accumulates = true};

static const wsr__impl *const impls[] = {&native, &ref, NULL};

const wsr__op_class wsr__op_max_pool = {
    .super = {"max_pool", "largest value of each window", "", schema,
              sizeof(wsr__pool2d)},
    .min_srcs = 1,
    .max_srcs = 1,
    .sources = "src (n, c, h, w)",
    .result = "(n, c, oh, ow), oh = (h + 2 pad - dilation (kernel - 1) - 1) / "
              "stride + 1",
    .infer = wsr__pool2d_infer,
    .impls = impls,
    .piecewise_linear = 1u,
};
