// SPDX-License-Identifier: Apache-2.0
//
// Sum of equal shapes, any number of them, in one pass: a node of a cell. Two
// sources may also have shapes that are broadcast. The gradient of each summand
// is that of the sum.

#include "op/broadcast.h"

#include <string.h>

enum { MOST = 64 };

// Dense; callers put in the batch strides of the tensors at hand.
static wsr__dims dims_of(const wsr__node *node)
{
    const int64_t *const d = node->dst.desc.shape.dims;
    return (wsr__dims){.n = d[0], .c = d[1], .h = d[2], .w = d[3]};
}

// Summands that a norm or a relu is still to be applied to, and views.
static void forward_blocked(const wsr__node *node)
{
    wsr__dims d = dims_of(node);
    wsr__summand summands[MOST];
    for (size_t i = 0; i < node->n; i++) {
        const wsr__arg *const src = &node->src[i];
        summands[i] = (wsr__summand){src->data, src->batch_stride, src->pre};
    }
    d.dst_batch_stride = node->dst.batch_stride;
    wsr__bn_apply_sum(node->dst.data, &d, summands, node->n);
}

// The sum starts at source 0 and goes in the order of the sources: the bits do
// not depend on the layout.
static wsr_status forward(wsr__node *node)
{
    if (node->dst.desc.layout == WSR__BLOCKED) {
        forward_blocked(node);
        return WSR_OK;
    }
    const float *srcs[MOST];
    for (size_t i = 0; i < node->n; i++) {
        srcs[i] = node->src[i].data;
    }
    wsr__sum(node->dst.data, srcs, NULL, node->n, wsr__dst_floats(node));
    return WSR_OK;
}

// The sums that norms need of the gradient they share.
static void fill_sums(const wsr__node *node)
{
    wsr__dims d = dims_of(node);
    wsr__reduction many[MOST];
    size_t count = 0;
    for (size_t i = 0; i < node->n; i++) {
        const wsr__relu_mask *const mask = node->src[i].relu_mask;
        if (mask != NULL && mask->sums != NULL) {
            many[count++] = (wsr__reduction){mask->sums, mask->src, mask->mean};
        }
    }
    d.dst_batch_stride = node->dst.diff_batch_stride;
    if (count > 0) {
        wsr__bn_reduce(&d, node->dst.diff, many, count);
    }
}

// The gradient of a deferred summand is that of what it stands for, which the
// norm behind it takes on; there is no relu between them, see skips_relu_mask.
static wsr_status backward(wsr__node *node)
{
    const int64_t n = wsr__dst_floats(node);
    fill_sums(node);
    for (size_t i = 0; i < node->n; i++) {
        const wsr__arg *const src = &node->src[i];
        // A plan may give a summand the gradient of the sum itself
        // (shares_diff).
        if (!src->want_diff || src->diff == node->dst.diff) {
            continue;
        }
        if (node->dst.desc.layout == WSR__BLOCKED) {
            wsr__dims d = dims_of(node);
            d.src_batch_stride = node->dst.diff_batch_stride;
            d.dst_batch_stride = src->diff_batch_stride;
            wsr__scale_images(src->diff, &d, node->dst.diff, NULL,
                              src->accumulate);
        } else if (src->accumulate) {
            wsr__axpy(src->diff, 1, node->dst.diff, n);
        } else {
            wsr__scale(src->diff, 1, node->dst.diff, n);
        }
    }
    return WSR_OK;
}

// Blocked as soon as one source is.
static void layout(wsr__node *node)
{
    wsr__layout common = WSR__PLAIN;
    for (size_t i = 0; i < node->n; i++) {
        if (node->src[i].desc.layout == WSR__BLOCKED) {
            common = WSR__BLOCKED;
        }
    }
    for (size_t i = 0; i < node->n; i++) {
        node->src[i].desc.layout = common;
    }
    node->dst.desc.layout = common;
}

static const wsr__impl native = {.name = "native",
                                 .applicable = wsr__broadcast_same,
                                 .layout = layout,
                                 .forward = forward,
                                 .backward = backward,
                                 .accumulates = true,
                                 .fusion = {.reads_pre = WSR__ALL_SRCS,
                                            .skips_relu_mask = true,
                                            .src_views = true,
                                            .dst_views = true,
                                            .shares_diff = true}};

// Plain tensors; sums in double.
static wsr_status forward_ref(wsr__node *node)
{
    if (!wsr__broadcast_same(node)) {
        return wsr__broadcast_ref.forward(node);
    }
    const int64_t n = wsr__dst_floats(node);
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t j = 0; j < node->n; j++) {
            sum += (double)node->src[j].data[i];
        }
        node->dst.data[i] = (float)sum;
    }
    return WSR_OK;
}

static wsr_status backward_ref(wsr__node *node)
{
    if (!wsr__broadcast_same(node)) {
        return wsr__broadcast_ref.backward(node);
    }
    const size_t bytes = (size_t)wsr__dst_floats(node) * sizeof(float);
    for (size_t i = 0; i < node->n; i++) {
        if (node->src[i].want_diff) {
            memcpy(node->src[i].diff, node->dst.diff, bytes);
        }
    }
    return WSR_OK;
}

static wsr_status plan_ref(wsr__node *node)
{
    return wsr__broadcast_same(node) ? WSR_OK : wsr__broadcast_ref.plan(node);
}

static const wsr__impl ref = {.name = "ref",
                              .plan = plan_ref,
                              .forward = forward_ref,
                              .backward = backward_ref};

static double value(double a, double b)
{
    return a + b;
}

static double slope(double x, double other)
{
    (void)x;
    (void)other;
    return 1;
}

// For shapes that differ.
static void plus(float *y, const float *a, const float *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = a[i] + b[i];
    }
}

static void pass(float *dx, const float *dy, const float *x, const float *other,
                 int64_t n)
{
    (void)x;
    (void)other;
    for (int64_t i = 0; i < n; i++) {
        dx[i] = dy[i];
    }
}

static const wsr__binary function = {
    .value = value,
    .slope = {slope, slope},
    .forward = plus,
    .backward = {pass, pass},
    .keeps_zero = true,
};

// Only two sources are broadcast.
static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    return n == 2 ? wsr__broadcast_infer(dst, params, srcs, n)
                  : wsr__infer_same(dst, params, srcs, n);
}

static const wsr__impl *const impls[] = {&native, &wsr__broadcast_native, &ref,
                                         NULL};

const wsr__op_class wsr__op_add = {
    .super = {"add", "sum, of two with broadcasting", "", NULL, 0},
    .min_srcs = 1,
    .max_srcs = MOST,
    .sources = "src (n, ...), ... all of one shape, or two broadcast",
    .result = "shape of all together",
    .infer = infer,
    .impls = impls,
    .binary = &function,
    .piecewise_linear = WSR__ALL_SRCS,
};
