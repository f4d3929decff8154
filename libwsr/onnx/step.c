// SPDX-License-Identifier: Apache-2.0
//
// What writers of ops share: sources, options, nodes, attributes, constants.

#include "onnx/write.h"

#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = 96 };

// ------------------------------------------------------------------ sources

const char *wsr__onnx_src(const wsr__onnx_step *step, size_t i)
{
    return step->writer->names[step->vertex->srcs[i]];
}

const wsr_shape *wsr__onnx_src_shape(const wsr__onnx_step *step, size_t i)
{
    return &step->writer->graph->list[step->vertex->srcs[i]].shape;
}

// ------------------------------------------------------------------ options

// The writer of an op knows the options of the op: keys are never unknown.
static const void *field_of(const wsr__onnx_step *step, const char *key)
{
    const wsr__option *const option =
        wsr__schema_find(step->vertex->cls->super.schema, key);
    const char *const options = step->vertex->options;
    return options + option->offset;
}

bool wsr__onnx_get_bool(const wsr__onnx_step *step, const char *key)
{
    const bool *const field = field_of(step, key);
    return *field;
}

int64_t wsr__onnx_get_int(const wsr__onnx_step *step, const char *key)
{
    const int64_t *const field = field_of(step, key);
    return *field;
}

double wsr__onnx_get_float(const wsr__onnx_step *step, const char *key)
{
    const double *const field = field_of(step, key);
    return *field;
}

const char *wsr__onnx_get_word(const wsr__onnx_step *step, const char *key)
{
    const wsr__text *const field = field_of(step, key);
    return field->s;
}

const wsr__ints *wsr__onnx_get_ints(const wsr__onnx_step *step, const char *key)
{
    return field_of(step, key);
}

const wsr__floats *wsr__onnx_get_floats(const wsr__onnx_step *step,
                                        const char *key)
{
    return field_of(step, key);
}

void wsr__onnx_get_pair(int64_t out[2], const wsr__onnx_step *step,
                        const char *key, int64_t fallback)
{
    const wsr__ints *const list = wsr__onnx_get_ints(step, key);
    out[0] = list->n > 0 ? list->v[0] : fallback;
    out[1] = list->n > 1 ? list->v[1] : out[0];
}

// -------------------------------------------------------------------- nodes

const char *wsr__onnx_add(wsr__onnx_step *step, const char *op,
                          const char *const *inputs, size_t n)
{
    char name[NAME_SIZE];
    wsr__onnx_writer *const w = step->writer;
    (void)snprintf(name, sizeof(name), "%s_%zu.%zu",
                   step->vertex->cls->super.name, step->number, step->parts++);
    Wsr__Onnx__Node *const node = wsr__onnx_take(w, 1, sizeof(*node));
    char **const in = wsr__onnx_take(w, n, sizeof(*in));
    char **const out = wsr__onnx_take(w, 1, sizeof(*out));
    if (node == NULL || in == NULL || out == NULL) {
        return "";
    }
    *node = (Wsr__Onnx__Node)WSR__ONNX__NODE__INIT;
    for (size_t i = 0; i < n; i++) {
        in[i] = wsr__onnx_text(w, inputs[i] != NULL ? inputs[i] : "");
    }
    out[0] = wsr__onnx_unused(w, name);
    node->input = in;
    node->n_input = n;
    node->output = out;
    node->n_output = 1;
    node->name = out[0];
    node->op_type = wsr__onnx_text(w, op);
    wsr__onnx_append(w, node);
    return out[0];
}

const char *wsr__onnx_add1(wsr__onnx_step *step, const char *op, const char *a)
{
    return wsr__onnx_add(step, op, &a, 1);
}

const char *wsr__onnx_add2(wsr__onnx_step *step, const char *op, const char *a,
                           const char *b)
{
    const char *const inputs[] = {a, b};
    return wsr__onnx_add(step, op, inputs, 2);
}

const char *wsr__onnx_add_all(wsr__onnx_step *step, const char *op)
{
    const char **const inputs =
        wsr__onnx_take(step->writer, step->vertex->n, sizeof(*inputs));
    for (size_t i = 0; inputs != NULL && i < step->vertex->n; i++) {
        inputs[i] = wsr__onnx_src(step, i);
    }
    return inputs != NULL ? wsr__onnx_add(step, op, inputs, step->vertex->n)
                          : "";
}

void wsr__onnx_write_plain(wsr__onnx_step *step)
{
    (void)wsr__onnx_add_all(step, step->row->op);
}

// The node gets the names that the others were not to have.
void wsr__onnx_finish(wsr__onnx_step *step, const char *value)
{
    char name[NAME_SIZE];
    wsr__onnx_writer *const w = step->writer;
    if (w->status != WSR_OK) {
        return;
    }
    (void)snprintf(name, sizeof(name), "%s_%zu", step->vertex->cls->super.name,
                   step->number);
    w->node->name = wsr__onnx_text(w, name);
    w->node->output[0] = wsr__onnx_text(w, value);
}

void wsr__onnx_refuse(wsr__onnx_step *step, const char *why)
{
    wsr__onnx_writer *const w = step->writer;
    if (w->status == WSR_OK) {
        w->status = WSR_FAIL(WSR_UNSUPPORTED, "the op '%s' %s",
                             step->vertex->cls->super.name, why);
    }
}

// --------------------------------------------------------------- attributes

// Numbers of the types of attributes.
enum { TYPE_FLOAT = 1, TYPE_INT = 2, TYPE_STRING = 3, TYPE_TENSOR = 4 };
enum { TYPE_INTS = 7, MOST_ATTRIBUTES = 16 };

// A new attribute of the last node; NULL after a failure.
static Wsr__Onnx__Attribute *attribute(wsr__onnx_step *step, const char *key,
                                       int type)
{
    wsr__onnx_writer *const w = step->writer;
    Wsr__Onnx__Attribute *const a = wsr__onnx_take(w, 1, sizeof(*a));
    if (a == NULL) {
        return NULL;
    }
    Wsr__Onnx__Node *const node = w->node;
    if (node->attribute == NULL) {
        node->attribute =
            wsr__onnx_take(w, MOST_ATTRIBUTES, sizeof(*node->attribute));
    }
    if (node->attribute == NULL || node->n_attribute == MOST_ATTRIBUTES) {
        return NULL;
    }
    *a = (Wsr__Onnx__Attribute)WSR__ONNX__ATTRIBUTE__INIT;
    a->name = wsr__onnx_text(w, key);
    a->has_type = 1;
    a->type = type;
    node->attribute[node->n_attribute++] = a;
    return a;
}

void wsr__onnx_with_int(wsr__onnx_step *step, const char *key, int64_t value)
{
    Wsr__Onnx__Attribute *const a = attribute(step, key, TYPE_INT);
    if (a != NULL) {
        a->has_i = 1;
        a->i = value;
    }
}

void wsr__onnx_with_float(wsr__onnx_step *step, const char *key, double value)
{
    Wsr__Onnx__Attribute *const a = attribute(step, key, TYPE_FLOAT);
    if (a != NULL) {
        a->has_f = 1;
        a->f = (float)value;
    }
}

void wsr__onnx_with_word(wsr__onnx_step *step, const char *key,
                         const char *value)
{
    Wsr__Onnx__Attribute *const a = attribute(step, key, TYPE_STRING);
    if (a != NULL) {
        char *const text = wsr__onnx_text(step->writer, value);
        a->has_s = 1;
        a->s.data = (unsigned char *)text;
        a->s.len = strlen(text);
    }
}

void wsr__onnx_with_ints(wsr__onnx_step *step, const char *key,
                         const int64_t *values, size_t n)
{
    Wsr__Onnx__Attribute *const a = attribute(step, key, TYPE_INTS);
    int64_t *const list = wsr__onnx_take(step->writer, n, sizeof(*list));
    if (a != NULL && list != NULL) {
        memcpy(list, values, n * sizeof(*list));
        a->ints = list;
        a->n_ints = n;
    }
}

// ---------------------------------------------------------------- constants

// A copy of numbers as the value of a Constant node.
static const char *constant(wsr__onnx_step *step, int type, const void *values,
                            size_t bytes, const wsr_shape *shape)
{
    wsr__onnx_writer *const w = step->writer;
    const char *const name = wsr__onnx_add(step, "Constant", NULL, 0);
    void *const copy = wsr__onnx_take(w, bytes, 1);
    Wsr__Onnx__Tensor *const t =
        copy != NULL ? wsr__onnx_tensor(w, type, copy, shape) : NULL;
    if (t == NULL) {
        return "";
    }
    memcpy(copy, values, bytes);
    Wsr__Onnx__Attribute *const a = attribute(step, "value", TYPE_TENSOR);
    if (a != NULL) {
        a->t = t;
    }
    return name;
}

const char *wsr__onnx_number(wsr__onnx_step *step, double value)
{
    const float number = (float)value;
    const wsr_shape scalar = {0};
    return constant(step, WSR__ONNX_FLOAT, &number, sizeof(number), &scalar);
}

const char *wsr__onnx_wholes(wsr__onnx_step *step, const int64_t *values,
                             size_t n)
{
    const wsr_shape shape = wsr__shape1((int64_t)n);
    return constant(step, WSR__ONNX_INT64, values, n * sizeof(*values), &shape);
}

const char *wsr__onnx_floats(wsr__onnx_step *step, const float *values,
                             const wsr_shape *shape)
{
    const size_t n = (size_t)wsr_shape_count(shape);
    return constant(step, WSR__ONNX_FLOAT, values, n * sizeof(*values), shape);
}

const char *wsr__onnx_equal(wsr__onnx_step *step, float value,
                            const wsr_shape *shape)
{
    const size_t n = (size_t)wsr_shape_count(shape);
    float *const values = wsr__onnx_take(step->writer, n, sizeof(*values));
    for (size_t i = 0; values != NULL && i < n; i++) {
        values[i] = value;
    }
    return values != NULL ? wsr__onnx_floats(step, values, shape) : "";
}

// ----------------------------------------------------------- ranges, shapes

const char *wsr__onnx_slice(wsr__onnx_step *step, const char *x,
                            const wsr__onnx_range *ranges, size_t n)
{
    int64_t lists[4][WSR_MAX_DIMS];
    const char *inputs[5] = {x};
    for (size_t i = 0; i < n; i++) {
        lists[0][i] = ranges[i].begin;
        lists[1][i] = ranges[i].end;
        lists[2][i] = ranges[i].axis;
        lists[3][i] = ranges[i].step;
    }
    for (size_t k = 0; k < 4; k++) {
        inputs[1 + k] = wsr__onnx_wholes(step, lists[k], n);
    }
    return wsr__onnx_add(step, "Slice", inputs, 5);
}

const char *wsr__onnx_shaped(wsr__onnx_step *step, const char *x, int64_t first,
                             const wsr_shape *shape)
{
    int64_t dims[WSR_MAX_DIMS] = {0};
    memcpy(dims, shape->dims, (size_t)shape->ndims * sizeof(*dims));
    dims[0] = first;
    const char *const list = wsr__onnx_wholes(step, dims, (size_t)shape->ndims);
    return wsr__onnx_add2(step, "Reshape", x, list);
}
