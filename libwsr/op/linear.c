// SPDX-License-Identifier: Apache-2.0
//
// dst = src weights^T + bias: src (n, k), weights (m, k), bias (m) optional,
// dst (n, m).
//
//   dsrc = ddst weights,   dweights = ddst^T src,   dbias = sum over n of ddst

#include "op/op.h"

#include <string.h>

enum { SRC, WEIGHTS, BIAS };

// dst is (n, m), plain. Sources of more dimensions are reshaped before.
static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)params;
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__op_ndims(&srcs[SRC], 2));
    if (srcs[WEIGHTS].ndims != 2 ||
        srcs[WEIGHTS].dims[1] != srcs[SRC].dims[1]) {
        char src[96];
        wsr__shape_print(src, &srcs[SRC]);
        char weights[96];
        wsr__shape_print(weights, &srcs[WEIGHTS]);
        return WSR_FAIL(WSR_SHAPE, "weights %s do not fit source %s", weights,
                        src);
    }
    if (n > 2 && (srcs[BIAS].ndims != 1 ||
                  srcs[BIAS].dims[0] != srcs[WEIGHTS].dims[0])) {
        return wsr__op_shape_fail("bias must have a number per output",
                                  &srcs[BIAS]);
    }
    *dst = wsr__shape2(srcs[SRC].dims[0], srcs[WEIGHTS].dims[0]);
out:
    return status;
}

// `rows` by `cols` as it lies in memory; with `transposed` a product reads it
// the other way round.
static wsr__matrix matrix(float *data, int64_t rows, int64_t cols,
                          bool transposed)
{
    return (wsr__matrix){data, rows, cols, transposed};
}

// The product adds to dst, which starts as the bias in every row.
static wsr_status forward(wsr__node *node)
{
    const int64_t n = node->src[SRC].desc.shape.dims[0];
    const int64_t k = node->src[SRC].desc.shape.dims[1];
    const int64_t m = node->dst.desc.shape.dims[1];
    const wsr__matrix dst = matrix(node->dst.data, n, m, false);
    const wsr__matrix src = matrix(node->src[SRC].data, n, k, false);
    const wsr__matrix weights = matrix(node->src[WEIGHTS].data, m, k, true);
    for (int64_t i = 0; node->n > 2 && i < n; i++) {
        memcpy(node->dst.data + i * m, node->src[BIAS].data,
               (size_t)m * sizeof(float));
    }
    return wsr__gemm(&dst, &src, &weights, node->n > 2);
}

// In double: a batch may be large.
static void backward_bias(const wsr__node *node, int64_t n, int64_t m)
{
    const wsr__arg *const bias = &node->src[BIAS];
    for (int64_t j = 0; j < m; j++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++) {
            sum += (double)node->dst.diff[i * m + j];
        }
        bias->diff[j] = (float)sum + (bias->accumulate ? bias->diff[j] : 0);
    }
}

// Each gradient is one matrix product: oneDNN adds to what is there where
// `accumulate` says so. The sizes are n samples, k inputs and m outputs.
static wsr_status backward(wsr__node *node)
{
    const int64_t n = node->src[SRC].desc.shape.dims[0];
    const int64_t k = node->src[SRC].desc.shape.dims[1];
    const int64_t m = node->dst.desc.shape.dims[1];
    const wsr__arg *const src = &node->src[SRC];
    const wsr__arg *const weights = &node->src[WEIGHTS];
    wsr_status status = WSR_OK;
    if (src->want_diff) {
        const wsr__matrix c = matrix(src->diff, n, k, false);
        const wsr__matrix a = matrix(node->dst.diff, n, m, false);
        const wsr__matrix b = matrix(weights->data, m, k, false);
        WSR_TRY(wsr__gemm(&c, &a, &b, src->accumulate));
    }
    if (weights->want_diff) {
        const wsr__matrix c = matrix(weights->diff, m, k, false);
        const wsr__matrix a = matrix(node->dst.diff, n, m, true);
        const wsr__matrix b = matrix(src->data, n, k, false);
        WSR_TRY(wsr__gemm(&c, &a, &b, weights->accumulate));
    }
    if (node->n > 2 && node->src[BIAS].want_diff) {
        backward_bias(node, n, m);
    }
out:
    return status;
}

// The gradient of either factor needs the other; the bias needs neither.
static uint32_t needs(const wsr__node *node)
{
    return (node->src[WEIGHTS].want_diff ? 1u << SRC : 0u) |
           (node->src[SRC].want_diff ? 1u << WEIGHTS : 0u);
}

// oneDNN generates the code of its products here and not in a run.
static wsr_status plan(wsr__node *node)
{
    (void)node;
    return wsr__gemm_prepare();
}

static const wsr__impl dnnl = {.name = "dnnl",
                               .needs = needs,
                               .plan = plan,
                               .forward = forward,
                               .backward = backward,
                               .accumulates = true};

// Element i of dst is row i / m of src times row i % m of weights.
static wsr_status forward_ref(wsr__node *node)
{
    const int64_t n = node->src[SRC].desc.shape.dims[0];
    const int64_t k = node->src[SRC].desc.shape.dims[1];
    const int64_t m = node->dst.desc.shape.dims[1];
    for (int64_t i = 0; i < n * m; i++) {
        const float *const x = node->src[SRC].data + i / m * k;
        const float *const w = node->src[WEIGHTS].data + i % m * k;
        double sum = node->n > 2 ? (double)node->src[BIAS].data[i % m] : 0;
        for (int64_t j = 0; j < k; j++) {
            sum += (double)x[j] * (double)w[j];
        }
        node->dst.data[i] = (float)sum;
    }
    return WSR_OK;
}

// The gradient of c, of sizes[0] rows and sizes[1] columns, is a sum of
// sizes[2] products of elements of a and b. strides are those of a (per row of
// c, per term), then of b (per column of c, per term).
static void product(const wsr__arg *c, const float *a, const float *b,
                    const int64_t sizes[3], const int64_t strides[4])
{
    for (int64_t i = 0; i < sizes[0] * sizes[1]; i++) {
        const float *const x = a + i / sizes[1] * strides[0];
        const float *const y = b + i % sizes[1] * strides[2];
        double sum = c->accumulate ? (double)c->diff[i] : 0;
        for (int64_t j = 0; j < sizes[2]; j++) {
            sum += (double)x[j * strides[1]] * (double)y[j * strides[3]];
        }
        c->diff[i] = (float)sum;
    }
}

static wsr_status backward_ref(wsr__node *node)
{
    const int64_t n = node->src[SRC].desc.shape.dims[0];
    const int64_t k = node->src[SRC].desc.shape.dims[1];
    const int64_t m = node->dst.desc.shape.dims[1];
    if (node->src[SRC].want_diff) {
        product(&node->src[SRC], node->dst.diff, node->src[WEIGHTS].data,
                (const int64_t[]){n, k, m}, (const int64_t[]){m, 1, 1, k});
    }
    if (node->src[WEIGHTS].want_diff) {
        product(&node->src[WEIGHTS], node->dst.diff, node->src[SRC].data,
                (const int64_t[]){m, k, n}, (const int64_t[]){1, m, 1, k});
    }
    if (node->n > 2 && node->src[BIAS].want_diff) {
        backward_bias(node, n, m);
    }
    return WSR_OK;
}

static const wsr__impl ref = {.name = "ref",
                              .needs = needs,
                              .forward = forward_ref,
                              .backward = backward_ref,
                              .accumulates = true};

static const wsr__impl *const impls[] = {&dnnl, &ref, NULL};

const wsr__op_class wsr__op_linear = {
    .super = {"linear", "affine map of rows", "", NULL, 0},
    .min_srcs = 2,
    .max_srcs = 3,
    .sources = "src (n, k), weights (m, k), bias (m) or none",
    .result = "(n, m)",
    .infer = infer,
    .impls = impls,
    .weights = 1u << WEIGHTS,
    .piecewise_linear = 1u,
};
