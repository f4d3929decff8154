// SPDX-License-Identifier: Apache-2.0
//
// Nodes that take parts of values, put values side by side, or pad them.

#include "onnx/read.h"
#include "onnx/write.h"

#include <string.h>

// ------------------------------------------------------------------- Concat

// A constant beside values (the class token of a transformer): the same for
// each image. The graph has the batch from a value: zeros of it are added.
static wsr_status spread(wsr_value *out, wsr__onnx_node *node,
                         wsr__onnx_value *c, const wsr__onnx_value *like)
{
    static const int64_t one[WSR_MAX_DIMS] = {1, 1, 1, 1, 1, 1};
    wsr_status status = WSR_OK;
    wsr_shape shape = {0};
    wsr_value srcs[2] = {0};
    const int64_t flat = wsr_shape_count(&like->shape);
    for (int i = 0; i < c->shape.ndims; i++) {
        if (i != like->batch) {
            shape.dims[shape.ndims++] = c->shape.dims[i];
        }
    }
    if (!wsr__onnx_is_plain(like) || c->shape.ndims != like->shape.ndims ||
        c->shape.dims[like->batch] != 1) {
        return WSR_FAIL(WSR_FORMAT, "a constant does not fit the values beside "
                                    "it");
    }
    wsr__onnx_op op = wsr__onnx_begin("reshape");
    wsr__onnx_set_ints(&op, "dims", &flat, 1);
    WSR_TRY(wsr__onnx_emit(&srcs[0], node, &op, &like->value, 1));
    op = wsr__onnx_begin("slice");
    wsr__onnx_set_int(&op, "axis", 1);
    wsr__onnx_set_int(&op, "end", 1);
    WSR_TRY(wsr__onnx_emit(&srcs[0], node, &op, &srcs[0], 1));
    WSR_TRY(wsr__onnx_emit1(&srcs[0], node, "zero", srcs[0]));
    op = wsr__onnx_begin("reshape");
    wsr__onnx_set_ints(&op, "dims", one, (size_t)shape.ndims);
    WSR_TRY(wsr__onnx_emit(&srcs[0], node, &op, &srcs[0], 1));
    WSR_TRY(wsr__onnx_param(&srcs[1], node, c, &shape));
    op = wsr__onnx_begin("add");
    WSR_TRY(wsr__onnx_emit(out, node, &op, srcs, 2));
out:
    return status;
}

// Copy a constant into a result that holds several along an axis.
static void copy_part(wsr__onnx_value *out, const wsr__onnx_value *part,
                      int axis, int64_t at)
{
    int64_t inner = 1;
    int64_t outer = 1;
    for (int i = 0; i < out->shape.ndims; i++) {
        inner *= i > axis ? out->shape.dims[i] : 1;
        outer *= i < axis ? out->shape.dims[i] : 1;
    }
    const int64_t run = part->shape.dims[axis] * inner;
    for (int64_t i = 0; i < outer * run; i++) {
        const int64_t to = (i / run * out->shape.dims[axis] + at) * inner +
                           i % run;
        if (out->integer) {
            out->ints[to] = part->ints[i];
            out->powers[to] = part->powers != NULL ? part->powers[i] : 0;
        } else {
            out->floats[to] = part->floats[i];
        }
    }
}

// Size of the result along the axis; the others must be alike.
static wsr_status concat_shape(wsr_shape *out, const wsr__onnx_node *node,
                               int axis)
{
    *out = node->in[0]->shape;
    out->dims[axis] = 0;
    for (size_t k = 0; k < node->n_in; k++) {
        const wsr__onnx_value *const x = node->in[k];
        bool fits = x != NULL && x->shape.ndims == out->ndims;
        for (int i = 0; fits && i < out->ndims; i++) {
            fits = i == axis || x->constant != node->in[0]->constant ||
                   x->shape.dims[i] == out->dims[i];
        }
        if (!fits) {
            return WSR_FAIL(WSR_FORMAT, "its inputs do not fit each other");
        }
        out->dims[axis] += x->shape.dims[axis];
    }
    return WSR_OK;
}

static wsr_status concat_constants(wsr__onnx_node *node, const wsr_shape *shape,
                                   int axis)
{
    wsr_status status = WSR_OK;
    int64_t at = 0;
    WSR_TRY(wsr__onnx_constant(node, 0, node->in[0]->integer, shape));
    for (size_t k = 0; k < node->n_in; k++) {
        WSR_TRY(node->in[k]->integer == node->in[0]->integer
                    ? WSR_OK
                    : WSR_FAIL(WSR_FORMAT, "its inputs are of different "
                                           "types"));
        WSR_TRY(wsr__onnx_decode(node, node->in[k]));
        copy_part(node->out[0], node->in[k], axis, at);
        at += node->in[k]->shape.dims[axis];
    }
out:
    return status;
}

static wsr_status concat_values(wsr__onnx_node *node, wsr_value *srcs,
                                wsr_shape *shape, int axis)
{
    wsr_status status = WSR_OK;
    const wsr__onnx_value *like = NULL;
    wsr_value y = 0;
    for (size_t k = 0; k < node->n_in; k++) {
        like = like == NULL && !node->in[k]->constant ? node->in[k] : like;
    }
    if (like == NULL) { // the caller has seen one
        return WSR_FAIL(WSR_FORMAT, "it has no value");
    }
    for (size_t k = 0; k < node->n_in; k++) {
        wsr__onnx_value *const x = node->in[k];
        if (x->constant) {
            WSR_TRY(spread(&srcs[k], node, x, like));
            continue;
        }
        if (x->batch != like->batch ||
            x->shape.dims[x->batch] != like->shape.dims[like->batch]) {
            return WSR_FAIL(WSR_FORMAT, "its inputs have the batch at "
                                        "different axes");
        }
        srcs[k] = x->value;
    }
    if (axis == like->batch) {
        return WSR_FAIL(WSR_FORMAT, "it joins batches");
    }
    wsr__onnx_op op = wsr__onnx_begin("concat");
    wsr__onnx_set_int(&op, "axis", wsr__onnx_graph_axis(like, axis));
    WSR_TRY(wsr__onnx_emit(&y, node, &op, srcs, node->n_in));
    for (int i = 0; i < shape->ndims; i++) {
        shape->dims[i] = i == axis ? shape->dims[i] : like->shape.dims[i];
    }
    wsr__onnx_put(node, 0, y, shape, like->batch);
out:
    return status;
}

static wsr_status read_concat(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    wsr_shape shape;
    wsr_value *srcs = NULL;
    int axis = 0;
    WSR_TRY(wsr__onnx_axis(&axis, wsr__onnx_int(node, "axis", 1),
                           node->in[0]->shape.ndims));
    WSR_TRY(concat_shape(&shape, node, axis));
    if (wsr__onnx_all_constant(node)) {
        return concat_constants(node, &shape, axis);
    }
    if (node->n_in == 1) {
        return wsr__onnx_same(node, 0, node->in[0], &shape);
    }
    srcs = wsr__alloc(node->n_in, sizeof(*srcs));
    WSR_TRY(srcs != NULL ? WSR_OK : WSR_NOMEM);
    WSR_TRY(concat_values(node, srcs, &shape, axis));
out:
    wsr__free(srcs);
    return status;
}

// -------------------------------------------------------------------- ranges

// Elements begin, begin + step, ... of an axis: n of them.
typedef struct range {
    int axis;
    int64_t begin;
    int64_t step;
    int64_t n;
} range;

// Those of a constant. [out, owned]
static int64_t *range_index(const wsr_shape *from, const range *r)
{
    int64_t inner = 1;
    for (int i = r->axis + 1; i < from->ndims; i++) {
        inner *= from->dims[i];
    }
    wsr_shape to = *from;
    to.dims[r->axis] = r->n;
    const int64_t count = wsr_shape_count(&to);
    int64_t *const index = wsr__alloc_raw((size_t)count, sizeof(*index));
    for (int64_t i = 0; index != NULL && i < count; i++) {
        const int64_t row = i / inner / r->n;
        const int64_t at = r->begin + i / inner % r->n * r->step;
        index[i] = (row * from->dims[r->axis] + at) * inner + i % inner;
    }
    return index;
}

static wsr_status emit_range(wsr_value *out, const wsr__onnx_node *node,
                             const wsr__onnx_value *x, const range *r)
{
    if (r->axis == x->batch) {
        return WSR_FAIL(WSR_FORMAT, "it takes some images of a batch");
    }
    if (r->n < 1) {
        return WSR_FAIL(WSR_FORMAT, "it takes nothing of axis %d", r->axis);
    }
    // The op has the smaller end first, whatever the direction.
    const int64_t last = r->begin + (r->n - 1) * r->step;
    wsr__onnx_op op = wsr__onnx_begin("slice");
    wsr__onnx_set_int(&op, "axis", wsr__onnx_graph_axis(x, r->axis));
    wsr__onnx_set_int(&op, "begin", r->step > 0 ? r->begin : last);
    wsr__onnx_set_int(&op, "end", (r->step > 0 ? last : r->begin) + 1);
    if (r->step != 1) {
        wsr__onnx_set_int(&op, "step", r->step);
    }
    return wsr__onnx_emit(out, node, &op, &x->value, 1);
}

// A range of `from`, a constant or a value, as output `i`.
static wsr_status put_range(wsr__onnx_node *node, size_t i,
                            wsr__onnx_value *from, const range *r)
{
    wsr_status status = WSR_OK;
    wsr_shape shape = from->shape;
    int64_t *index = NULL;
    wsr_value y = 0;
    shape.dims[r->axis] = r->n;
    if (r->n == from->shape.dims[r->axis] && r->step == 1) {
        return wsr__onnx_same(node, i, from, &shape);
    }
    if (from->constant) {
        index = range_index(&from->shape, r);
        WSR_TRY(index != NULL ? WSR_OK : WSR_NOMEM);
        WSR_TRY(wsr__onnx_pick(node, i, from, &shape, index));
        goto out;
    }
    WSR_TRY(emit_range(&y, node, from, r));
    wsr__onnx_put(node, i, y, &shape, from->batch);
out:
    wsr__free(index);
    return status;
}

// -------------------------------------------------------------------- Slice

static int64_t clamped(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

// Python's rules: negative ends count from the back, all are cut to the axis.
static void set_range(range *r, int64_t size, int64_t start, int64_t end)
{
    const bool up = r->step > 0;
    start = start < 0 ? start + size : start;
    end = end < 0 && end >= -size ? end + size : end;
    r->begin = up ? clamped(start, 0, size) : clamped(start, -1, size - 1);
    end = up ? clamped(end, 0, size) : clamped(end, -1, size - 1);
    const int64_t way = up ? end - r->begin : r->begin - end;
    const int64_t step = up ? r->step : -r->step;
    r->n = way > 0 ? (way + step - 1) / step : 0;
}

typedef struct slices {
    const int64_t *starts;
    const int64_t *ends;
    const int64_t *axes;  // NULL: 0, 1, ...
    const int64_t *steps; // NULL: 1
    size_t n;
} slices;

static wsr_status read_slices(slices *s, const wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    size_t n[4] = {0};
    WSR_TRY(wsr__onnx_numbers(&s->starts, &n[0], node, 1, "starts"));
    WSR_TRY(wsr__onnx_numbers(&s->ends, &n[1], node, 2, "ends"));
    WSR_TRY(wsr__onnx_numbers(&s->axes, &n[2], node, 3, "axes"));
    WSR_TRY(wsr__onnx_numbers(&s->steps, &n[3], node, 4, "steps"));
    s->n = n[0];
    if (n[1] != n[0] || (s->axes != NULL && n[2] != n[0]) ||
        (s->steps != NULL && n[3] != n[0]) ||
        n[0] > (size_t)node->in[0]->shape.ndims) {
        return WSR_FAIL(WSR_FORMAT, "its starts, ends, axes and steps do not "
                                    "fit each other");
    }
out:
    return status;
}

enum { MOST_STEP = 1 << 20 };

// Rows and columns begin, begin + step, ... of an image are pixels of it: the
// op subsample, with the two numbers.
static bool is_subsample(int64_t *begin, int64_t *step,
                         const wsr__onnx_node *node, const slices *s)
{
    const wsr__onnx_value *const x = node->in[0];
    bool fits = wsr__onnx_may_be(node, "subsample") && !x->constant &&
                x->shape.ndims == 4 && wsr__onnx_is_plain(x) && s->n == 2 &&
                s->steps != NULL && s->axes != NULL;
    for (int i = 0; i < 2 && fits; i++) {
        fits = s->axes[i] == 2 + i && s->starts[i] == s->starts[0] &&
               s->steps[i] == s->steps[0] && s->starts[i] >= 0 &&
               s->starts[i] < 64 && s->starts[i] < x->shape.dims[2 + i] &&
               s->steps[i] > 1 && s->steps[i] <= 64 &&
               s->ends[i] >= x->shape.dims[2 + i];
    }
    *begin = fits ? s->starts[0] : 0;
    *step = fits ? s->steps[0] : 0;
    return fits;
}

static wsr_status put_subsample(wsr__onnx_node *node, int64_t begin,
                                int64_t step)
{
    wsr_status status = WSR_OK;
    wsr_value y = 0;
    wsr__onnx_op op = wsr__onnx_begin("subsample");
    wsr__onnx_set_int(&op, "offset", begin);
    wsr__onnx_set_int(&op, "stride", step);
    WSR_TRY(wsr__onnx_emit(&y, node, &op, &node->in[0]->value, 1));
    wsr__onnx_put(node, 0, y, wsr_graph_shape(node->reader->graph, y), 0);
out:
    return status;
}

// One axis after the other: each result is the source of the next.
static wsr_status read_slice(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    slices s = {0};
    wsr__onnx_value now = *node->in[0];
    wsr__onnx_value *const out = node->out[0];
    const char *const name = out->name;
    bool owned = false;
    int64_t begin = 0;
    int64_t step = 0;
    WSR_TRY(read_slices(&s, node));
    if (is_subsample(&begin, &step, node, &s)) {
        return put_subsample(node, begin, step);
    }
    for (size_t i = 0; i < s.n; i++) {
        range r = {.step = s.steps != NULL ? s.steps[i] : 1};
        WSR_TRY(wsr__onnx_axis(&r.axis, s.axes != NULL ? s.axes[i] : (int)i,
                               now.shape.ndims));
        WSR_TRY(r.step != 0 && r.step >= -MOST_STEP && r.step <= MOST_STEP
                    ? WSR_OK
                    : WSR_FAIL(WSR_FORMAT, "a step is outside [-%d, %d]",
                               MOST_STEP, MOST_STEP));
        set_range(&r, now.shape.dims[r.axis], s.starts[i], s.ends[i]);
        *out = (wsr__onnx_value){.name = name};
        status = put_range(node, 0, &now, &r);
        if (owned) {
            wsr__free(now.floats);
            wsr__free(now.ints);
            wsr__free(now.powers);
        } else if (node->in[0]->tensor != NULL) { // decoded on the way
            node->in[0]->floats = now.floats;
            node->in[0]->ints = now.ints;
        }
        WSR_TRY(status);
        now = *out;
        owned = true;
    }
    if (s.n == 0) {
        WSR_TRY(wsr__onnx_same(node, 0, node->in[0], &now.shape));
    }
out:
    return status;
}

// -------------------------------------------------------------------- Split

// Sizes of the parts: those that the node names, or equal ones, the last
// smaller where that must be.
static int64_t part_size(const wsr__onnx_node *node, const int64_t *sizes,
                         int64_t size, size_t i)
{
    const int64_t n = (int64_t)node->n_out;
    const int64_t each = (size + n - 1) / n;
    if (sizes != NULL) {
        return sizes[i];
    }
    return (int64_t)i < n - 1 ? each : size - each * (n - 1);
}

static wsr_status read_split(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    wsr__onnx_value *const x = node->in[0];
    const int64_t *sizes = NULL;
    size_t n = 0;
    range r = {.step = 1};
    WSR_TRY(wsr__onnx_numbers(&sizes, &n, node, 1, "split"));
    WSR_TRY(wsr__onnx_axis(&r.axis, wsr__onnx_int(node, "axis", 0),
                           x->shape.ndims));
    const int64_t size = x->shape.dims[r.axis];
    for (size_t i = 0; i < node->n_out; i++) {
        if (sizes != NULL && n != node->n_out) {
            return WSR_FAIL(WSR_FORMAT, "it has %zu sizes for %zu outputs", n,
                            node->n_out);
        }
        r.n = part_size(node, sizes, size, i);
        if (r.n < 0 || r.n > size - r.begin) {
            return WSR_FAIL(WSR_FORMAT, "its parts do not fit its input");
        }
        if (node->out[i] != NULL) {
            WSR_TRY(put_range(node, i, x, &r));
        }
        r.begin += r.n;
    }
out:
    return status;
}

// ------------------------------------------------------------------- Gather

// The shape of the result: that of the indices in the place of the axis.
static wsr_status gather_shape(wsr_shape *out, const wsr_shape *x,
                               const wsr_shape *indices, int axis)
{
    *out = (wsr_shape){0};
    if (x->ndims - 1 + indices->ndims > WSR_MAX_DIMS) {
        return WSR_FAIL(WSR_FORMAT, "its result has more than %d dimensions",
                        WSR_MAX_DIMS);
    }
    for (int i = 0; i < axis; i++) {
        out->dims[out->ndims++] = x->dims[i];
    }
    for (int i = 0; i < indices->ndims; i++) {
        out->dims[out->ndims++] = indices->dims[i];
    }
    for (int i = axis + 1; i < x->ndims; i++) {
        out->dims[out->ndims++] = x->dims[i];
    }
    return WSR_OK;
}

// Indices counted from the front. [out, owned]
static wsr_status front_indices(int64_t **out, const wsr__onnx_value *indices,
                                int64_t size)
{
    *out = wsr__alloc(indices->count, sizeof(**out));
    if (*out == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < indices->count; i++) {
        const int64_t k = indices->ints[i];
        if (k < -size || k >= size) {
            return WSR_FAIL(WSR_FORMAT, "index %lld is outside [%lld, %lld)",
                            (long long)k, (long long)-size, (long long)size);
        }
        (*out)[i] = k < 0 ? k + size : k;
    }
    return WSR_OK;
}

static wsr_status gather_constant(wsr__onnx_node *node, const wsr_shape *shape,
                                  const int64_t *at, int axis)
{
    wsr_status status = WSR_OK;
    wsr__onnx_value *const x = node->in[0];
    const int64_t n = (int64_t)node->in[1]->count;
    int64_t inner = 1;
    for (int i = axis + 1; i < x->shape.ndims; i++) {
        inner *= x->shape.dims[i];
    }
    int64_t *index = NULL;
    double count = 1;
    for (int i = 0; i < shape->ndims; i++) {
        count *= (double)shape->dims[i];
    }
    if (count > (double)node->reader->room) {
        return WSR_FAIL(WSR_FORMAT, "its constant result is too large");
    }
    index = wsr__alloc((size_t)count, sizeof(*index));
    WSR_TRY(index != NULL ? WSR_OK : WSR_NOMEM);
    for (int64_t i = 0; i < (int64_t)count; i++) {
        const int64_t row = i / inner / n;
        index[i] = (row * x->shape.dims[axis] + at[i / inner % n]) * inner +
                   i % inner;
    }
    WSR_TRY(wsr__onnx_pick(node, 0, x, shape, index));
out:
    wsr__free(index);
    return status;
}

// An op lists a bounded number of indices: longer lists are several, side by
// side.
static wsr_status emit_gather(wsr_value *out, const wsr__onnx_node *node,
                              int axis, const int64_t *at)
{
    wsr_status status = WSR_OK;
    const size_t n = node->in[1]->count;
    const size_t parts = (n + WSR__LIST_SIZE - 1) / WSR__LIST_SIZE;
    wsr_value *const srcs = wsr__alloc(parts, sizeof(*srcs));
    WSR_TRY(srcs != NULL ? WSR_OK : WSR_NOMEM);
    for (size_t i = 0; i < parts; i++) {
        const size_t begin = i * WSR__LIST_SIZE;
        const size_t left = n - begin;
        wsr__onnx_op op = wsr__onnx_begin("gather");
        wsr__onnx_set_int(&op, "axis", axis);
        wsr__onnx_set_ints(&op, "indices", at + begin,
                           left < WSR__LIST_SIZE ? left : WSR__LIST_SIZE);
        WSR_TRY(wsr__onnx_emit(&srcs[i], node, &op, &node->in[0]->value, 1));
    }
    *out = srcs[0];
    if (parts > 1) {
        wsr__onnx_op op = wsr__onnx_begin("concat");
        wsr__onnx_set_int(&op, "axis", axis);
        WSR_TRY(wsr__onnx_emit(out, node, &op, srcs, parts));
    }
out:
    wsr__free(srcs);
    return status;
}

// One index is a range, which is faster; a scalar takes the axis away.
static wsr_status gather_value(wsr__onnx_node *node, const wsr_shape *shape,
                               const int64_t *at, int axis)
{
    wsr_status status = WSR_OK;
    const wsr__onnx_value *const x = node->in[0];
    const wsr__onnx_value *const indices = node->in[1];
    wsr_value y = 0;
    if (axis == x->batch) {
        return WSR_FAIL(WSR_FORMAT, "it takes some images of a batch");
    }
    if (indices->count == 1) {
        const range r = {.axis = axis, .begin = at[0], .step = 1, .n = 1};
        WSR_TRY(emit_range(&y, node, x, &r));
    } else {
        WSR_TRY(emit_gather(&y, node, wsr__onnx_graph_axis(x, axis), at));
    }
    const int batch = x->batch < axis ? x->batch
                                      : x->batch - 1 + indices->shape.ndims;
    const wsr__onnx_value taken = {.value = y, .batch = batch};
    WSR_TRY(wsr__onnx_reshape(&y, node, &taken, shape, batch));
    wsr__onnx_put(node, 0, y, shape, batch);
out:
    return status;
}

static wsr_status read_gather(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    wsr__onnx_value *const x = node->in[0];
    wsr__onnx_value *const indices = node->in[1];
    wsr_shape shape;
    int64_t *at = NULL;
    int axis = 0;
    if (!indices->constant || !indices->integer) {
        return WSR_FAIL(WSR_FORMAT, "its indices depend on the image");
    }
    WSR_TRY(
        wsr__onnx_axis(&axis, wsr__onnx_int(node, "axis", 0), x->shape.ndims));
    WSR_TRY(wsr__onnx_decode(node, indices));
    WSR_TRY(gather_shape(&shape, &x->shape, &indices->shape, axis));
    WSR_TRY(front_indices(&at, indices, x->shape.dims[axis]));
    WSR_TRY(x->constant ? gather_constant(node, &shape, at, axis)
                        : gather_value(node, &shape, at, axis));
out:
    wsr__free(at);
    return status;
}

// ---------------------------------------------------------------------- Pad

static bool pads_nothing(const int64_t *pads, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (pads[i] != 0) {
            return false;
        }
    }
    return true;
}

// Widths before all axes, then behind them: the node has them all, or those of
// the axes of its fourth input. False for widths that are not an image's.
static wsr_status read_widths(bool *fit, int64_t out[2 * WSR_MAX_DIMS],
                              const wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    const int d = node->in[0]->shape.ndims;
    const int64_t *pads = NULL;
    const int64_t *axes = NULL;
    size_t n = 0;
    size_t n_axes = 0;
    WSR_TRY(wsr__onnx_numbers(&pads, &n, node, 1, "pads"));
    WSR_TRY(wsr__onnx_numbers(&axes, &n_axes, node, 3, "axes"));
    const size_t listed = axes != NULL ? n_axes : (size_t)d;
    *fit = n == 2 * listed && listed <= (size_t)d;
    for (size_t i = 0; *fit && i < listed; i++) {
        int axis = 0;
        WSR_TRY(wsr__onnx_axis(&axis, axes != NULL ? axes[i] : (int64_t)i, d));
        out[axis] = pads[i];
        out[d + axis] = pads[listed + i];
    }
    *fit = *fit && wsr__onnx_is_plain(node->in[0]) && out[0] == 0 &&
           out[d] == 0;
out:
    return status;
}

// Inputs: x, pads, value, axes. The op lists the graph's axes.
static wsr_status read_pad(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    const wsr__onnx_value *const x = node->in[0];
    static const char *const modes[] = {"constant", "reflect", "edge", "wrap",
                                        NULL};
    const char *const mode = wsr__onnx_word(node, "mode", modes, modes[0]);
    int64_t all[2 * WSR_MAX_DIMS] = {0};
    double value = wsr__onnx_float(node, "value", 0);
    wsr_value y = 0;
    bool fit = false;
    WSR_TRY(wsr__onnx_need_value(node, 0));
    WSR_TRY(read_widths(&fit, all, node));
    const size_t n = 2 * (size_t)x->shape.ndims;
    if (wsr__onnx_in(node, 2) != NULL && !wsr__onnx_scalar(&value, node, 2)) {
        return WSR_FAIL(WSR_FORMAT, "its value is not one number");
    }
    if (!fit || mode == NULL) {
        return WSR_FAIL(WSR_FORMAT, "its %s",
                        fit ? "mode is not supported"
                            : "pads are not those of an image");
    }
    if (pads_nothing(all, n)) {
        return wsr__onnx_same(node, 0, node->in[0], &x->shape);
    }
    wsr__onnx_op op = wsr__onnx_begin("pad");
    wsr__onnx_set_ints(&op, "pads", all, n);
    wsr__onnx_set_word(&op, "mode", mode);
    wsr__onnx_set_float(&op, "value", value);
    WSR_TRY(wsr__onnx_emit(&y, node, &op, &x->value, 1));
    wsr__onnx_put(node, 0, y, wsr_graph_shape(node->reader->graph, y), 0);
out:
    return status;
}

// ------------------------------------------------------------------- writing

static void write_concat(wsr__onnx_step *step)
{
    const int64_t axis = wsr__onnx_get_int(step, "axis");
    if (axis == 0) {
        wsr__onnx_refuse(step, "joins batches, which no network does");
        return;
    }
    wsr__onnx_write_plain(step);
    wsr__onnx_with_int(step, "axis", axis);
}

// Downwards from the last element; an end before the first counts from the
// back.
static void write_slice(wsr__onnx_step *step)
{
    const int64_t axis = wsr__onnx_get_int(step, "axis");
    const int64_t size = wsr__onnx_src_shape(step, 0)->dims[axis];
    const int64_t begin = wsr__onnx_get_int(step, "begin");
    const int64_t stop = wsr__onnx_get_int(step, "end");
    const int64_t by = wsr__onnx_get_int(step, "step");
    const int64_t end = stop == 0 ? size : stop;
    wsr__onnx_range part = {axis, begin, end, by == 0 ? 1 : by};
    if (by < 0) {
        part.begin = end - 1;
        part.end = begin > 0 ? begin - 1 : -size - 1;
    }
    (void)wsr__onnx_slice(step, wsr__onnx_src(step, 0), &part, 1);
}

static void write_chunk(wsr__onnx_step *step)
{
    const int64_t axis = wsr__onnx_get_int(step, "axis");
    const int64_t index = wsr__onnx_get_int(step, "index");
    if (axis == 0) {
        wsr__onnx_refuse(step, "takes some images of a batch");
        return;
    }
    const int64_t each = wsr__onnx_src_shape(step, 0)->dims[axis] /
                         wsr__onnx_get_int(step, "count");
    const wsr__onnx_range part = {axis, index * each, (index + 1) * each, 1};
    (void)wsr__onnx_slice(step, wsr__onnx_src(step, 0), &part, 1);
}

static void write_subsample(wsr__onnx_step *step)
{
    const int64_t offset = wsr__onnx_get_int(step, "offset");
    const int64_t stride = wsr__onnx_get_int(step, "stride");
    const wsr_shape *const shape = wsr__onnx_src_shape(step, 0);
    const wsr__onnx_range ranges[] = {{2, offset, shape->dims[2], stride},
                                      {3, offset, shape->dims[3], stride}};
    (void)wsr__onnx_slice(step, wsr__onnx_src(step, 0), ranges, 2);
}

static void write_gather(wsr__onnx_step *step)
{
    const wsr__ints *const indices = wsr__onnx_get_ints(step, "indices");
    const char *const list = wsr__onnx_wholes(step, indices->v, indices->n);
    (void)wsr__onnx_add2(step, step->row->op, wsr__onnx_src(step, 0), list);
    wsr__onnx_with_int(step, "axis", wsr__onnx_get_int(step, "axis"));
}

// The op may leave the batch out.
static void write_pad(wsr__onnx_step *step)
{
    const wsr__ints *const list = wsr__onnx_get_ints(step, "pads");
    const size_t ndims = (size_t)wsr__onnx_src_shape(step, 0)->ndims;
    const size_t n = list->n / 2;
    int64_t pads[2 * WSR_MAX_DIMS] = {0};
    for (size_t i = 0; i < n; i++) {
        pads[ndims - n + i] = list->v[i];
        pads[2 * ndims - n + i] = list->v[n + i];
    }
    const char *const inputs[] = {
        wsr__onnx_src(step, 0), wsr__onnx_wholes(step, pads, 2 * ndims),
        wsr__onnx_number(step, wsr__onnx_get_float(step, "value"))};
    (void)wsr__onnx_add(step, step->row->op, inputs, 3);
    wsr__onnx_with_word(step, "mode", wsr__onnx_get_word(step, "mode"));
}

static const wsr__onnx_row rows[] = {
    {"Concat", read_concat, "concat", 1, write_concat},
    {"Slice", read_slice, "slice", 1, write_slice},
    {"Split", read_split, "slice", 1, NULL},
    {"Gather", read_gather, "gather", 2, write_gather},
    {"Pad", read_pad, "pad", 1, write_pad},
    {NULL, NULL, "chunk", 0, write_chunk},
    {NULL, NULL, "subsample", 0, write_subsample},
    {0},
};

const wsr__operator_class wsr__operator_selections = {
    .super = {"selections", "parts of values, and values side by side", "",
              NULL, 0},
    .rows = rows,
};
