// SPDX-License-Identifier: Apache-2.0
//
// Writes a graph as an ONNX model: the ops that the logits need, in the graph's
// order, which is topological; parameters as initialisers under their names.
// The model is complete before the file is opened, so that a graph that cannot
// be written leaves no trace; its bytes depend on nothing but the graph.

#include "onnx/write.h"

#include "onnx/onnx.h"
#include "wsr/base.h"

#include <stdio.h>
#include <string.h>

enum { IR_VERSION = 8, OPSET = 17 };

// ----------------------------------------------------------------- messages

void *wsr__onnx_take(wsr__onnx_writer *w, size_t count, size_t size)
{
    if (w->status == WSR_OK) {
        w->status = wsr__reserve((void **)&w->blocks, &w->blocks_capacity,
                                 w->n_blocks + 1, sizeof(*w->blocks));
    }
    if (w->status != WSR_OK) {
        return NULL;
    }
    void *const block = wsr__alloc(count + 1, size);
    if (block == NULL) {
        w->status = WSR_NOMEM;
        return NULL;
    }
    w->blocks[w->n_blocks++] = block;
    return block;
}

static char nothing[] = "";

char *wsr__onnx_text(wsr__onnx_writer *w, const char *text)
{
    const size_t n = strlen(text);
    char *const copy = wsr__onnx_take(w, n, 1);
    if (copy == NULL) {
        return nothing;
    }
    memcpy(copy, text, n + 1);
    return copy;
}

char *wsr__onnx_unused(wsr__onnx_writer *w, const char *name)
{
    char *text = wsr__onnx_text(w, name);
    while (w->status == WSR_OK &&
           wsr__params_named(w->graph->params, text) != NULL) {
        const size_t n = strlen(text);
        char *const longer = wsr__onnx_take(w, n + 1, 1);
        if (longer == NULL) {
            return nothing;
        }
        (void)snprintf(longer, n + 2, "%s'", text);
        text = longer;
    }
    return text;
}

void wsr__onnx_append(wsr__onnx_writer *w, Wsr__Onnx__Node *node)
{
    if (w->status == WSR_OK) {
        w->status = wsr__reserve((void **)&w->root->node, &w->nodes_capacity,
                                 w->root->n_node + 1, sizeof(node));
    }
    if (w->status == WSR_OK) {
        w->root->node[w->root->n_node++] = node;
        w->node = node;
    }
}

static size_t size_of(int type)
{
    return type == WSR__ONNX_INT64 ? sizeof(int64_t) : sizeof(float);
}

Wsr__Onnx__Tensor *wsr__onnx_tensor(wsr__onnx_writer *w, int type, void *data,
                                    const wsr_shape *shape)
{
    const size_t n = (size_t)shape->ndims;
    Wsr__Onnx__Tensor *const t = wsr__onnx_take(w, 1, sizeof(*t));
    int64_t *const dims = wsr__onnx_take(w, n, sizeof(*dims));
    if (t == NULL || dims == NULL) {
        return NULL;
    }
    *t = (Wsr__Onnx__Tensor)WSR__ONNX__TENSOR__INIT;
    memcpy(dims, shape->dims, n * sizeof(*dims));
    t->dims = dims;
    t->n_dims = n;
    t->has_data_type = 1;
    t->data_type = type;
    t->has_raw_data = 1;
    t->raw_data.data = data;
    t->raw_data.len = (size_t)wsr_shape_count(shape) * size_of(type);
    return t;
}

// -------------------------------------------------------------------- values

// Parameters stay where they are: the model borrows their numbers.
static void add_param(wsr__onnx_writer *w, size_t i)
{
    const wsr__param *const param = w->graph->list[i].param;
    Wsr__Onnx__Tensor *const t =
        wsr__onnx_tensor(w, WSR__ONNX_FLOAT, param->data, &param->shape);
    if (w->status == WSR_OK) {
        w->status = wsr__reserve(
            (void **)&w->root->initializer, &w->tensors_capacity,
            w->root->n_initializer + 1, sizeof(*w->root->initializer));
    }
    if (w->status == WSR_OK) {
        t->name = wsr__onnx_text(w, param->name);
        w->root->initializer[w->root->n_initializer++] = t;
        w->names[i] = t->name;
    }
}

static void add_op(wsr__onnx_writer *w, size_t i, size_t number)
{
    char name[96];
    const wsr__vertex *const v = &w->graph->list[i];
    wsr__onnx_step step = {.writer = w, .vertex = v, .number = number};
    step.row = wsr__onnx_row_for(v->cls->super.name);
    if (step.row == NULL) {
        wsr__onnx_refuse(&step, "has no operator in ONNX files");
        return;
    }
    step.row->write(&step);
    const bool last = i == w->graph->outputs[0].value;
    (void)snprintf(name, sizeof(name), "%s_%zu", v->cls->super.name, number);
    w->names[i] = wsr__onnx_unused(w, last ? "logits" : name);
    wsr__onnx_finish(&step, w->names[i]);
}

// A parameter may be one of several vertices.
static bool is_listed(const wsr__onnx_writer *w, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        const wsr__vertex *const v = &w->graph->list[k];
        if (w->names[k] != NULL && v->role == WSR__PARAM &&
            v->param == w->graph->list[i].param) {
            w->names[i] = w->names[k];
            return true;
        }
    }
    return false;
}

// Which vertices the logits need. [out, owned]
static unsigned char *live(const wsr_graph *graph)
{
    unsigned char *const marks = wsr__alloc(graph->count, 1);
    if (marks == NULL) {
        return NULL;
    }
    marks[graph->outputs[0].value] = 1;
    for (size_t i = graph->count; i-- > 0;) {
        const wsr__vertex *const v = &graph->list[i];
        for (size_t k = 0; marks[i] != 0 && k < v->n; k++) {
            // Nobody reads the number of batches but a network that trains.
            const bool counter = graph->list[v->srcs[k]].role == WSR__PARAM &&
                                 graph->list[v->srcs[k]].param->integer;
            marks[v->srcs[k]] |= counter ? 0 : 1;
        }
    }
    return marks;
}

static void add_values(wsr__onnx_writer *w)
{
    size_t number = 0;
    unsigned char *const marks = live(w->graph);
    w->status = marks != NULL ? w->status : WSR_NOMEM;
    for (size_t i = 0; i < w->graph->count && w->status == WSR_OK; i++) {
        const wsr__vertex *const v = &w->graph->list[i];
        if (marks[i] == 0) {
            continue;
        }
        if (v->role == WSR__OP) {
            add_op(w, i, number++);
        } else if (v->role == WSR__PARAM && !is_listed(w, i)) {
            add_param(w, i);
        } else if (v->role == WSR__INPUT) {
            w->status = wsr__streq(v->name, "x")
                            ? WSR_OK
                            : WSR_FAIL(WSR_UNSUPPORTED,
                                       "the input '%.64s' is no image",
                                       v->name);
            w->names[i] = wsr__onnx_unused(w, "x");
        }
    }
    wsr__free(marks);
}

// -------------------------------------------------------------------- model

// A value of floats (N, ...) that the model shows to its users.
static Wsr__Onnx__ValueInfo **info(wsr__onnx_writer *w, const char *name,
                                   const wsr_shape *shape)
{
    const size_t n = (size_t)shape->ndims;
    Wsr__Onnx__ValueInfo **const list = wsr__onnx_take(w, 1, sizeof(*list));
    Wsr__Onnx__ValueInfo *const value = wsr__onnx_take(w, 1, sizeof(*value));
    Wsr__Onnx__Type *const type = wsr__onnx_take(w, 1, sizeof(*type));
    Wsr__Onnx__TensorType *const tensor = wsr__onnx_take(w, 1, sizeof(*tensor));
    Wsr__Onnx__Shape *const s = wsr__onnx_take(w, 1, sizeof(*s));
    Wsr__Onnx__Dimension *const dims = wsr__onnx_take(w, n, sizeof(*dims));
    Wsr__Onnx__Dimension **const dim = wsr__onnx_take(w, n, sizeof(*dim));
    if (w->status != WSR_OK) {
        return NULL;
    }
    *value = (Wsr__Onnx__ValueInfo)WSR__ONNX__VALUE_INFO__INIT;
    *type = (Wsr__Onnx__Type)WSR__ONNX__TYPE__INIT;
    *tensor = (Wsr__Onnx__TensorType)WSR__ONNX__TENSOR_TYPE__INIT;
    *s = (Wsr__Onnx__Shape)WSR__ONNX__SHAPE__INIT;
    for (size_t i = 0; i < n; i++) {
        dims[i] = (Wsr__Onnx__Dimension)WSR__ONNX__DIMENSION__INIT;
        dims[i].has_dim_value = i > 0;
        dims[i].dim_value = i > 0 ? shape->dims[i] : 0;
        dims[i].dim_param = i > 0 ? NULL : wsr__onnx_text(w, "N");
        dim[i] = &dims[i];
    }
    s->n_dim = n;
    s->dim = dim;
    tensor->has_elem_type = 1;
    tensor->elem_type = WSR__ONNX_FLOAT;
    tensor->shape = s;
    type->tensor_type = tensor;
    value->type = type;
    value->name = wsr__onnx_text(w, name);
    list[0] = value;
    return list;
}

static void add_notes(wsr__onnx_writer *w, const wsr__onnx_note *notes,
                      size_t n)
{
    Wsr__Onnx__Entry *const entries = wsr__onnx_take(w, n, sizeof(*entries));
    Wsr__Onnx__Entry **const list = wsr__onnx_take(w, n, sizeof(*list));
    for (size_t i = 0; list != NULL && i < n; i++) {
        entries[i] = (Wsr__Onnx__Entry)WSR__ONNX__ENTRY__INIT;
        entries[i].key = wsr__onnx_text(w, notes[i].key);
        entries[i].value = wsr__onnx_text(w, notes[i].value);
        list[i] = &entries[i];
    }
    w->model->metadata_props = list;
    w->model->n_metadata_props = list != NULL ? n : 0;
}

static void begin(wsr__onnx_writer *w)
{
    Wsr__Onnx__Model *const model = wsr__onnx_take(w, 1, sizeof(*model));
    Wsr__Onnx__Graph *const root = wsr__onnx_take(w, 1, sizeof(*root));
    Wsr__Onnx__OperatorSet *const set = wsr__onnx_take(w, 1, sizeof(*set));
    Wsr__Onnx__OperatorSet **const sets = wsr__onnx_take(w, 1, sizeof(*sets));
    w->names = wsr__onnx_take(w, w->graph->count, sizeof(*w->names));
    if (w->status != WSR_OK) {
        return;
    }
    *model = (Wsr__Onnx__Model)WSR__ONNX__MODEL__INIT;
    *root = (Wsr__Onnx__Graph)WSR__ONNX__GRAPH__INIT;
    *set = (Wsr__Onnx__OperatorSet)WSR__ONNX__OPERATOR_SET__INIT;
    set->domain = wsr__onnx_text(w, "");
    set->has_version = 1;
    set->version = OPSET;
    sets[0] = set;
    model->has_ir_version = 1;
    model->ir_version = IR_VERSION;
    model->producer_name = wsr__onnx_text(w, WSR__ONNX_PRODUCER);
    model->producer_version = wsr__onnx_text(w, wsr_version());
    model->opset_import = sets;
    model->n_opset_import = 1;
    model->graph = root;
    root->name = wsr__onnx_text(w, "network");
    w->model = model;
    w->root = root;
}

static void build(wsr__onnx_writer *w, const wsr__onnx_note *notes, size_t n)
{
    const wsr_graph *const graph = w->graph;
    if (graph->output_count != 1 ||
        graph->list[graph->outputs[0].value].role != WSR__OP) {
        w->status =
            WSR_FAIL(WSR_UNSUPPORTED, "the graph has no logits, or more");
        return;
    }
    begin(w);
    if (w->status != WSR_OK) {
        return;
    }
    add_notes(w, notes, n);
    add_values(w);
    for (size_t i = 0; i < graph->count && w->status == WSR_OK; i++) {
        if (graph->list[i].role == WSR__INPUT && w->names[i] != NULL) {
            w->root->input = info(w, w->names[i], &graph->list[i].shape);
            w->root->n_input = 1;
        }
    }
    if (w->status == WSR_OK) {
        const wsr_value y = graph->outputs[0].value;
        w->root->output = info(w, w->names[y], &graph->list[y].shape);
        w->root->n_output = 1;
    }
}

// --------------------------------------------------------------------- file

// The packer hands out pieces, large ones without a copy.
typedef struct sink {
    ProtobufCBuffer super;
    wsr__atomic_file file;
    wsr_status failed;
} sink;

static void put(ProtobufCBuffer *buffer, size_t n, const uint8_t *data)
{
    sink *const s = (sink *)(void *)buffer;
    if (s->failed == WSR_OK && n > 0) {
        s->failed = wsr__atomic_write(&s->file, data, n);
    }
}

// Messages of protobuf have at most this many bytes.
#define MOST_BYTES ((size_t)INT32_MAX)

static wsr_status put_file(const wsr__onnx_writer *w, const char *path)
{
    wsr_status status = WSR_OK;
    sink s = {.super = {put}};
    const size_t size = wsr__onnx__model__get_packed_size(w->model);
    if (size > MOST_BYTES) {
        return WSR_FAIL(WSR_UNSUPPORTED,
                        "%s: %zu bytes are above the %zu of an ONNX file", path,
                        size, MOST_BYTES);
    }
    WSR_TRY(wsr__atomic_open(&s.file, path));
    (void)wsr__onnx__model__pack_to_buffer(w->model, &s.super);
    WSR_TRY(s.failed);
    WSR_TRY(wsr__atomic_commit(&s.file, false));
out:
    wsr__atomic_discard(&s.file);
    return status;
}

static void release(wsr__onnx_writer *w)
{
    if (w->root != NULL) {
        wsr__free(w->root->node);
        wsr__free(w->root->initializer);
    }
    for (size_t i = 0; i < w->n_blocks; i++) {
        wsr__free(w->blocks[i]);
    }
    wsr__free(w->blocks);
}

wsr_status wsr__onnx_write(const wsr_graph *graph, const char *path,
                           const wsr__onnx_note *notes, size_t n)
{
    wsr_status status = WSR_OK;
    wsr__onnx_writer w = {.graph = graph};
    build(&w, notes, n);
    if (w.status == WSR_UNSUPPORTED) {
        w.status = wsr__fail_at(w.status, "%s", path);
    }
    WSR_TRY(w.status);
    WSR_TRY(put_file(&w, path));
out:
    release(&w);
    return status;
}
