// SPDX-License-Identifier: Apache-2.0
//
// Nodes that give the same numbers another shape or order. Files often have
// the batch in it as a number, 1 where they were exported with one image:
// view(x.size(0), -1) and the constant [1, -1] are both (n, rest) here.

#include "onnx/read.h"
#include "onnx/write.h"

#include <string.h>

// ------------------------------------------------------------------ Reshape

enum { MOST = 1 << 30 }; // elements along an axis

// A shape that a node asks for.
typedef struct target {
    wsr_shape shape; // in the file: with the size of its batch
    int batch;       // axis, -1: unknown
    int64_t lead;    // numbers before the batch in its axis
} target;

static int64_t product(const int64_t *dims, int n)
{
    int64_t p = 1;
    for (int i = 0; i < n; i++) {
        p *= dims[i];
    }
    return p;
}

// Numbers in the file, of whatever batch that has.
static int64_t file_count(const wsr__onnx_node *node, const wsr__onnx_value *x)
{
    return wsr_shape_count(&x->shape) * (x->constant ? 1 : node->reader->batch);
}

// Dimension -1 is what the others leave.
static wsr_status fill_open(target *t, int64_t count)
{
    int64_t known = 1;
    int open = -1;
    for (int i = 0; i < t->shape.ndims; i++) {
        const int64_t d = t->shape.dims[i];
        if (d < -1 || (d == -1 && open >= 0) || (d > 0 && known > count / d)) {
            return WSR_FAIL(WSR_FORMAT, "its shape does not fit its input");
        }
        open = d == -1 ? i : open;
        known *= d == -1 ? 1 : d;
    }
    if (open >= 0 && known > 0) {
        t->shape.dims[open] = count / known;
    }
    return product(t->shape.dims, t->shape.ndims) == count
               ? WSR_OK
               : WSR_FAIL(WSR_FORMAT, "its shape does not fit its input");
}

// 0 is the size of the input's axis, unless allowzero says that it is 0.
static wsr_status read_target(target *t, const wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    const wsr__onnx_value *const x = node->in[0];
    const wsr__onnx_value *const said = wsr__onnx_in(node, 1);
    const int64_t *dims = NULL;
    const bool zero = wsr__onnx_int(node, "allowzero", 0) != 0;
    size_t n = 0;
    WSR_TRY(wsr__onnx_numbers(&dims, &n, node, 1, "shape"));
    if (n > WSR_MAX_DIMS) {
        return WSR_FAIL(WSR_FORMAT, "%zu dimensions are above %d", n,
                        WSR_MAX_DIMS);
    }
    *t = (target){.shape = {.ndims = (int)n}, .batch = -1};
    for (int i = 0; i < (int)n; i++) {
        const bool copied = dims[i] == 0 && !zero && i < x->shape.ndims;
        const bool powered = said != NULL && said->powers != NULL &&
                             said->powers[i] > 0;
        const bool batch = powered || (copied && !x->constant && i == x->batch);
        t->shape.dims[i] = copied ? x->shape.dims[i] : dims[i];
        if (t->shape.dims[i] > MOST) {
            return WSR_FAIL(WSR_FORMAT, "its shape does not fit its input");
        }
        if (batch && !x->constant) {
            t->shape.dims[i] *= t->shape.dims[i] < 0 ? 1 : node->reader->batch;
            t->batch = i;
        }
    }
    WSR_TRY(fill_open(t, file_count(node, x)));
out:
    return status;
}

// Whether axis `i` can hold the batch behind `before` numbers: those that are
// not in axes before it come first in it, `*lead` of them.
static bool holds_batch(int64_t *lead, const target *t, int i, int64_t before,
                        int64_t batch)
{
    const int64_t outer = product(t->shape.dims, i);
    if (outer < 1 || before % outer != 0) {
        return false;
    }
    *lead = before / outer;
    return t->shape.dims[i] % (*lead * batch) == 0;
}

// The batch is where as many numbers lie before it as in the input: only then
// do images stay apart. In files for one image several axes can hold it: then
// it is the first, (s n, d), where axes are merged, and else the first that
// begins with it, (s, n h, d).
static wsr_status find_batch(target *t, const wsr__onnx_node *node,
                             const wsr__onnx_value *x)
{
    const int64_t before = product(x->shape.dims, x->batch) *
                           (x->lead > 0 ? x->lead : 1);
    const int64_t batch = node->reader->batch;
    const bool merged = t->shape.ndims < x->shape.ndims;
    int found = -1;
    for (int i = 0; i < t->shape.ndims; i++) {
        int64_t lead = 1;
        const bool asked = t->batch < 0 || t->batch == i;
        const bool better = found < 0 || (t->lead > 1 && !merged);
        if (asked && better && holds_batch(&lead, t, i, before, batch)) {
            found = i;
            t->lead = lead;
        }
    }
    if (found < 0) {
        return WSR_FAIL(WSR_FORMAT, "its shape mixes the images of a batch");
    }
    t->batch = found;
    t->shape.dims[found] /= batch;
    return WSR_OK;
}

static wsr_status put_shape(wsr__onnx_node *node, const wsr_shape *shape,
                            int batch)
{
    wsr_status status = WSR_OK;
    wsr_value y = 0;
    WSR_TRY(wsr__onnx_reshape(&y, node, node->in[0], shape, batch));
    wsr__onnx_put(node, 0, y, shape, batch);
out:
    return status;
}

static wsr_status read_reshape(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    target t;
    WSR_TRY(read_target(&t, node));
    if (node->in[0]->constant) {
        return wsr__onnx_same(node, 0, node->in[0], &t.shape);
    }
    WSR_TRY(find_batch(&t, node, node->in[0]));
    WSR_TRY(put_shape(node, &t.shape, t.batch));
    node->out[0]->lead = t.lead;
out:
    return status;
}

// (before, rest); the batch must lie in one of the two, in front.
static wsr_status read_flatten(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    const wsr__onnx_value *const x = node->in[0];
    const int n = x->shape.ndims;
    int axis = n;
    if (wsr__onnx_int(node, "axis", 1) != n) {
        WSR_TRY(wsr__onnx_axis(&axis, wsr__onnx_int(node, "axis", 1), n));
    }
    target t = {.batch = -1};
    t.shape = wsr__shape2(product(x->shape.dims, axis),
                          product(x->shape.dims + axis, n - axis));
    if (x->constant) {
        return wsr__onnx_same(node, 0, node->in[0], &t.shape);
    }
    t.shape.dims[x->batch < axis ? 0 : 1] *= node->reader->batch;
    WSR_TRY(find_batch(&t, node, x));
    WSR_TRY(put_shape(node, &t.shape, t.batch));
    node->out[0]->lead = t.lead;
out:
    return status;
}

// ------------------------------------------------------ Squeeze and Unsqueeze

// The axes that a node names, of a result of `ndims`.
static wsr_status named_axes(bool out[WSR_MAX_DIMS], size_t *n,
                             const wsr__onnx_node *node, int extra)
{
    wsr_status status = WSR_OK;
    const int64_t *axes = NULL;
    WSR_TRY(wsr__onnx_numbers(&axes, n, node, 1, "axes"));
    const int ndims = node->in[0]->shape.ndims + (extra != 0 ? (int)*n : 0);
    if (*n > WSR_MAX_DIMS || ndims > WSR_MAX_DIMS) {
        return WSR_FAIL(WSR_FORMAT, "%d dimensions are above %d", ndims,
                        WSR_MAX_DIMS);
    }
    memset(out, 0, WSR_MAX_DIMS * sizeof(*out));
    for (size_t i = 0; i < *n; i++) {
        int axis = 0;
        WSR_TRY(wsr__onnx_axis(&axis, axes[i], ndims));
        out[axis] = true;
    }
out:
    return status;
}

static wsr_status put_axes(wsr__onnx_node *node, const wsr_shape *shape,
                           int batch)
{
    return node->in[0]->constant ? wsr__onnx_same(node, 0, node->in[0], shape)
                                 : put_shape(node, shape, batch);
}

static wsr_status read_squeeze(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    const wsr__onnx_value *const x = node->in[0];
    bool named[WSR_MAX_DIMS];
    wsr_shape shape = {0};
    int batch = 0;
    size_t n = 0;
    WSR_TRY(named_axes(named, &n, node, 0));
    for (int i = 0; i < x->shape.ndims; i++) {
        const bool is_batch = !x->constant && i == x->batch;
        if (is_batch) {
            batch = shape.ndims;
        }
        if (n > 0 && named[i] && (x->shape.dims[i] != 1 || is_batch)) {
            return WSR_FAIL(WSR_FORMAT, "axis %d is not of size 1", i);
        }
        if (is_batch || (n > 0 ? !named[i] : x->shape.dims[i] != 1)) {
            shape.dims[shape.ndims++] = x->shape.dims[i];
        }
    }
    WSR_TRY(put_axes(node, &shape, batch));
out:
    return status;
}

static wsr_status read_unsqueeze(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    const wsr__onnx_value *const x = node->in[0];
    bool named[WSR_MAX_DIMS];
    wsr_shape shape = {0};
    int batch = 0;
    int from = 0;
    size_t n = 0;
    WSR_TRY(named_axes(named, &n, node, 1));
    shape.ndims = x->shape.ndims + (int)n;
    for (int i = 0; i < shape.ndims; i++) {
        if (named[i] || from == x->shape.ndims) {
            shape.dims[i] = 1;
            continue;
        }
        batch = from == x->batch ? i : batch;
        shape.dims[i] = x->shape.dims[from++];
    }
    WSR_TRY(from == x->shape.ndims
                ? WSR_OK
                : WSR_FAIL(WSR_FORMAT, "it names an axis twice"));
    WSR_TRY(put_axes(node, &shape, batch));
out:
    return status;
}

// ---------------------------------------------------------------- Transpose

// Elements of a constant in another order. [out, owned]
static int64_t *transposed_index(const wsr_shape *from, const int *order,
                                 const wsr_shape *to)
{
    const int64_t count = wsr_shape_count(to);
    int64_t *const index = wsr__alloc_raw((size_t)count, sizeof(*index));
    for (int64_t i = 0; index != NULL && i < count; i++) {
        int64_t rest = i;
        index[i] = 0;
        for (int k = to->ndims; k-- > 0;) {
            const int axis = order[k];
            index[i] += rest % to->dims[k] *
                        product(from->dims + axis + 1, from->ndims - axis - 1);
            rest /= to->dims[k];
        }
    }
    return index;
}

// The graph's axes but the batch, which stays in front, in the new order; done
// where that is the old one.
static wsr_status emit_transpose(wsr_value *out, const wsr__onnx_node *node,
                                 const int *order)
{
    const wsr__onnx_value *const x = node->in[0];
    const bool hidden = x->shape.dims[x->batch] == 1;
    int64_t axes[WSR_MAX_DIMS] = {0};
    size_t n = 1;
    bool same = true;
    for (int i = 0; i < x->shape.ndims; i++) {
        if (order[i] != x->batch || !hidden) {
            axes[n] = wsr__onnx_graph_axis(x, order[i]);
            same = same && axes[n] == (int64_t)n;
            n++;
        }
    }
    *out = x->value;
    if (same) {
        return WSR_OK;
    }
    wsr__onnx_op op = wsr__onnx_begin("transpose");
    wsr__onnx_set_ints(&op, "order", axes, n);
    return wsr__onnx_emit(out, node, &op, &x->value, 1);
}

static wsr_status read_order(int out[WSR_MAX_DIMS], const wsr__onnx_node *node)
{
    const int ndims = node->in[0]->shape.ndims;
    unsigned seen = 0;
    size_t n = 0;
    const int64_t *const perm = wsr__onnx_ints(node, "perm", &n);
    for (int i = 0; i < ndims; i++) {
        out[i] = ndims - 1 - i;
        if (n == (size_t)ndims && perm[i] >= 0 && perm[i] < ndims) {
            out[i] = (int)perm[i];
        }
        seen |= 1u << out[i];
    }
    return (n == 0 || n == (size_t)ndims) && seen == (1u << ndims) - 1
               ? WSR_OK
               : WSR_FAIL(WSR_FORMAT, "perm is no order of its input's axes");
}

static wsr_status read_transpose(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    wsr__onnx_value *const x = node->in[0];
    int order[WSR_MAX_DIMS] = {0};
    int64_t *index = NULL;
    int batch = 0;
    wsr_value y = 0;
    WSR_TRY(read_order(order, node));
    wsr_shape shape = x->shape;
    for (int i = 0; i < shape.ndims; i++) {
        shape.dims[i] = x->shape.dims[order[i]];
        batch = order[i] == x->batch ? i : batch;
    }
    if (x->constant) {
        index = transposed_index(&x->shape, order, &shape);
        WSR_TRY(index != NULL ? WSR_OK : WSR_NOMEM);
        WSR_TRY(wsr__onnx_pick(node, 0, x, &shape, index));
        goto out;
    }
    WSR_TRY(emit_transpose(&y, node, order));
    wsr__onnx_put(node, 0, y, &shape, batch);
out:
    wsr__free(index);
    return status;
}

// ------------------------------------------------------------------- Expand

// Elements of a constant that is broadcast. [out, owned]
static int64_t *expanded_index(const wsr_shape *from, const wsr_shape *to)
{
    const int64_t count = wsr_shape_count(to);
    const int missing = to->ndims - from->ndims;
    int64_t *const index = wsr__alloc_raw((size_t)count, sizeof(*index));
    for (int64_t i = 0; index != NULL && i < count; i++) {
        int64_t rest = i;
        int64_t stride = 1;
        index[i] = 0;
        for (int k = to->ndims; k-- > missing;) {
            const int64_t size = to->dims[k] > 0 ? to->dims[k] : 1;
            const int64_t d = from->dims[k - missing];
            index[i] += d == 1 ? 0 : rest % size * stride;
            stride *= d;
            rest /= size;
        }
    }
    return index;
}

// The shape of an expanded input. The batch is counted once.
static wsr_status expanded_shape(wsr_shape *out, const wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    const wsr__onnx_value *const x = node->in[0];
    const int64_t *dims = NULL;
    size_t n = 0;
    WSR_TRY(wsr__onnx_numbers(&dims, &n, node, 1, "shape"));
    if (n > WSR_MAX_DIMS) {
        return WSR_FAIL(WSR_FORMAT, "%zu dimensions are above %d", n,
                        WSR_MAX_DIMS);
    }
    const int ndims = (int)n > x->shape.ndims ? (int)n : x->shape.ndims;
    *out = (wsr_shape){.ndims = ndims};
    for (int i = 0; i < ndims; i++) {
        const int own = i - (ndims - x->shape.ndims);
        const int asked = i - (ndims - (int)n);
        const int64_t d = own < 0 ? 1 : x->shape.dims[own];
        const int64_t e = asked < 0 ? 1 : dims[asked];
        const bool batch = !x->constant && own == x->batch;
        if (!batch && d != 1 && e != 1 && d != e) {
            return WSR_FAIL(WSR_FORMAT,
                            "%lld numbers cannot be expanded to "
                            "%lld",
                            (long long)d, (long long)e);
        }
        out->dims[i] = batch || e == 1 ? d : e;
    }
out:
    return status;
}

static wsr_status read_expand(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    wsr__onnx_value *const x = node->in[0];
    wsr_shape shape;
    int64_t *index = NULL;
    wsr_value y = 0;
    WSR_TRY(expanded_shape(&shape, node));
    const int missing = shape.ndims - x->shape.ndims;
    if (wsr_shape_equal(&shape, &x->shape)) {
        return wsr__onnx_same(node, 0, x, &shape);
    }
    if (x->constant) {
        double count = 1;
        for (int i = 0; i < shape.ndims; i++) {
            count *= (double)shape.dims[i];
        }
        WSR_TRY(count <= (double)node->reader->room
                    ? WSR_OK
                    : WSR_FAIL(WSR_FORMAT, "its constant result is too large"));
        WSR_TRY(wsr__onnx_decode(node, x));
        index = expanded_index(&x->shape, &shape);
        WSR_TRY(index != NULL ? WSR_OK : WSR_NOMEM);
        WSR_TRY(wsr__onnx_pick(node, 0, x, &shape, index));
        goto out;
    }
    WSR_TRY(missing == 0 && wsr__onnx_is_plain(x)
                ? WSR_OK
                : WSR_FAIL(WSR_FORMAT, "it adds axes before the batch"));
    wsr__onnx_op op = wsr__onnx_begin("expand");
    wsr__onnx_set_ints(&op, "shape", shape.dims, (size_t)shape.ndims);
    WSR_TRY(wsr__onnx_emit(&y, node, &op, &x->value, 1));
    wsr__onnx_put(node, 0, y, &shape, 0);
out:
    wsr__free(index);
    return status;
}

// ------------------------------------------------------------------- writing

// The first dimension, the batch, is that of the source, whatever it is.
static void write_reshape(wsr__onnx_step *step)
{
    (void)wsr__onnx_shaped(step, wsr__onnx_src(step, 0), 0,
                           &step->vertex->shape);
}

// It is what the others leave.
static void write_view(wsr__onnx_step *step)
{
    (void)wsr__onnx_shaped(step, wsr__onnx_src(step, 0), -1,
                           &step->vertex->shape);
}

static void write_transpose(wsr__onnx_step *step)
{
    const wsr__ints *const order = wsr__onnx_get_ints(step, "order");
    const int n = wsr__onnx_src_shape(step, 0)->ndims;
    int64_t perm[WSR_MAX_DIMS] = {0};
    for (int i = 1; i < n; i++) {
        perm[i] = order->n == 0 ? n - i : order->v[i];
    }
    wsr__onnx_write_plain(step);
    wsr__onnx_with_ints(step, "perm", perm, (size_t)n);
}

// An axis of one element fits any batch.
static void write_expand(wsr__onnx_step *step)
{
    const wsr_shape *const shape = &step->vertex->shape;
    const char *const list =
        wsr__onnx_wholes(step, shape->dims, (size_t)shape->ndims);
    (void)wsr__onnx_add2(step, step->row->op, wsr__onnx_src(step, 0), list);
}

// The layout of numbers in memory is nobody else's.
static void write_reorder(wsr__onnx_step *step)
{
    (void)wsr__onnx_add1(step, "Identity", wsr__onnx_src(step, 0));
}

static const wsr__onnx_row rows[] = {
    {"Reshape", read_reshape, "reshape", 1, write_reshape},
    {"Flatten", read_flatten, "reshape", 1, NULL},
    {"Squeeze", read_squeeze, "reshape", 1, NULL},
    {"Unsqueeze", read_unsqueeze, "reshape", 1, NULL},
    {"Transpose", read_transpose, "transpose", 1, write_transpose},
    {"Expand", read_expand, "expand", 1, write_expand},
    {NULL, NULL, "view", 0, write_view},
    {NULL, NULL, "reorder", 0, write_reorder},
    {0},
};

const wsr__operator_class wsr__operator_shapes = {
    .super = {"shapes", "other shapes of the same numbers", "", NULL, 0},
    .rows = rows,
};
