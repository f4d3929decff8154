// SPDX-License-Identifier: Apache-2.0
//
// Matrix products: a (b, m, k) times b (b, k, n) for each of a batch, or one
// product of a (n, k) and b (k, m), where the rows of a are the batch and b is
// a parameter. Either side may be transposed, except that the two-dimensional
// a may not: that would mix samples.
//
//   dst = a b,   diff_a = diff_dst b^T,   diff_b = a^T diff_dst

#include "op/op.h"

#include <stddef.h>

typedef struct matmul_params {
    bool transpose_a;
    bool transpose_b;
} matmul_params;

static const wsr__option schema[] = {
    {"transpose_a", WSR__BOOL, offsetof(matmul_params, transpose_a), "false", 0,
     0, "", "use the last two axes of a exchanged", NULL},
    {"transpose_b", WSR__BOOL, offsetof(matmul_params, transpose_b), "false", 0,
     0, "", "use the last two axes of b exchanged", NULL},
    {0},
};

static wsr_status fail(const wsr_shape *a, const wsr_shape *b, const char *what)
{
    char first[96];
    char second[96];
    wsr__shape_print(first, a);
    wsr__shape_print(second, b);
    return WSR_FAIL(WSR_SHAPE, "%s: %s and %s", what, first, second);
}

// Sizes are read as they lie in memory and then exchanged where a side is
// transposed.
static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)n;
    const matmul_params *const o = params;
    const wsr_shape *const a = &srcs[0];
    const wsr_shape *const b = &srcs[1];
    const int d = a->ndims;
    if (b->ndims != d || (d != 2 && d != 3)) {
        return fail(a, b, "sources must both have 2 or both 3 dimensions");
    }
    if (d == 2 && o->transpose_a) {
        return fail(a, b, "transposing the batch would mix samples");
    }
    if (d == 3 && a->dims[0] != b->dims[0]) {
        return fail(a, b, "sources must have the same batch");
    }
    if (a->dims[d - (o->transpose_a ? 2 : 1)] !=
        b->dims[d - (o->transpose_b ? 1 : 2)]) {
        return fail(a, b, "inner sizes must be the same");
    }
    *dst = *a;
    dst->dims[d - 2] = a->dims[d - (o->transpose_a ? 1 : 2)];
    dst->dims[d - 1] = b->dims[d - (o->transpose_b ? 2 : 1)];
    return WSR_OK;
}

// The gradient of either side is a product with the other.
static uint32_t needs(const wsr__node *node)
{
    return (node->src[1].want_diff ? 1u : 0u) |
           (node->src[0].want_diff ? 2u : 0u);
}

// Two-dimensional sources are one product.
static int64_t batch_of(const wsr__node *node)
{
    const wsr_shape *const dst = &node->dst.desc.shape;
    return dst->ndims == 3 ? dst->dims[0] : 1;
}

// Matrix number `at` of a tensor.
static wsr__matrix matrix(float *data, const wsr_shape *shape, bool transposed,
                          int64_t at)
{
    const int64_t rows = shape->dims[shape->ndims - 2];
    const int64_t cols = shape->dims[shape->ndims - 1];
    return (wsr__matrix){.data = data + at * rows * cols,
                         .rows = rows,
                         .cols = cols,
                         .transposed = transposed};
}

// A product of matrices of this node. The two implementations differ in this
// function alone.
typedef wsr_status (*product)(const wsr__matrix *c, const wsr__matrix *a,
                              const wsr__matrix *b, bool accumulate);

// A (b, m, k), B (b, k, n) and C (b, m, n) are plain, one matrix behind the
// other.
static wsr_status forward_with(wsr__node *node, product multiply)
{
    const matmul_params *const o = node->params;
    wsr_status status = WSR_OK;
    for (int64_t i = 0; i < batch_of(node); i++) {
        const wsr__matrix a = matrix(
            node->src[0].data, &node->src[0].desc.shape, o->transpose_a, i);
        const wsr__matrix b = matrix(
            node->src[1].data, &node->src[1].desc.shape, o->transpose_b, i);
        const wsr__matrix c =
            matrix(node->dst.data, &node->dst.desc.shape, false, i);
        WSR_TRY(multiply(&c, &a, &b, false));
    }
out:
    return status;
}

// With op(a) = a^T the gradient is that of a^T, transposed; b alike.
static wsr_status backward_a(wsr__node *node, int64_t i, product multiply)
{
    const matmul_params *const o = node->params;
    wsr__arg *const a = &node->src[0];
    wsr__arg *const b = &node->src[1];
    const wsr__matrix da = matrix(a->diff, &a->desc.shape, false, i);
    const wsr__matrix dc =
        matrix(node->dst.diff, &node->dst.desc.shape, o->transpose_a, i);
    const wsr__matrix other =
        matrix(b->data, &b->desc.shape, o->transpose_a == o->transpose_b, i);
    return o->transpose_a ? multiply(&da, &other, &dc, a->accumulate)
                          : multiply(&da, &dc, &other, a->accumulate);
}

// If op(b) = b^T, diff_b is (op(a)^T dc)^T = dc^T op(a).
static wsr_status backward_b(wsr__node *node, int64_t i, product multiply)
{
    const matmul_params *const o = node->params;
    wsr__arg *const a = &node->src[0];
    wsr__arg *const b = &node->src[1];
    const wsr__matrix db = matrix(b->diff, &b->desc.shape, false, i);
    const wsr__matrix dc =
        matrix(node->dst.diff, &node->dst.desc.shape, o->transpose_b, i);
    const wsr__matrix other =
        matrix(a->data, &a->desc.shape, o->transpose_a == o->transpose_b, i);
    return o->transpose_b ? multiply(&db, &dc, &other, b->accumulate)
                          : multiply(&db, &other, &dc, b->accumulate);
}

// Sample i of a batch has matrices of its own; a two-dimensional b is shared by
// all rows, whose gradients the one product sums.
static wsr_status backward_with(wsr__node *node, product multiply)
{
    wsr_status status = WSR_OK;
    for (int64_t i = 0; i < batch_of(node); i++) {
        if (node->src[0].want_diff) {
            WSR_TRY(backward_a(node, i, multiply));
        }
        if (node->src[1].want_diff) {
            WSR_TRY(backward_b(node, i, multiply));
        }
    }
out:
    return status;
}

// The definition.
static wsr_status multiply_plain(const wsr__matrix *c, const wsr__matrix *a,
                                 const wsr__matrix *b, bool accumulate)
{
    const int64_t k = a->transposed ? a->rows : a->cols;
    const int64_t a_row = a->transposed ? 1 : a->cols;
    const int64_t a_col = a->transposed ? a->cols : 1;
    const int64_t b_row = b->transposed ? 1 : b->cols;
    const int64_t b_col = b->transposed ? b->cols : 1;
    for (int64_t i = 0; i < c->rows; i++) {
        for (int64_t j = 0; j < c->cols; j++) {
            float *const out = &c->data[i * c->cols + j];
            double sum = accumulate ? (double)*out : 0;
            for (int64_t l = 0; l < k; l++) {
                sum += (double)a->data[i * a_row + l * a_col] *
                       (double)b->data[l * b_row + j * b_col];
            }
            *out = (float)sum;
        }
    }
    return WSR_OK;
}

static wsr_status forward(wsr__node *node)
{
    return forward_with(node, multiply_plain);
}

static wsr_status backward(wsr__node *node)
{
    return backward_with(node, multiply_plain);
}

static const wsr__impl ref = {
    .name = "ref",
    .needs = needs,
    .forward = forward,
    .backward = backward,
    .accumulates = true,
};

static wsr_status forward_dnnl(wsr__node *node)
{
    return forward_with(node, wsr__gemm);
}

static wsr_status backward_dnnl(wsr__node *node)
{
    return backward_with(node, wsr__gemm);
}

static const wsr__impl dnnl = {
    .name = "dnnl",
    .needs = needs,
    .forward = forward_dnnl,
    .backward = backward_dnnl,
    .accumulates = true,
};

static const wsr__impl *const impls[] = {&dnnl, &ref, NULL};

const wsr__op_class wsr__op_matmul = {
    .super = {"matmul", "matrix product, per sample or by a parameter", "",
              schema, sizeof(matmul_params)},
    .min_srcs = 2,
    .max_srcs = 2,
    .sources = "a (n, k) or (b, m, k), b (k, m) or (b, k, n)",
    .result = "(n, m) or (b, m, n)",
    .infer = infer,
    .impls = impls,
};
