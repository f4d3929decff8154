// SPDX-License-Identifier: Apache-2.0
//
// The table of ops, and functions that op files share: shape and layout rules,
// options of native kernels, and loops over elements, which run on several
// threads only if there is enough work.

#include "op/op.h"

#include <string.h>

#define WSR_REG(family, name) &wsr__op_##name.super,
static const wsr__class *const classes[] = {
#include "op/ops.def"
    NULL,
};
#undef WSR_REG

const wsr__family wsr__ops = {"op", classes};

// A class of the family begins with its wsr__class, hence the cast.
wsr_status wsr__op_find(const wsr__op_class **out, const char *name)
{
    const wsr__class *cls = NULL;
    const wsr_status status = wsr__class_find(&cls, &wsr__ops, name);
    *out = (const wsr__op_class *)cls;
    return status;
}

wsr_status wsr__op_shape_fail(const char *what, const wsr_shape *shape)
{
    char text[96];
    wsr__shape_print(text, shape);
    return WSR_FAIL(WSR_SHAPE, "%s, not %s", what, text);
}

wsr_status wsr__op_ndims(const wsr_shape *shape, int ndims)
{
    if (shape->ndims == ndims) {
        return WSR_OK;
    }
    char text[96];
    wsr__shape_print(text, shape);
    return WSR_FAIL(WSR_SHAPE, "source must have %d dimensions, not %s", ndims,
                    text);
}

// The detail names the first source whose shape differs from source 0's.
wsr_status wsr__infer_same(wsr_shape *dst, const void *params,
                           const wsr_shape *srcs, size_t n)
{
    (void)params;
    *dst = srcs[0];
    for (size_t i = 1; i < n; i++) {
        if (!wsr_shape_equal(&srcs[i], dst)) {
            char a[96];
            char b[96];
            wsr__shape_print(a, dst);
            wsr__shape_print(b, &srcs[i]);
            return WSR_FAIL(WSR_SHAPE, "source %zu has shape %s, source 0 %s",
                            i, b, a);
        }
    }
    return WSR_OK;
}

wsr_status wsr__infer_per_sample(wsr_shape *dst, const wsr_shape *srcs,
                                 const char *what)
{
    if (srcs[1].dims[0] != srcs[0].dims[0] ||
        wsr_shape_count(&srcs[1]) != srcs[0].dims[0]) {
        return wsr__op_shape_fail(what, &srcs[1]);
    }
    *dst = srcs[0];
    return WSR_OK;
}

// Sources that are no images have one layout only.
void wsr__layout_same(wsr__node *node)
{
    const wsr__layout layout = node->src[0].desc.layout;
    for (size_t i = 1; i < node->n; i++) {
        if (node->src[i].desc.shape.ndims == 4) {
            node->src[i].desc.layout = layout;
        }
    }
    node->dst.desc.layout = layout;
}

// Weights, statistics and other further sources stay plain.
void wsr__layout_blocked(wsr__node *node)
{
    for (size_t i = 1; i < node->n; i++) {
        node->src[i].desc.layout = WSR__PLAIN;
    }
    node->src[0].desc.layout = WSR__BLOCKED;
    node->dst.desc.layout = WSR__BLOCKED;
}

// A norm that is folded into the weights leaves its shift, which becomes the
// bias; its scale is in the packed weights (wsr__node_factor).
wsr__fwd wsr__node_fwd(const wsr__node *node)
{
    return (wsr__fwd){
        .pre = node->src[0].pre,
        .bias = node->fold == NULL ? NULL : node->fold->deferred->pre[0].shift,
        .moments = node->dst.moments};
}

void wsr__node_refold(const wsr__node *node)
{
    if (node->fold != NULL) {
        node->fold->impl->fusion.refold(node->fold);
    }
}

const float *wsr__node_factor(const wsr__node *node)
{
    return node->fold == NULL ? NULL : node->fold->deferred->pre[0].scale;
}

// What a kernel of backward data needs: how to read diff_dst through a deferred
// norm behind it, and the mask of a deferred relu in front of it.
wsr__bwd wsr__node_bwd(const wsr__node *node)
{
    return (wsr__bwd){.affine = node->dst.affine,
                      .relu_mask = node->src[0].relu_mask,
                      .accumulate = node->src[0].accumulate};
}

wsr__wgrad wsr__node_wgrad(const wsr__node *node, float *scratch)
{
    return (wsr__wgrad){.pre = node->src[0].pre,
                        .affine = node->dst.affine,
                        .scratch = scratch};
}

// Kernels that add to packed or blocked gradients start from zeros.
void wsr__start_diff(const wsr__arg *arg)
{
    if (arg->want_diff && !arg->accumulate) {
        memset(arg->diff, 0,
               (size_t)wsr__desc_floats(&arg->desc) * sizeof(float));
    }
}

int64_t wsr__dst_floats(const wsr__node *node)
{
    return wsr__desc_floats(&node->dst.desc);
}

int64_t wsr__src_floats(const wsr__node *node, size_t i)
{
    return wsr__desc_floats(&node->src[i].desc);
}

// Padding included: a blocked image holds whole channel blocks.
int64_t wsr__row_floats(const wsr__desc *desc)
{
    return wsr__desc_floats(desc) / desc->shape.dims[0];
}

void wsr__share(int64_t n, int64_t floats, wsr__body body, void *ctx)
{
    // Waking the threads costs about as much as touching so many floats.
    enum { WORTH = 16384 };
    if (n > 0 && n * floats < WORTH) {
        body(ctx, 0, n, 0);
    } else {
        wsr__parallel(n, body, ctx);
    }
}

wsr_status wsr__share_elements(wsr__node *node, int64_t cost, wsr__body body)
{
    wsr__share(wsr__dst_floats(node), cost, body, node);
    return WSR_OK;
}

wsr_status wsr__share_samples(wsr__node *node, wsr__body body)
{
    const wsr__desc *const src = &node->src[0].desc;
    wsr__share(src->shape.dims[0], wsr__row_floats(src), body, node);
    return WSR_OK;
}

void wsr__scale_into(float *y, bool add, float a, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = (add ? y[i] : 0.0f) + a * x[i];
    }
}

double wsr__dot(const float *a, const float *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += (double)a[i] * (double)b[i];
    }
    return sum;
}
