// SPDX-License-Identifier: Apache-2.0
//
// Pools and reductions.

#include "onnx/window.h"
#include "onnx/write.h"

#include <string.h>

static bool is_square(const int64_t pair[2])
{
    return pair[0] == pair[1];
}

// One number where height and width are alike, so that the faster kernels see
// the usual pools as such.
static void set_pair(wsr__onnx_op *op, const char *key, const int64_t pair[2])
{
    wsr__onnx_set_ints(op, key, pair, is_square(pair) ? 1 : 2);
}

static void set_pads(wsr__onnx_op *op, const wsr__onnx_window *w)
{
    const int64_t sides[] = {w->begin[0], w->begin[1], w->end[0], w->end[1]};
    const bool even = memcmp(w->begin, w->end, sizeof(w->begin)) == 0;
    if (even) {
        set_pair(op, "pad", w->begin);
    } else {
        wsr__onnx_set_ints(op, "pad", sides, 4);
    }
}

static wsr_status read_kernel(wsr__onnx_window *w, const wsr__onnx_node *node)
{
    size_t n = 0;
    const int64_t *const kernel = wsr__onnx_ints(node, "kernel_shape", &n);
    if (n != 2) {
        return WSR_FAIL(WSR_FORMAT, "its kernel_shape has %zu numbers, not 2",
                        n);
    }
    memcpy(w->kernel, kernel, sizeof(w->kernel));
    return wsr__onnx_window_read(w, node);
}

// Without padding there is nothing to count, and a last window beyond the edge
// (ceil_mode) is divided by what it holds.
static wsr_status read_pool(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    const bool average = wsr__streq(node->row->with, "avg_pool");
    wsr__onnx_window w = {0};
    wsr_value y = 0;
    WSR_TRY(wsr__onnx_need_image(node));
    WSR_TRY(read_kernel(&w, node));
    wsr__onnx_op op = wsr__onnx_begin(node->row->with);
    set_pair(&op, "kernel", w.kernel);
    set_pair(&op, "stride", w.stride);
    set_pads(&op, &w);
    if (wsr__onnx_int(node, "ceil_mode", 0) != 0) {
        wsr__onnx_set_bool(&op, "ceil_mode", true);
    }
    if (average) {
        wsr__onnx_set_bool(&op, "count_pad",
                           wsr__onnx_int(node, "count_include_pad", 0) != 0);
    }
    if (w.dilation[0] != 1 || w.dilation[1] != 1) {
        set_pair(&op, "dilation", w.dilation);
    }
    WSR_TRY(wsr__onnx_emit(&y, node, &op, &node->in[0]->value, 1));
    wsr__onnx_put(node, 0, y, wsr_graph_shape(node->reader->graph, y), 0);
out:
    return status;
}

// (n, c) of an image, under the shape that the file gives it.
static wsr_status global(wsr__onnx_node *node, const char *op,
                         const wsr_shape *shape)
{
    wsr_status status = WSR_OK;
    wsr_value y = 0;
    WSR_TRY(wsr__onnx_emit1(&y, node, op, node->in[0]->value));
    const wsr__onnx_value pooled = {.value = y, .batch = 0};
    WSR_TRY(wsr__onnx_reshape(&y, node, &pooled, shape, 0));
    wsr__onnx_put(node, 0, y, shape, 0);
out:
    return status;
}

// Of the first rows and columns alone, of which slices are before it.
static wsr_status first_pool(wsr__onnx_node *node, const wsr_shape *shape)
{
    wsr_status status = WSR_OK;
    wsr_value x = node->in[0]->value;
    wsr_value y = 0;
    const wsr__vertex *v = wsr__onnx_op_of(node, x, &wsr__op_slice);
    const wsr_shape size = node->in[0]->shape;
    while (v != NULL) {
        x = v->srcs[0];
        v = wsr__onnx_op_of(node, x, &wsr__op_slice);
    }
    wsr__onnx_op op = wsr__onnx_begin("global_max_pool");
    wsr__onnx_set_int(&op, "height", size.dims[2]);
    wsr__onnx_set_int(&op, "width", size.dims[3]);
    WSR_TRY(wsr__onnx_emit(&y, node, &op, &x, 1));
    const wsr__onnx_value pooled = {.value = y, .batch = 0};
    WSR_TRY(wsr__onnx_reshape(&y, node, &pooled, shape, 0));
    wsr__onnx_put(node, 0, y, shape, 0);
out:
    return status;
}

static wsr_status read_global_pool(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__onnx_need_image(node));
    const wsr_shape shape = wsr__shape4(1, node->in[0]->shape.dims[1], 1, 1);
    if (wsr__onnx_is_part(node, "global_max_pool") &&
        wsr__onnx_joins(node, 0)) {
        return first_pool(node, &shape);
    }
    WSR_TRY(global(node, node->row->with, &shape));
out:
    return status;
}

// --------------------------------------------------------------- reductions

// Marks of the axes that a node reduces. Where it names none, these are all, or
// `*none`, if it says so.
static wsr_status reduced_axes(bool out[WSR_MAX_DIMS], bool *none,
                               const wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    const wsr__onnx_value *const x = node->in[0];
    const int64_t *axes = NULL;
    size_t n = 0;
    WSR_TRY(wsr__onnx_numbers(&axes, &n, node, 1, "axes"));
    for (int i = 0; i < WSR_MAX_DIMS; i++) {
        out[i] = false;
    }
    for (size_t i = 0; i < n; i++) {
        int axis = 0;
        WSR_TRY(wsr__onnx_axis(&axis, axes[i], x->shape.ndims));
        out[axis] = true;
    }
    *none = n == 0 && wsr__onnx_int(node, "noop_with_empty_axes", 0) != 0;
    if (!*none && (n == 0 || out[x->batch])) {
        return WSR_FAIL(WSR_FORMAT, "it mixes the images of a batch");
    }
out:
    return status;
}

static wsr_status emit_reduction(wsr_value *out, const wsr__onnx_node *node,
                                 const bool reduced[WSR_MAX_DIMS])
{
    const wsr__onnx_value *const x = node->in[0];
    int64_t axes[WSR_MAX_DIMS];
    size_t n = 0;
    for (int i = 0; i < x->shape.ndims; i++) {
        if (reduced[i]) {
            axes[n++] = wsr__onnx_graph_axis(x, i);
        }
    }
    wsr__onnx_op op = wsr__onnx_begin(node->row->with);
    wsr__onnx_set_ints(&op, "axes", axes, n);
    wsr__onnx_set_bool(&op, "keep_dims", true);
    return wsr__onnx_emit(out, node, &op, &x->value, 1);
}

// Shape and batch of the result: reduced axes have a size of 1, or are gone.
static void reduced_shape(wsr_shape *shape, int *batch,
                          const wsr__onnx_value *x,
                          const bool reduced[WSR_MAX_DIMS], bool keep)
{
    *shape = (wsr_shape){0};
    for (int i = 0; i < x->shape.ndims; i++) {
        if (i == x->batch) {
            *batch = shape->ndims;
        }
        if (!reduced[i] || keep) {
            shape->dims[shape->ndims++] = reduced[i] ? 1 : x->shape.dims[i];
        }
    }
}

// The mean over height and width is a pool.
static bool is_global_pool(const wsr__onnx_node *node, const bool *reduced)
{
    const wsr__onnx_value *const x = node->in[0];
    return wsr__streq(node->row->with, "reduce_mean") &&
           wsr__onnx_may_be(node, "global_avg_pool") && x->shape.ndims == 4 &&
           wsr__onnx_is_plain(x) && !reduced[1] && reduced[2] && reduced[3];
}

// The op mean: one number for each image, all axes but the batch gone.
static bool is_mean(const wsr__onnx_node *node, const wsr_shape *shape)
{
    return wsr__onnx_is_own(node, "mean") && shape->ndims == 1;
}

static wsr_status read_reduction(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    const wsr__onnx_value *const x = node->in[0];
    bool reduced[WSR_MAX_DIMS];
    bool none = false;
    wsr_shape shape;
    wsr_value y = 0;
    int batch = 0;
    WSR_TRY(wsr__onnx_need_value(node, 0));
    WSR_TRY(reduced_axes(reduced, &none, node));
    if (none) {
        return wsr__onnx_same(node, 0, node->in[0], &x->shape);
    }
    reduced_shape(&shape, &batch, x, reduced,
                  wsr__onnx_int(node, "keepdims", 1) != 0);
    if (is_mean(node, &shape)) {
        WSR_TRY(wsr__onnx_emit1(&y, node, "mean", x->value));
        wsr__onnx_put(node, 0, y, &shape, 0);
        return WSR_OK;
    }
    if (is_global_pool(node, reduced)) {
        return global(node, "global_avg_pool", &shape);
    }
    WSR_TRY(emit_reduction(&y, node, reduced));
    const wsr__onnx_value kept = {.value = y, .batch = batch};
    WSR_TRY(wsr__onnx_reshape(&y, node, &kept, &shape, batch));
    wsr__onnx_put(node, 0, y, &shape, batch);
out:
    return status;
}

// ------------------------------------------------------------------- writing

// The op's border is one number, height and width, or all four sides.
static void write_pads(int64_t pads[4], const wsr__onnx_step *step)
{
    const wsr__ints *const list = wsr__onnx_get_ints(step, "pad");
    for (size_t i = 0; i < 4; i++) {
        pads[i] = list->n == 0 ? 0 : list->v[i % list->n];
    }
}

static bool is_padded(const int64_t pads[4])
{
    return pads[0] != 0 || pads[1] != 0 || pads[2] != 0 || pads[3] != 0;
}

static void write_window(wsr__onnx_step *step, const int64_t pads[4])
{
    int64_t kernel[2];
    int64_t stride[2];
    wsr__onnx_get_pair(kernel, step, "kernel", 3);
    wsr__onnx_get_pair(stride, step, "stride", 1);
    wsr__onnx_write_plain(step);
    wsr__onnx_with_int(step, "ceil_mode",
                       wsr__onnx_get_bool(step, "ceil_mode") ? 1 : 0);
    wsr__onnx_with_ints(step, "kernel_shape", kernel, 2);
    wsr__onnx_with_ints(step, "pads", pads, 4);
    wsr__onnx_with_ints(step, "strides", stride, 2);
}

// Padding is never a node of its own: versions of ONNX Runtime join it with the
// pool and divide by the wrong number. Nor is padding counted where there is
// none: they differ in what they divide a last window beyond the edge by.
static void write_avg_pool(wsr__onnx_step *step)
{
    int64_t pads[4];
    write_pads(pads, step);
    const bool counts = wsr__onnx_get_bool(step, "count_pad") &&
                        is_padded(pads);
    write_window(step, pads);
    wsr__onnx_with_int(step, "count_include_pad", counts ? 1 : 0);
}

static void write_max_pool(wsr__onnx_step *step)
{
    int64_t pads[4];
    int64_t dilation[2];
    write_pads(pads, step);
    wsr__onnx_get_pair(dilation, step, "dilation", 1);
    write_window(step, pads);
    wsr__onnx_with_ints(step, "dilations", dilation, 2);
}

// The operator leaves the axes of height and width.
static void write_pooled(wsr__onnx_step *step, const char *op, const char *x)
{
    (void)wsr__onnx_add1(step, "Flatten", wsr__onnx_add1(step, op, x));
    wsr__onnx_with_int(step, "axis", 1);
}

static void write_global_avg_pool(wsr__onnx_step *step)
{
    write_pooled(step, step->row->op, wsr__onnx_src(step, 0));
}

static void write_global_max_pool(wsr__onnx_step *step)
{
    const wsr_shape *const shape = wsr__onnx_src_shape(step, 0);
    const int64_t sides[] = {wsr__onnx_get_int(step, "height"),
                             wsr__onnx_get_int(step, "width")};
    const char *x = wsr__onnx_src(step, 0);
    wsr__onnx_range ranges[2];
    size_t n = 0;
    for (int i = 0; i < 2; i++) {
        if (sides[i] != 0 && sides[i] < shape->dims[2 + i]) {
            ranges[n++] = (wsr__onnx_range){2 + i, 0, sides[i], 1};
        }
    }
    x = n > 0 ? wsr__onnx_slice(step, x, ranges, n) : x;
    write_pooled(step, step->row->op, x);
}

// Axes counted from the front, in order; all but the batch where none is named.
static size_t reduced_list(int64_t out[WSR_MAX_DIMS],
                           const wsr__onnx_step *step, const wsr__ints *axes)
{
    const int64_t ndims = wsr__onnx_src_shape(step, 0)->ndims;
    size_t n = 0;
    for (int64_t i = 1; i < ndims; i++) {
        bool named = axes == NULL || axes->n == 0;
        for (size_t k = 0; axes != NULL && k < axes->n; k++) {
            named = named || axes->v[k] == i || axes->v[k] + ndims == i;
        }
        if (named) {
            out[n++] = i;
        }
    }
    return n;
}

// Sums have their axes as an input in opset 17, the others as an attribute.
static void write_reduction(wsr__onnx_step *step)
{
    int64_t axes[WSR_MAX_DIMS];
    const size_t n = reduced_list(axes, step, wsr__onnx_get_ints(step, "axes"));
    const bool sum = wsr__streq(step->row->with, "reduce_sum");
    if (sum) {
        const char *const list = wsr__onnx_wholes(step, axes, n);
        (void)wsr__onnx_add2(step, step->row->op, wsr__onnx_src(step, 0), list);
    } else {
        wsr__onnx_write_plain(step);
        wsr__onnx_with_ints(step, "axes", axes, n);
    }
    wsr__onnx_with_int(step, "keepdims",
                       wsr__onnx_get_bool(step, "keep_dims") ? 1 : 0);
}

static void write_mean(wsr__onnx_step *step)
{
    int64_t axes[WSR_MAX_DIMS];
    const size_t n = reduced_list(axes, step, NULL);
    (void)wsr__onnx_add1(step, "ReduceMean", wsr__onnx_src(step, 0));
    wsr__onnx_with_ints(step, "axes", axes, n);
    wsr__onnx_with_int(step, "keepdims", 0);
}

static const wsr__onnx_row rows[] = {
    {"MaxPool", read_pool, "max_pool", 1, write_max_pool},
    {"AveragePool", read_pool, "avg_pool", 1, write_avg_pool},
    {"GlobalAveragePool", read_global_pool, "global_avg_pool", 1,
     write_global_avg_pool},
    {"GlobalMaxPool", read_global_pool, "global_max_pool", 1,
     write_global_max_pool},
    {"ReduceMean", read_reduction, "reduce_mean", 1, write_reduction},
    {"ReduceSum", read_reduction, "reduce_sum", 1, write_reduction},
    {"ReduceMax", read_reduction, "reduce_max", 1, write_reduction},
    {"ReduceMin", read_reduction, "reduce_min", 1, write_reduction},
    {NULL, NULL, "mean", 0, write_mean},
    {0},
};

const wsr__operator_class wsr__operator_pools = {
    .super = {"pools", "pools and reductions", "", NULL, 0},
    .rows = rows,
};
