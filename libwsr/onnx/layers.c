// SPDX-License-Identifier: Apache-2.0
//
// Convolutions and products with matrices.

#include "onnx/window.h"

#include <string.h>

// -------------------------------------------------------------------- Conv

// A convolution pads both sides alike, or the end by `offset` more. Anything
// else is an op of its own.
static bool pads_itself(int64_t pad[2], int64_t *offset,
                        const wsr__onnx_window *w)
{
    *offset = w->end[0] - w->begin[0];
    memcpy(pad, w->end, sizeof(w->end));
    return *offset >= 0 && w->end[1] - w->begin[1] == *offset &&
           w->begin[0] >= 0 && w->begin[1] >= 0;
}

static wsr_status emit_conv(wsr_value *out, const wsr__onnx_node *node,
                            const wsr__onnx_window *w, wsr_value *srcs,
                            size_t n)
{
    wsr_status status = WSR_OK;
    int64_t pad[2] = {0};
    int64_t offset = 0;
    if (!pads_itself(pad, &offset, w)) {
        WSR_TRY(wsr__onnx_window_pad(&srcs[0], node, srcs[0], w));
        pad[0] = pad[1] = 0;
        offset = 0;
    }
    wsr__onnx_op op = wsr__onnx_begin("conv2d");
    wsr__onnx_set_ints(&op, "stride", w->stride, 2);
    wsr__onnx_set_ints(&op, "pad", pad, 2);
    wsr__onnx_set_ints(&op, "dilation", w->dilation, 2);
    wsr__onnx_set_int(&op, "groups", wsr__onnx_int(node, "group", 1));
    wsr__onnx_set_int(&op, "offset", offset);
    WSR_TRY(wsr__onnx_emit(out, node, &op, srcs, n));
out:
    return status;
}

static wsr_status read_conv(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    wsr__onnx_value *const weights = node->in[1];
    wsr__onnx_value *const bias = wsr__onnx_in(node, 2);
    wsr_value srcs[3];
    wsr_value y = 0;
    wsr__onnx_window w;
    WSR_TRY(wsr__onnx_need_image(node));
    if (!weights->constant || weights->shape.ndims != 4) {
        return WSR_FAIL(WSR_FORMAT, "its weights are no constants of the shape "
                                    "(co, ci, kh, kw)");
    }
    memcpy(w.kernel, &weights->shape.dims[2], sizeof(w.kernel));
    WSR_TRY(wsr__onnx_window_read(&w, node));
    srcs[0] = node->in[0]->value;
    WSR_TRY(wsr__onnx_param(&srcs[1], node, weights, &weights->shape));
    if (bias != NULL) {
        const wsr_shape shape = wsr__shape1(weights->shape.dims[0]);
        WSR_TRY(wsr__onnx_param(&srcs[2], node, bias, &shape));
    }
    WSR_TRY(emit_conv(&y, node, &w, srcs, bias != NULL ? 3 : 2));
    wsr__onnx_put(node, 0, y, wsr_graph_shape(node->reader->graph, y), 0);
out:
    return status;
}

// ---------------------------------------------------------- Gemm and MatMul

// factor W, transposed where that is asked for. [out, owned]
static float *transposed(const wsr__onnx_value *w, bool exchange, double factor)
{
    const int64_t rows = w->shape.dims[0];
    const int64_t cols = w->shape.dims[1];
    float *const out = wsr__alloc_raw(w->count, sizeof(*out));
    for (int64_t i = 0; out != NULL && i < rows; i++) {
        for (int64_t k = 0; k < cols; k++) {
            const int64_t at = exchange ? k * rows + i : i * cols + k;
            out[at] = (float)(factor * (double)w->floats[i * cols + k]);
        }
    }
    return out;
}

// The matrix of a product as weights (m, k) of the op linear. The file holds
// them so, or as (k, m).
static wsr_status matrix(wsr_value *out, wsr__onnx_node *node, bool exchange,
                         double factor)
{
    wsr_status status = WSR_OK;
    wsr__onnx_value *const w = node->in[1];
    float *data = NULL;
    if (!w->constant || w->shape.ndims != 2 || w->integer) {
        return WSR_FAIL(WSR_FORMAT, "its second input is no constant matrix");
    }
    if (!exchange && factor == 1) {
        return wsr__onnx_param(out, node, w, &w->shape);
    }
    const int64_t *const d = w->shape.dims;
    const wsr_shape shape = exchange ? wsr__shape2(d[1], d[0])
                                     : wsr__shape2(d[0], d[1]);
    WSR_TRY(wsr__onnx_decode(node, w));
    data = transposed(w, exchange, factor);
    WSR_TRY(data != NULL ? WSR_OK : WSR_NOMEM);
    WSR_TRY(wsr__onnx_param_of(out, node, w->name, data, &shape));
out:
    wsr__free(data);
    return status;
}

// factor C for each of m results: C holds one number or m.
static wsr_status gemm_bias(wsr_value *out, wsr__onnx_node *node, int64_t m,
                            double factor)
{
    wsr_status status = WSR_OK;
    wsr__onnx_value *const c = node->in[2];
    const wsr_shape shape = wsr__shape1(m);
    float *data = NULL;
    if (!c->constant || c->integer ||
        (c->count != 1 && c->count != (size_t)m)) {
        return WSR_FAIL(WSR_FORMAT, "its third input is no constant vector");
    }
    if (factor == 1 && c->count == (size_t)m) {
        return wsr__onnx_param(out, node, c, &shape);
    }
    WSR_TRY(wsr__onnx_decode(node, c));
    data = wsr__alloc_raw((size_t)m, sizeof(*data));
    WSR_TRY(data != NULL ? WSR_OK : WSR_NOMEM);
    for (int64_t i = 0; i < m; i++) {
        data[i] = (float)(factor * (double)c->floats[c->count == 1 ? 0 : i]);
    }
    WSR_TRY(wsr__onnx_param_of(out, node, c->name, data, &shape));
out:
    wsr__free(data);
    return status;
}

// alpha A B + beta C.
static wsr_status read_gemm(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    const wsr__onnx_value *const x = node->in[0];
    wsr_value weights = 0;
    wsr_value bias = 0;
    wsr_value y = 0;
    const bool biased = wsr__onnx_in(node, 2) != NULL;
    WSR_TRY(wsr__onnx_need_value(node, 0));
    const bool turned = wsr__onnx_int(node, "transA", 0) != 0;
    if (x->shape.ndims != 2 || x->batch != (turned ? 1 : 0) ||
        (turned && x->shape.dims[1] != 1)) {
        return WSR_FAIL(WSR_FORMAT, "its first input is not (n, k)");
    }
    WSR_TRY(matrix(&weights, node, wsr__onnx_int(node, "transB", 0) == 0,
                   wsr__onnx_float(node, "alpha", 1)));
    const wsr_shape shape =
        wsr__shape2(turned ? 1 : x->shape.dims[0],
                    wsr_graph_shape(node->reader->graph, weights)->dims[0]);
    if (biased) {
        WSR_TRY(gemm_bias(&bias, node, shape.dims[1],
                          wsr__onnx_float(node, "beta", 1)));
    }
    WSR_TRY(
        wsr__onnx_linear(&y, node, x->value, weights, biased ? &bias : NULL));
    wsr__onnx_put(node, 0, y, &shape, 0);
out:
    return status;
}

static wsr_status matmul_constant(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    const wsr__onnx_value *const x = node->in[0];
    wsr_shape shape = x->shape;
    wsr_value weights = 0;
    wsr_value y = 0;
    if (x->batch == shape.ndims - 1) {
        return WSR_FAIL(WSR_FORMAT, "it mixes the images of a batch");
    }
    WSR_TRY(matrix(&weights, node, true, 1));
    WSR_TRY(wsr__onnx_linear(&y, node, x->value, weights, NULL));
    shape.dims[shape.ndims - 1] =
        wsr_graph_shape(node->reader->graph, weights)->dims[0];
    wsr__onnx_put(node, 0, y, &shape, x->batch);
out:
    return status;
}

static wsr_status rows(wsr_value *out, const wsr__onnx_node *node, wsr_value x,
                       const int64_t *dims, size_t n)
{
    wsr__onnx_op op = wsr__onnx_begin("view");
    wsr__onnx_set_ints(&op, "dims", dims, n);
    return wsr__onnx_emit(out, node, &op, &x, 1);
}

// Products of matrices of a batch, whose leading axes are alike: all of these
// become one.
static wsr_status matmul_values(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    const wsr__onnx_value *const a = node->in[0];
    const wsr__onnx_value *const b = node->in[1];
    const int n = a->shape.ndims;
    wsr_value srcs[2] = {a->value, b->value};
    wsr_value y = 0;
    wsr_shape shape = a->shape;
    if (b->shape.ndims != n || a->batch != b->batch || a->batch >= n - 2 ||
        memcmp(a->shape.dims, b->shape.dims,
               (size_t)(n - 2) * sizeof(*a->shape.dims)) != 0) {
        return WSR_FAIL(WSR_FORMAT, "its inputs differ in their leading axes");
    }
    shape.dims[n - 1] = b->shape.dims[n - 1];
    const wsr_shape inner = *wsr_graph_shape(node->reader->graph, a->value);
    if (inner.ndims > 3) {
        WSR_TRY(rows(&srcs[0], node, srcs[0], &a->shape.dims[n - 2], 2));
        WSR_TRY(rows(&srcs[1], node, srcs[1], &b->shape.dims[n - 2], 2));
    }
    wsr__onnx_op op = wsr__onnx_begin("matmul");
    WSR_TRY(wsr__onnx_emit(&y, node, &op, srcs, 2));
    if (inner.ndims > 3) {
        wsr_shape whole = inner;
        whole.dims[inner.ndims - 1] = shape.dims[n - 1];
        WSR_TRY(rows(&y, node, y, whole.dims + 1, (size_t)inner.ndims - 1));
    }
    wsr__onnx_put(node, 0, y, &shape, a->batch);
out:
    return status;
}

static wsr_status read_matmul(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__onnx_need_value(node, 0));
    WSR_TRY(node->in[1]->constant ? matmul_constant(node)
                                  : matmul_values(node));
out:
    return status;
}

const wsr__onnx_row wsr__onnx_layers[] = {
    {"Conv", read_conv, "conv2d", 2},
    {"Gemm", read_gemm, "linear", 2},
    {"MatMul", read_matmul, "matmul", 2},
    {0},
};
