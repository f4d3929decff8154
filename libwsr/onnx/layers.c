// SPDX-License-Identifier: Apache-2.0
//
// Convolutions and products with matrices.

#include "onnx/window.h"

#include "onnx/write.h"
#include "op/params.h"

#include <string.h>

// -------------------------------------------------------------------- Conv

enum { MOST_OFFSET = 64 };

// A convolution pads both sides alike, or the end by `offset` more. Anything
// else is an op of its own.
static bool pads_itself(int64_t pad[2], int64_t *offset,
                        const wsr__onnx_window *w)
{
    *offset = w->end[0] - w->begin[0];
    memcpy(pad, w->end, sizeof(w->end));
    return *offset >= 0 && w->end[1] - w->begin[1] == *offset &&
           w->end[0] >= 0 && w->end[1] >= 0 && *offset <= MOST_OFFSET;
}

// A convolution leaves out the first rows and columns by itself: what lies
// before slices that do, which count as padding below 0.
static wsr_value before_slices(wsr__onnx_window *w, const wsr__onnx_node *node,
                               wsr_value x)
{
    const wsr_graph *const graph = node->reader->graph;
    const wsr__vertex *v = wsr__onnx_op_of(node, x, &wsr__op_slice);
    for (int i = 0; i < 2 && v != NULL; i++) {
        const wsr__slice_params *const p = v->options;
        const wsr_shape *const from = wsr_graph_shape(graph, v->srcs[0]);
        if (p->axis < 2 || p->axis > 3 || p->step > 1 || p->step < 0 ||
            (p->end != 0 && p->end != from->dims[p->axis])) {
            break;
        }
        w->begin[p->axis - 2] -= p->begin;
        x = v->srcs[0];
        v = wsr__onnx_op_of(node, x, &wsr__op_slice);
    }
    return x;
}

static wsr_status emit_conv(wsr_value *out, const wsr__onnx_node *node,
                            const wsr__onnx_window *w, wsr_value *srcs,
                            size_t n)
{
    wsr_status status = WSR_OK;
    int64_t pad[2] = {0};
    int64_t offset = 0;
    wsr__onnx_window whole = *w;
    const wsr_value before = before_slices(&whole, node, srcs[0]);
    if (wsr__onnx_may_be(node, "conv2d") && pads_itself(pad, &offset, &whole)) {
        srcs[0] = before;
    } else if (w->begin[0] < 0 || w->begin[1] < 0 ||
               !pads_itself(pad, &offset, w)) {
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

// Writes a Conv of sources `weights` and the one behind it, a bias.
static const char *write_window(wsr__onnx_step *step, const char *x,
                                const char *const *weights, size_t n)
{
    const char *const inputs[] = {x, weights[0], n > 1 ? weights[1] : NULL};
    return wsr__onnx_add(step, "Conv", inputs, n + 1);
}

// Padding is pad - offset in front; what is below 0 of it is a slice, since
// not everybody reads negative padding.
static void write_conv(wsr__onnx_step *step)
{
    int64_t pad[2];
    int64_t stride[2];
    int64_t dilation[2];
    wsr__onnx_range crop[2];
    const int64_t offset = wsr__onnx_get_int(step, "offset");
    const wsr_shape *const shape = wsr__onnx_src_shape(step, 0);
    const char *x = wsr__onnx_src(step, 0);
    wsr__onnx_get_pair(pad, step, "pad", 0);
    wsr__onnx_get_pair(stride, step, "stride", 1);
    wsr__onnx_get_pair(dilation, step, "dilation", 1);
    for (int i = 0; i < 2; i++) {
        crop[i] = (wsr__onnx_range){2 + i,
                                    offset > pad[i] ? offset - pad[i] : 0,
                                    shape->dims[2 + i], 1};
    }
    if (crop[0].begin > 0 || crop[1].begin > 0) {
        x = wsr__onnx_slice(step, x, crop, 2);
    }
    const char *const weights[] = {wsr__onnx_src(step, 1),
                                   step->vertex->n > 2 ? wsr__onnx_src(step, 2)
                                                       : NULL};
    const int64_t pads[] = {pad[0] - offset + crop[0].begin,
                            pad[1] - offset + crop[1].begin, pad[0], pad[1]};
    (void)write_window(step, x, weights, step->vertex->n - 1);
    wsr__onnx_with_ints(step, "dilations", dilation, 2);
    wsr__onnx_with_int(step, "group", wsr__onnx_get_int(step, "groups"));
    wsr__onnx_with_ints(step, "kernel_shape",
                        wsr__onnx_src_shape(step, 1)->dims + 2, 2);
    wsr__onnx_with_ints(step, "pads", pads, 4);
    wsr__onnx_with_ints(step, "strides", stride, 2);
}

// A depthwise convolution, and a pointwise one of its result. Plans make one
// op of such a pair.
static void write_separable(wsr__onnx_step *step)
{
    int64_t pad[2];
    int64_t stride[2];
    int64_t dilation[2];
    const wsr_shape *const kernel = wsr__onnx_src_shape(step, 1);
    const char *const depthwise = wsr__onnx_src(step, 1);
    const char *const pointwise = wsr__onnx_src(step, 2);
    wsr__onnx_get_pair(pad, step, "pad", 0);
    wsr__onnx_get_pair(stride, step, "stride", 1);
    wsr__onnx_get_pair(dilation, step, "dilation", 1);
    const int64_t pads[] = {pad[0], pad[1], pad[0], pad[1]};
    const char *const x =
        write_window(step, wsr__onnx_src(step, 0), &depthwise, 1);
    wsr__onnx_with_ints(step, "dilations", dilation, 2);
    wsr__onnx_with_int(step, "group", kernel->dims[0]);
    wsr__onnx_with_ints(step, "kernel_shape", kernel->dims + 2, 2);
    wsr__onnx_with_ints(step, "pads", pads, 4);
    wsr__onnx_with_ints(step, "strides", stride, 2);
    (void)write_window(step, x, &pointwise, 1);
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

static wsr_status as_rows(wsr_value *out, const wsr__onnx_node *node,
                          wsr_value x, const int64_t *dims, size_t n)
{
    wsr__onnx_op op = wsr__onnx_begin("view");
    wsr__onnx_set_ints(&op, "dims", dims, n);
    return wsr__onnx_emit(out, node, &op, &x, 1);
}

// A factor of a product as it lies in the graph: before the Transpose that this
// library wrote for an option of the op.
typedef struct factor {
    wsr_value value;
    wsr_shape shape;
    bool transposed;
} factor;

static factor factor_of(const wsr__onnx_node *node, size_t i)
{
    const wsr__onnx_value *const v = node->in[i];
    const int n = v->shape.ndims;
    factor f = {v->value, v->shape, false};
    const wsr__vertex *const t =
        wsr__onnx_op_of(node, v->value, &wsr__op_transpose);
    if (t != NULL && n > 1 && wsr__onnx_is_own(node, "matmul") &&
        wsr__onnx_joins(node, i)) {
        f.value = t->srcs[0];
        f.shape.dims[n - 1] = v->shape.dims[n - 2];
        f.shape.dims[n - 2] = v->shape.dims[n - 1];
        f.transposed = true;
    }
    return f;
}

// Products of matrices of a batch, whose leading axes are alike: all of these
// become one.
static wsr_status matmul_values(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    const wsr__onnx_value *const a = node->in[0];
    const wsr__onnx_value *const b = node->in[1];
    const int n = a->shape.ndims;
    const factor factors[] = {factor_of(node, 0), factor_of(node, 1)};
    wsr_value srcs[2] = {factors[0].value, factors[1].value};
    wsr_value y = 0;
    wsr_shape shape = a->shape;
    if (b->shape.ndims != n || a->batch != b->batch || a->batch >= n - 2 ||
        memcmp(a->shape.dims, b->shape.dims,
               (size_t)(n - 2) * sizeof(*a->shape.dims)) != 0) {
        return WSR_FAIL(WSR_FORMAT, "its inputs differ in their leading axes");
    }
    shape.dims[n - 1] = b->shape.dims[n - 1];
    const wsr_shape inner = *wsr_graph_shape(node->reader->graph, a->value);
    for (size_t i = 0; i < 2 && inner.ndims > 3; i++) {
        WSR_TRY(
            as_rows(&srcs[i], node, srcs[i], &factors[i].shape.dims[n - 2], 2));
    }
    wsr__onnx_op op = wsr__onnx_begin("matmul");
    wsr__onnx_set_bool(&op, "transpose_a", factors[0].transposed);
    wsr__onnx_set_bool(&op, "transpose_b", factors[1].transposed);
    WSR_TRY(wsr__onnx_emit(&y, node, &op, srcs, 2));
    if (inner.ndims > 3) {
        wsr_shape whole = inner;
        whole.dims[inner.ndims - 1] = shape.dims[n - 1];
        WSR_TRY(as_rows(&y, node, y, whole.dims + 1, (size_t)inner.ndims - 1));
    }
    wsr__onnx_put(node, 0, y, &shape, a->batch);
out:
    return status;
}

// An op matmul of ours: its sources are as they were.
static wsr_status matmul_own(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    wsr__onnx_value *const b = node->in[1];
    const factor first = factor_of(node, 0);
    factor second = {0};
    wsr_value y = 0;
    if (b->constant) {
        WSR_TRY(wsr__onnx_param(&second.value, node, b, &b->shape));
    } else {
        second = factor_of(node, 1);
    }
    const wsr_value srcs[] = {first.value, second.value};
    wsr__onnx_op op = wsr__onnx_begin("matmul");
    wsr__onnx_set_bool(&op, "transpose_a", first.transposed);
    wsr__onnx_set_bool(&op, "transpose_b", second.transposed);
    WSR_TRY(wsr__onnx_emit(&y, node, &op, srcs, 2));
    wsr__onnx_put(node, 0, y, wsr_graph_shape(node->reader->graph, y), 0);
out:
    return status;
}

static wsr_status read_matmul(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__onnx_need_value(node, 0));
    if (wsr__onnx_is_own(node, "matmul") && wsr__onnx_is_plain(node->in[0]) &&
        (node->in[1]->constant || wsr__onnx_is_plain(node->in[1]))) {
        return matmul_own(node);
    }
    WSR_TRY(node->in[1]->constant ? matmul_constant(node)
                                  : matmul_values(node));
out:
    return status;
}

static void write_linear(wsr__onnx_step *step)
{
    (void)wsr__onnx_add_all(step, "Gemm");
    wsr__onnx_with_int(step, "transB", 1);
}

// A factor, its last two axes exchanged where that is asked for.
static const char *write_factor(wsr__onnx_step *step, size_t i, const char *key)
{
    int64_t order[WSR_MAX_DIMS];
    const int n = wsr__onnx_src_shape(step, i)->ndims;
    const char *x = wsr__onnx_src(step, i);
    for (int k = 0; k < n; k++) {
        order[k] = k < n - 2 ? k : 2 * n - 3 - k;
    }
    if (wsr__onnx_get_bool(step, key)) {
        x = wsr__onnx_add1(step, "Transpose", x);
        wsr__onnx_with_ints(step, "perm", order, (size_t)n);
    }
    return x;
}

static void write_matmul(wsr__onnx_step *step)
{
    const char *const a = write_factor(step, 0, "transpose_a");
    const char *const b = write_factor(step, 1, "transpose_b");
    (void)wsr__onnx_add2(step, "MatMul", a, b);
}

static const wsr__onnx_row rows[] = {
    {"Conv", read_conv, "conv2d", 2, write_conv},
    {"Gemm", read_gemm, "linear", 2, write_linear},
    {"MatMul", read_matmul, "matmul", 2, write_matmul},
    {NULL, NULL, "sep_conv2d", 0, write_separable},
    {0},
};

const wsr__operator_class wsr__operator_layers = {
    .super = {"layers", "convolutions and products of matrices", "", NULL, 0},
    .rows = rows,
};
