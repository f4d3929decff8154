// SPDX-License-Identifier: Apache-2.0
//
// Matrix products: a (..., m, k) times b (..., k, n), where the axes in front
// are broadcast as in NumPy. Of two sources of two dimensions, the rows of a
// are the batch and b is a parameter. Either side may be transposed, except
// that such an a may not: that would mix samples.
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

// Axis `i` of those in front of the matrices, counted from the matrices on; 1
// where there is none.
static int64_t front(const wsr_shape *shape, int i)
{
    const int at = shape->ndims - 3 - i;
    return at < 0 ? 1 : shape->dims[at];
}

// The axes in front of the matrices of both together.
static wsr_status infer_front(wsr_shape *dst, const wsr_shape *a,
                              const wsr_shape *b)
{
    *dst = a->ndims >= b->ndims ? *a : *b;
    for (int i = 0; i < dst->ndims - 2; i++) {
        const int64_t da = front(a, i);
        const int64_t db = front(b, i);
        if (da != db && da != 1 && db != 1) {
            return fail(a, b, "sources must have the same batch");
        }
        dst->dims[dst->ndims - 3 - i] = da > db ? da : db;
    }
    return WSR_OK;
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
    if (a->ndims < 2 || b->ndims < 2) {
        return fail(a, b, "sources must have at least 2 dimensions");
    }
    if (a->ndims == 2 && b->ndims == 2 && o->transpose_a) {
        return fail(a, b, "transposing the batch would mix samples");
    }
    if (a->dims[a->ndims - (o->transpose_a ? 2 : 1)] !=
        b->dims[b->ndims - (o->transpose_b ? 1 : 2)]) {
        return fail(a, b, "inner sizes must be the same");
    }
    const wsr_status status = infer_front(dst, a, b);
    dst->dims[dst->ndims - 2] = a->dims[a->ndims - (o->transpose_a ? 1 : 2)];
    dst->dims[dst->ndims - 1] = b->dims[b->ndims - (o->transpose_b ? 2 : 1)];
    return status == WSR_OK ? wsr__shape_check(dst) : status;
}

// The gradient of either side is a product with the other.
static uint32_t needs(const wsr__node *node)
{
    return (node->src[1].want_diff ? 1u : 0u) |
           (node->src[0].want_diff ? 2u : 0u);
}

// Whether all is one product: b is one matrix, and the matrices of a lie below
// each other.
static bool is_one(const wsr__node *node)
{
    const matmul_params *const o = node->params;
    const wsr_shape *const b = &node->src[1].desc.shape;
    int64_t matrices = 1;
    for (int i = 0; i < b->ndims - 2; i++) {
        matrices *= b->dims[i];
    }
    return matrices == 1 && !o->transpose_a;
}

// Products of a node.
static int64_t batch_of(const wsr__node *node)
{
    const wsr_shape *const dst = &node->dst.desc.shape;
    int64_t count = 1;
    for (int i = 0; !is_one(node) && i < dst->ndims - 2; i++) {
        count *= dst->dims[i];
    }
    return count;
}

// Which matrix of a tensor belongs to product `at`. Sets `*repeated` if an
// earlier product has the same.
static int64_t place_of(const wsr__node *node, const wsr_shape *shape,
                        int64_t at, bool *repeated)
{
    int64_t place = 0;
    int64_t stride = 1;
    int64_t left = at;
    *repeated = false;
    for (int i = 0; i < node->dst.desc.shape.ndims - 2; i++) {
        const int64_t size = front(&node->dst.desc.shape, i);
        const int64_t own = front(shape, i);
        *repeated = *repeated || (own < size && left % size > 0);
        place += own < size ? 0 : left % size * stride;
        stride *= own;
        left /= size;
    }
    return place;
}

// The matrix of product `at` of a tensor.
static wsr__matrix matrix(const wsr__node *node, float *data,
                          const wsr_shape *shape, bool transposed, int64_t at)
{
    bool repeated = false;
    const int64_t rows = shape->dims[shape->ndims - 2];
    const int64_t cols = shape->dims[shape->ndims - 1];
    const int64_t place = place_of(node, shape, at, &repeated);
    const bool all = is_one(node) && shape != &node->src[1].desc.shape;
    return (wsr__matrix){.data = data + place * rows * cols,
                         .rows = all ? wsr_shape_count(shape) / cols : rows,
                         .cols = cols,
                         .transposed = transposed};
}

// Whether a gradient is added to what is there.
static bool adds(const wsr__node *node, const wsr__arg *arg, int64_t at)
{
    bool repeated = false;
    (void)place_of(node, &arg->desc.shape, at, &repeated);
    return repeated || arg->accumulate;
}

// A product of matrices of this node. The two implementations differ in this
// function alone.
typedef wsr_status (*product)(const wsr__matrix *c, const wsr__matrix *a,
                              const wsr__matrix *b, bool accumulate);

// Tensors are plain, one matrix behind the other.
static wsr_status forward_with(wsr__node *node, product multiply)
{
    const matmul_params *const o = node->params;
    wsr_status status = WSR_OK;
    for (int64_t i = 0; i < batch_of(node); i++) {
        const wsr__matrix a = matrix(node, node->src[0].data,
                                     &node->src[0].desc.shape, o->transpose_a,
                                     i);
        const wsr__matrix b = matrix(node, node->src[1].data,
                                     &node->src[1].desc.shape, o->transpose_b,
                                     i);
        const wsr__matrix c =
            matrix(node, node->dst.data, &node->dst.desc.shape, false, i);
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
    const wsr__matrix da = matrix(node, a->diff, &a->desc.shape, false, i);
    const wsr__matrix dc =
        matrix(node, node->dst.diff, &node->dst.desc.shape, o->transpose_a, i);
    const wsr__matrix other = matrix(node, b->data, &b->desc.shape,
                                     o->transpose_a == o->transpose_b, i);
    return o->transpose_a ? multiply(&da, &other, &dc, adds(node, a, i))
                          : multiply(&da, &dc, &other, adds(node, a, i));
}

// If op(b) = b^T, diff_b is (op(a)^T dc)^T = dc^T op(a).
static wsr_status backward_b(wsr__node *node, int64_t i, product multiply)
{
    const matmul_params *const o = node->params;
    wsr__arg *const a = &node->src[0];
    wsr__arg *const b = &node->src[1];
    const wsr__matrix db = matrix(node, b->diff, &b->desc.shape, false, i);
    const wsr__matrix dc =
        matrix(node, node->dst.diff, &node->dst.desc.shape, o->transpose_b, i);
    const wsr__matrix other = matrix(node, a->data, &a->desc.shape,
                                     o->transpose_a == o->transpose_b, i);
    return o->transpose_b ? multiply(&db, &dc, &other, adds(node, b, i))
                          : multiply(&db, &other, &dc, adds(node, b, i));
}

// Product after product: the gradient of a matrix that several products share
// is the sum over them in this order.
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
    .super = {"matmul", "matrix product, with broadcasting", "", schema,
              sizeof(matmul_params)},
    .min_srcs = 2,
    .max_srcs = 2,
    .sources = "a (n, k) or (..., m, k), b (k, m) or (..., k, n)",
    .result = "(n, m) or (..., m, n)",
    .infer = infer,
    .impls = impls,
};
