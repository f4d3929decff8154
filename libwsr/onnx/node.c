// SPDX-License-Identifier: Apache-2.0
//
// What readers of nodes share: attributes, inputs, and ops of the graph.

#include "onnx/read.h"

#include <math.h>
#include <string.h>

// --------------------------------------------------------------- attributes

const Wsr__Onnx__Attribute *wsr__onnx_attribute(const wsr__onnx_node *node,
                                                const char *key)
{
    for (size_t i = 0; i < node->proto->n_attribute; i++) {
        const Wsr__Onnx__Attribute *const a = node->proto->attribute[i];
        if (a->name != NULL && wsr__streq(a->name, key)) {
            return a;
        }
    }
    return NULL;
}

int64_t wsr__onnx_int(const wsr__onnx_node *node, const char *key,
                      int64_t fallback)
{
    const Wsr__Onnx__Attribute *const a = wsr__onnx_attribute(node, key);
    return a != NULL && a->has_i ? a->i : fallback;
}

// The decimal of fewest digits that rounds to the float. Powers of ten up to
// 1e22 are exact, so that the division is rounded once, as a literal is.
double wsr__onnx_decimal(float f)
{
    static const double powers[] = {
        1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const double size = fabs((double)f);
    for (size_t k = 0; k < sizeof(powers) / sizeof(*powers); k++) {
        const double digits = round((double)f * powers[k]);
        if (size < 1e9 && fabs(digits) < 1e9 &&
            (float)(digits / powers[k]) == f) {
            return digits / powers[k];
        }
    }
    return (double)f;
}

double wsr__onnx_float(const wsr__onnx_node *node, const char *key,
                       double fallback)
{
    const Wsr__Onnx__Attribute *const a = wsr__onnx_attribute(node, key);
    return a != NULL && a->has_f ? wsr__onnx_decimal(a->f) : fallback;
}

bool wsr__onnx_is(const wsr__onnx_node *node, const char *key, const char *word,
                  bool fallback)
{
    const Wsr__Onnx__Attribute *const a = wsr__onnx_attribute(node, key);
    if (a == NULL || !a->has_s) {
        return fallback;
    }
    return a->s.len == strlen(word) && memcmp(a->s.data, word, a->s.len) == 0;
}

const char *wsr__onnx_word(const wsr__onnx_node *node, const char *key,
                           const char *const *words, const char *fallback)
{
    if (wsr__onnx_attribute(node, key) == NULL) {
        return fallback;
    }
    for (size_t i = 0; words[i] != NULL; i++) {
        if (wsr__onnx_is(node, key, words[i], false)) {
            return words[i];
        }
    }
    return NULL;
}

const int64_t *wsr__onnx_ints(const wsr__onnx_node *node, const char *key,
                              size_t *n)
{
    const Wsr__Onnx__Attribute *const a = wsr__onnx_attribute(node, key);
    *n = a != NULL ? a->n_ints : 0;
    return *n > 0 ? a->ints : NULL;
}

// -------------------------------------------------------------------- names

// Our nodes are named "op_12", or "op_12.0" where they are not the last of
// theirs: what stands behind the number, NULL where it is not ours.
static const char *behind_number(const wsr__onnx_node *node, const char *op)
{
    const char *const name = node->proto->name;
    const size_t n = strlen(op);
    if (!node->reader->own || name == NULL || strncmp(name, op, n) != 0 ||
        name[n] != '_') {
        return NULL;
    }
    const size_t digits = strspn(name + n + 1, "0123456789");
    return digits > 0 ? name + n + 1 + digits : NULL;
}

bool wsr__onnx_is_own(const wsr__onnx_node *node, const char *op)
{
    const char *const rest = behind_number(node, op);
    return rest != NULL && rest[0] == '\0';
}

bool wsr__onnx_is_part(const wsr__onnx_node *node, const char *op)
{
    const char *const rest = behind_number(node, op);
    return rest != NULL && rest[0] == '.';
}

bool wsr__onnx_joins(const wsr__onnx_node *node, size_t i)
{
    const char *const name = node->proto->name;
    const char *const input = i < node->proto->n_input ? node->proto->input[i]
                                                       : "";
    const size_t n = name != NULL ? strlen(name) : 0;
    return node->reader->own && n > 0 && strncmp(name, input, n) == 0 &&
           input[n] == '.';
}

bool wsr__onnx_may_be(const wsr__onnx_node *node, const char *op)
{
    const char *const name = node->proto->name;
    return !node->reader->own || name == NULL || strchr(name, '.') != NULL ||
           wsr__onnx_is_own(node, op);
}

// ------------------------------------------------------------------- inputs

wsr__onnx_value *wsr__onnx_in(const wsr__onnx_node *node, size_t i)
{
    return i < node->n_in ? node->in[i] : NULL;
}

bool wsr__onnx_all_constant(const wsr__onnx_node *node)
{
    for (size_t i = 0; i < node->n_in; i++) {
        if (node->in[i] != NULL && !node->in[i]->constant) {
            return false;
        }
    }
    return true;
}

wsr_status wsr__onnx_need_value(const wsr__onnx_node *node, size_t i)
{
    return wsr__onnx_in(node, i) != NULL && !wsr__onnx_in(node, i)->constant
               ? WSR_OK
               : WSR_FAIL(WSR_FORMAT, "input %zu does not depend on the image",
                          i);
}

wsr_status wsr__onnx_numbers(const int64_t **out, size_t *n,
                             const wsr__onnx_node *node, size_t i,
                             const char *key)
{
    wsr_status status = WSR_OK;
    wsr__onnx_value *const value = wsr__onnx_in(node, i);
    *out = wsr__onnx_ints(node, key, n);
    if (value == NULL) {
        return WSR_OK;
    }
    if (!value->constant) {
        return WSR_FAIL(WSR_FORMAT, "%s depends on the image", key);
    }
    WSR_TRY(wsr__onnx_decode(node, value));
    if (!value->integer) {
        return WSR_FAIL(WSR_FORMAT, "%s holds no whole numbers", key);
    }
    *out = value->ints;
    *n = value->count;
out:
    return status;
}

bool wsr__onnx_scalar(double *out, const wsr__onnx_node *node, size_t i)
{
    wsr__onnx_value *const value = wsr__onnx_in(node, i);
    if (value == NULL || !value->constant || value->count != 1 ||
        wsr__onnx_decode(node, value) != WSR_OK) {
        return false;
    }
    *out = value->integer ? (double)value->ints[0] : (double)value->floats[0];
    return true;
}

wsr_status wsr__onnx_axis(int *out, int64_t axis, int ndims)
{
    if (axis < -ndims || axis >= ndims) {
        return WSR_FAIL(WSR_FORMAT, "axis %lld is outside [%d, %d)",
                        (long long)axis, -ndims, ndims);
    }
    *out = (int)(axis < 0 ? axis + ndims : axis);
    return WSR_OK;
}

wsr_status wsr__onnx_need_image(const wsr__onnx_node *node)
{
    const wsr__onnx_value *const x = wsr__onnx_in(node, 0);
    if (x == NULL || x->constant || x->shape.ndims != 4 ||
        !wsr__onnx_is_plain(x)) {
        return WSR_FAIL(WSR_FORMAT, "its input is not of the shape "
                                    "(n, c, h, w)");
    }
    return WSR_OK;
}

// ------------------------------------------------------------ ops of the graph

wsr__onnx_op wsr__onnx_begin(const char *name)
{
    wsr__onnx_op op = {0};
    op.failed = wsr__op_find(&op.cls, name);
    if (op.failed == WSR_OK) {
        op.failed = wsr__class_copy(&op.params, &op.cls->super, NULL);
    }
    return op;
}

// The field of an option of a kind; NULL, with a failure kept, for none.
static void *field_of(wsr__onnx_op *op, const char *key, wsr__kind kind,
                      const wsr__option **option)
{
    if (op->failed != WSR_OK) {
        return NULL;
    }
    *option = op->cls->super.schema == NULL
                  ? NULL
                  : wsr__schema_find(op->cls->super.schema, key);
    if (*option == NULL || (*option)->kind != kind) {
        op->failed = WSR_FAIL(WSR_FORMAT, "%s.%s: is not supported",
                              op->cls->super.name, key);
        return NULL;
    }
    return (char *)op->params + (*option)->offset;
}

// Whether the option permits what its field holds now.
static void check(wsr__onnx_op *op, const wsr__option *option,
                  const void *field)
{
    const wsr_status status = wsr__value_check(option, field);
    if (status != WSR_OK) {
        op->failed =
            wsr__fail_at(WSR_FORMAT, "%s.%s", op->cls->super.name, option->key);
    }
}

void wsr__onnx_set_bool(wsr__onnx_op *op, const char *key, bool value)
{
    const wsr__option *option = NULL;
    bool *const field = field_of(op, key, WSR__BOOL, &option);
    if (field != NULL) {
        *field = value;
    }
}

void wsr__onnx_set_int(wsr__onnx_op *op, const char *key, int64_t value)
{
    const wsr__option *option = NULL;
    int64_t *const field = field_of(op, key, WSR__INT, &option);
    if (field != NULL) {
        *field = value;
        check(op, option, field);
    }
}

void wsr__onnx_set_float(wsr__onnx_op *op, const char *key, double value)
{
    const wsr__option *option = NULL;
    double *const field = field_of(op, key, WSR__FLOAT, &option);
    if (field != NULL) {
        *field = value;
        check(op, option, field);
    }
}

void wsr__onnx_set_word(wsr__onnx_op *op, const char *key, const char *value)
{
    const wsr__option *option = NULL;
    wsr__text *const field = field_of(op, key, WSR__WORD, &option);
    if (field != NULL) {
        (void)snprintf(field->s, sizeof(field->s), "%s", value);
        check(op, option, field);
    }
}

const char *const *wsr__onnx_words(wsr__onnx_op *op, const char *key)
{
    static const char *const none[] = {NULL};
    const wsr__option *option = NULL;
    return field_of(op, key, WSR__WORD, &option) != NULL ? option->words : none;
}

// The list of an option, NULL when it cannot take so many numbers.
static void *list_of(wsr__onnx_op *op, const char *key, wsr__kind kind,
                     const wsr__option **option, size_t n)
{
    void *const field = field_of(op, key, kind, option);
    if (field != NULL && n > WSR__LIST_SIZE) {
        op->failed = WSR_FAIL(WSR_FORMAT, "%s.%s: %zu numbers are above %d",
                              op->cls->super.name, key, n, WSR__LIST_SIZE);
        return NULL;
    }
    return field;
}

void wsr__onnx_set_ints(wsr__onnx_op *op, const char *key,
                        const int64_t *values, size_t n)
{
    const wsr__option *option = NULL;
    wsr__ints *const field = list_of(op, key, WSR__INTS, &option, n);
    if (field == NULL) {
        return;
    }
    *field = (wsr__ints){.n = n};
    for (size_t i = 0; i < n; i++) {
        field->v[i] = values[i];
    }
    check(op, option, field);
}

void wsr__onnx_set_floats(wsr__onnx_op *op, const char *key,
                          const double *values, size_t n)
{
    const wsr__option *option = NULL;
    wsr__floats *const field = list_of(op, key, WSR__FLOATS, &option, n);
    if (field == NULL) {
        return;
    }
    *field = (wsr__floats){.n = n};
    for (size_t i = 0; i < n; i++) {
        field->v[i] = values[i];
    }
    check(op, option, field);
}

const wsr__vertex *wsr__onnx_op_of(const wsr__onnx_node *node, wsr_value value,
                                   const wsr__op_class *cls)
{
    const wsr__vertex *const v = &node->reader->graph->list[value];
    return v->role == WSR__OP && v->cls == cls ? v : NULL;
}

wsr_status wsr__onnx_emit(wsr_value *out, const wsr__onnx_node *node,
                          wsr__onnx_op *op, const wsr_value *srcs, size_t n)
{
    wsr_graph *const graph = node->reader->graph;
    wsr_status status = op->failed;
    if (status == WSR_OK) {
        *out = wsr__opn_of(graph, op->cls, op->params, srcs, n);
        status = wsr__graph_status(graph);
    }
    wsr__free(op->params);
    op->params = NULL;
    return status;
}

wsr_status wsr__onnx_emit1(wsr_value *out, const wsr__onnx_node *node,
                           const char *name, wsr_value src)
{
    wsr__onnx_op op = wsr__onnx_begin(name);
    return wsr__onnx_emit(out, node, &op, &src, 1);
}

// ------------------------------------------------------------------ results

// What lies before the batch in its axis, as in the first value that a node
// reads. Readers that change it say so afterwards.
static int64_t lead_of(const wsr__onnx_node *node)
{
    for (size_t i = 0; i < node->n_in; i++) {
        if (node->in[i] != NULL && !node->in[i]->constant) {
            return node->in[i]->lead;
        }
    }
    return 0;
}

void wsr__onnx_put(wsr__onnx_node *node, size_t i, wsr_value value,
                   const wsr_shape *shape, int batch)
{
    wsr__onnx_value *const out = i < node->n_out ? node->out[i] : NULL;
    if (out != NULL) {
        out->made = true;
        out->value = value;
        out->shape = *shape;
        out->batch = batch;
        out->lead = lead_of(node);
    }
}

void wsr__onnx_put_like(wsr__onnx_node *node, wsr_value value)
{
    wsr__onnx_put(node, 0, value, &node->in[0]->shape, node->in[0]->batch);
}

// The axis of the batch lies in front, and in its place too unless its size is
// 1.
int wsr__onnx_graph_axis(const wsr__onnx_value *value, int axis)
{
    const bool hidden = value->shape.dims[value->batch] == 1;
    return hidden && axis > value->batch ? axis : axis + 1;
}

bool wsr__onnx_is_plain(const wsr__onnx_value *value)
{
    return value->batch == 0 && value->shape.dims[0] == 1;
}

// Of several reshapes in a row the last alone counts.
static wsr_value before_reshapes(const wsr_graph *graph, wsr_value value)
{
    const wsr__vertex *v = &graph->list[value];
    while (v->role == WSR__OP && v->cls == &wsr__op_reshape) {
        value = v->srcs[0];
        v = &graph->list[value];
    }
    return value;
}

static bool has_dims(const wsr_graph *graph, wsr_value value,
                     const int64_t *dims, size_t n)
{
    const wsr_shape *const now = wsr_graph_shape(graph, value);
    return (size_t)now->ndims == n + 1 &&
           memcmp(now->dims + 1, dims, n * sizeof(*dims)) == 0;
}

// The same numbers in the same order: only the dimensions change, and nothing
// where they do not.
wsr_status wsr__onnx_reshape(wsr_value *out, const wsr__onnx_node *node,
                             const wsr__onnx_value *value,
                             const wsr_shape *shape, int batch)
{
    int64_t dims[WSR_MAX_DIMS] = {0};
    size_t n = 0;
    for (int i = 0; i < shape->ndims; i++) {
        if (i != batch || shape->dims[i] != 1) {
            dims[n++] = shape->dims[i];
        }
    }
    const wsr_value base = before_reshapes(node->reader->graph, value->value);
    const wsr_value *const now =
        has_dims(node->reader->graph, value->value, dims, n) ? &value->value
        : has_dims(node->reader->graph, base, dims, n)       ? &base
                                                             : NULL;
    if (now != NULL) {
        *out = *now;
        return WSR_OK;
    }
    wsr__onnx_op op = wsr__onnx_begin("reshape");
    wsr__onnx_set_ints(&op, "dims", dims, n);
    return wsr__onnx_emit(out, node, &op, &base, 1);
}

static wsr_status view(wsr_value *out, const wsr__onnx_node *node,
                       wsr_value value, const int64_t *dims, size_t n)
{
    wsr__onnx_op op = wsr__onnx_begin("view");
    wsr__onnx_set_ints(&op, "dims", dims, n);
    return wsr__onnx_emit(out, node, &op, &value, 1);
}

// All axes but the last become rows for the product.
wsr_status wsr__onnx_linear(wsr_value *out, const wsr__onnx_node *node,
                            wsr_value src, wsr_value weights,
                            const wsr_value *bias)
{
    wsr_status status = WSR_OK;
    wsr_shape shape = *wsr_graph_shape(node->reader->graph, src);
    const int last = shape.ndims - 1;
    if (last < 1) {
        return WSR_FAIL(WSR_FORMAT, "it mixes the images of a batch");
    }
    if (last > 1) {
        WSR_TRY(view(&src, node, src, &shape.dims[last], 1));
    }
    const wsr_value srcs[] = {src, weights, bias != NULL ? *bias : 0};
    wsr__onnx_op op = wsr__onnx_begin("linear");
    WSR_TRY(wsr__onnx_emit(out, node, &op, srcs, bias != NULL ? 3 : 2));
    if (last > 1) {
        shape.dims[last] = wsr_graph_shape(node->reader->graph, *out)->dims[1];
        WSR_TRY(view(out, node, *out, shape.dims + 1, (size_t)last));
    }
out:
    return status;
}
