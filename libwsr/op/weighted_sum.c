// SPDX-License-Identifier: Apache-2.0
//
// Weighted sum of tensors f_0 .. f_{m-1}, all (n, ...), with a weight per
// sample and tensor, coef (n, m), the last source:
//
//   dst[r] = sum_i coef[r, i] * f_i[r]
//   df_i[r] = coef[r, i] * dy[r],   dcoef[r, i] = <dy[r], f_i[r]>
//
// Zeros stay zeros, so any layout will do.

#include "op/op.h"

enum { MOST = 31 };

static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    const size_t m = n - 1;
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__infer_same(dst, params, srcs, m));
    if (srcs[m].ndims != 2 || srcs[m].dims[0] != dst->dims[0] ||
        srcs[m].dims[1] != (int64_t)m) {
        char text[96];
        wsr__shape_print(text, &srcs[m]);
        return WSR_FAIL(WSR_SHAPE,
                        "weights must have shape (%lld, %zu), not %s",
                        (long long)dst->dims[0], m, text);
    }
out:
    return status;
}

// A gradient of a weight needs the tensor, that of a tensor the weight.
static uint32_t needs(const wsr__node *node)
{
    const size_t m = node->n - 1;
    uint32_t mask = 0;
    for (size_t i = 0; i < m; i++) {
        mask |= node->src[i].want_diff ? 1u << m : 0u;
        mask |= node->src[m].want_diff ? 1u << i : 0u;
    }
    return mask;
}

// The first tensor starts the sum: dst may hold its memory (in_place).
static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const size_t m = node->n - 1;
    const int64_t k = wsr__row_floats(&node->dst.desc);
    for (int64_t r = begin; r < end; r++) {
        const float *const coef = node->src[m].data + r * (int64_t)m;
        float *const y = node->dst.data + r * k;
        for (size_t i = 0; i < m; i++) {
            const float *const f = node->src[i].data + r * k;
            wsr__scale_into(y, i > 0, coef[i], f, k);
        }
    }
}

// Tensor i, sample r. A weight of 0 gives zeros, not nothing.
static void backward_tensor(const wsr__node *node, size_t i, int64_t r)
{
    const size_t m = node->n - 1;
    const int64_t k = wsr__row_floats(&node->dst.desc);
    wsr__scale_into(node->src[i].diff + r * k, node->src[i].accumulate,
                    node->src[m].data[r * (int64_t)m + (int64_t)i],
                    node->dst.diff + r * k, k);
}

// One inner product for each sample and tensor, summed in double.
static void backward_coef(const wsr__node *node, size_t i, int64_t r)
{
    const size_t m = node->n - 1;
    const int64_t k = wsr__row_floats(&node->dst.desc);
    const float *const dy = node->dst.diff + r * k;
    const float *const f = node->src[i].data + r * k;
    float *const dc = &node->src[m].diff[r * (int64_t)m + (int64_t)i];
    *dc = (node->src[m].accumulate ? *dc : 0.0f) + (float)wsr__dot(dy, f, k);
}

static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const size_t m = node->n - 1;
    for (int64_t r = begin; r < end; r++) {
        for (size_t i = 0; i < m; i++) {
            if (node->src[i].want_diff) {
                backward_tensor(node, i, r);
            }
            if (node->src[m].want_diff) {
                backward_coef(node, i, r);
            }
        }
    }
}

// A sample is the work of one thread; the order of its summands is fixed, so
// its bits are as well.
static void share_rows(wsr__node *node, wsr__body body)
{
    wsr__share(node->dst.desc.shape.dims[0],
               (int64_t)node->n * wsr__row_floats(&node->dst.desc), body, node);
}

static wsr_status forward(wsr__node *node)
{
    share_rows(node, forward_share);
    return WSR_OK;
}

static wsr_status backward(wsr__node *node)
{
    share_rows(node, backward_share);
    return WSR_OK;
}

// The same with vectors: all tensors in one pass.
static void native_forward_share(void *ctx, int64_t begin, int64_t end,
                                 size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    const size_t m = node->n - 1;
    const int64_t k = wsr__row_floats(&node->dst.desc);
    for (int64_t r = begin; r < end; r++) {
        const float *srcs[MOST];
        for (size_t i = 0; i < m; i++) {
            srcs[i] = node->src[i].data + r * k;
        }
        wsr__sum(node->dst.data + r * k, srcs,
                 node->src[m].data + r * (int64_t)m, m, k);
    }
}

static void native_backward_row(const wsr__node *node, size_t i, int64_t r)
{
    const int64_t k = wsr__row_floats(&node->dst.desc);
    const wsr__arg *const src = &node->src[i];
    const wsr__arg *const coef = &node->src[node->n - 1];
    const float *const dy = node->dst.diff + r * k;
    const int64_t at = r * ((int64_t)node->n - 1) + (int64_t)i;
    if (src->want_diff) {
        (src->accumulate ? wsr__axpy : wsr__scale)(src->diff + r * k,
                                                   coef->data[at], dy, k);
    }
    if (coef->want_diff) {
        double inner;
        wsr__inner_product(&inner, dy, src->data + r * k, k);
        coef->diff[at] = (coef->accumulate ? coef->diff[at] : 0.0f) +
                         (float)inner;
    }
}

static void native_backward_share(void *ctx, int64_t begin, int64_t end,
                                  size_t part)
{
    (void)part;
    const wsr__node *const node = ctx;
    for (int64_t r = begin; r < end; r++) {
        for (size_t i = 0; i + 1 < node->n; i++) {
            native_backward_row(node, i, r);
        }
    }
}

static wsr_status native_forward(wsr__node *node)
{
    share_rows(node, native_forward_share);
    return WSR_OK;
}

static wsr_status native_backward(wsr__node *node)
{
    share_rows(node, native_backward_share);
    return WSR_OK;
}

static const wsr__impl native = {
    .name = "native",
    .layout = wsr__layout_same,
    .needs = needs,
    .forward = native_forward,
    .backward = native_backward,
    .accumulates = true,
    .in_place = true,
};

static const wsr__impl ref = {
    .name = "ref",
    .layout = wsr__layout_same,
    .needs = needs,
    .forward = forward,
    .backward = backward,
    .accumulates = true,
    .in_place = true,
};

static const wsr__impl *const impls[] = {&native, &ref, NULL};

const wsr__op_class wsr__op_weighted_sum = {
    .super = {"weighted_sum", "sum of tensors weighted per sample", "", NULL,
              0},
    .min_srcs = 2,
    .max_srcs = MOST,
    .sources = "src (n, ...), ... m of one shape, weights (n, m)",
    .result = "as src",
    .infer = infer,
    .impls = impls,
};
