// SPDX-License-Identifier: Apache-2.0
//
// Small ONNX models made in memory.

#ifndef WSR_TESTS_ONNX_MODEL_H
#define WSR_TESTS_ONNX_MODEL_H

#include "onnx/file.h"
#include "onnx/onnx.h"
#include "support/support.h"

#include <string.h>

enum { MODEL_PARTS = 32, MODEL_LISTS = 8 };

/// A model under construction; everything lies in this struct.
typedef struct model {
    Wsr__Onnx__Model root;
    Wsr__Onnx__Graph graph;
    Wsr__Onnx__OperatorSet opset;
    Wsr__Onnx__OperatorSet *opsets[1];
    Wsr__Onnx__ValueInfo infos[2];
    Wsr__Onnx__ValueInfo *inputs[1];
    Wsr__Onnx__ValueInfo *outputs[1];
    Wsr__Onnx__Type types[2];
    Wsr__Onnx__TensorType tensor_types[2];
    Wsr__Onnx__Shape shape;
    Wsr__Onnx__Dimension dims[4];
    Wsr__Onnx__Dimension *dim_list[4];
    Wsr__Onnx__Node nodes[MODEL_PARTS];
    Wsr__Onnx__Node *node_list[MODEL_PARTS];
    char *node_outputs[MODEL_PARTS][2];
    char *node_inputs[MODEL_PARTS][MODEL_LISTS];
    Wsr__Onnx__Attribute attributes[MODEL_PARTS][MODEL_LISTS];
    Wsr__Onnx__Attribute *attribute_list[MODEL_PARTS][MODEL_LISTS];
    Wsr__Onnx__Tensor tensors[MODEL_PARTS];
    Wsr__Onnx__Tensor *tensor_list[MODEL_PARTS];
    int64_t tensor_dims[MODEL_PARTS][4];
    Wsr__Onnx__Entry entries[MODEL_PARTS][2];
    Wsr__Onnx__Entry *entry_list[MODEL_PARTS][2];
} model;

// Names are literals of the tests; protobuf-c's structs want them writable.
static inline char *text(const char *s)
{
    union {
        const char *in;
        char *out;
    } both = {s};
    return both.out;
}

/// An input "in" (n, c, h, w), n = 0: of any size, and an output "out".
static inline void model_begin(model *m, int64_t opset, const int64_t dims[4])
{
    *m = (model){.root = WSR__ONNX__MODEL__INIT,
                 .graph = WSR__ONNX__GRAPH__INIT,
                 .opset = WSR__ONNX__OPERATOR_SET__INIT,
                 .shape = WSR__ONNX__SHAPE__INIT};
    m->root.graph = &m->graph;
    m->opset.has_version = 1;
    m->opset.version = opset;
    m->opsets[0] = &m->opset;
    m->root.n_opset_import = 1;
    m->root.opset_import = m->opsets;
    for (int i = 0; i < 4; i++) {
        m->dims[i] = (Wsr__Onnx__Dimension)WSR__ONNX__DIMENSION__INIT;
        m->dims[i].has_dim_value = dims[i] > 0;
        m->dims[i].dim_value = dims[i];
        m->dim_list[i] = &m->dims[i];
    }
    m->shape.n_dim = 4;
    m->shape.dim = m->dim_list;
    for (int i = 0; i < 2; i++) {
        m->infos[i] = (Wsr__Onnx__ValueInfo)WSR__ONNX__VALUE_INFO__INIT;
        m->types[i] = (Wsr__Onnx__Type)WSR__ONNX__TYPE__INIT;
        m->tensor_types[i] =
            (Wsr__Onnx__TensorType)WSR__ONNX__TENSOR_TYPE__INIT;
        m->tensor_types[i].has_elem_type = 1;
        m->tensor_types[i].elem_type = WSR__ONNX_FLOAT;
        m->types[i].tensor_type = &m->tensor_types[i];
        m->infos[i].type = &m->types[i];
    }
    m->tensor_types[0].shape = &m->shape;
    m->infos[0].name = text("in");
    m->infos[1].name = text("out");
    m->inputs[0] = &m->infos[0];
    m->outputs[0] = &m->infos[1];
    m->graph.n_input = 1;
    m->graph.input = m->inputs;
    m->graph.n_output = 1;
    m->graph.output = m->outputs;
    m->graph.node = m->node_list;
    m->graph.initializer = m->tensor_list;
}

/// Add a node of up to MODEL_LISTS inputs, the list ended by NULL.
static inline Wsr__Onnx__Node *model_node(model *m, const char *op,
                                          const char *output,
                                          const char *const *inputs)
{
    const size_t i = m->graph.n_node++;
    Wsr__Onnx__Node *const node = &m->nodes[i];
    *node = (Wsr__Onnx__Node)WSR__ONNX__NODE__INIT;
    m->node_list[i] = node;
    node->op_type = text(op);
    node->name = text(output);
    node->output = m->node_outputs[i];
    node->input = m->node_inputs[i];
    node->attribute = m->attribute_list[i];
    node->output[node->n_output++] = text(output);
    while (inputs[node->n_input] != NULL) {
        node->input[node->n_input] = text(inputs[node->n_input]);
        node->n_input++;
    }
    return node;
}

#define NODE(m, op, output, ...) \
    model_node((m), (op), (output), (const char *const[]){__VA_ARGS__, NULL})

static inline Wsr__Onnx__Attribute *model_attribute(model *m,
                                                    Wsr__Onnx__Node *node,
                                                    const char *name)
{
    const size_t i = (size_t)(node - m->nodes);
    Wsr__Onnx__Attribute *const a = &m->attributes[i][node->n_attribute];
    *a = (Wsr__Onnx__Attribute)WSR__ONNX__ATTRIBUTE__INIT;
    node->attribute[node->n_attribute++] = a;
    a->name = text(name);
    return a;
}

static inline void model_int(model *m, Wsr__Onnx__Node *node, const char *name,
                             int64_t value)
{
    Wsr__Onnx__Attribute *const a = model_attribute(m, node, name);
    a->has_i = 1;
    a->i = value;
}

static inline void model_ints(model *m, Wsr__Onnx__Node *node, const char *name,
                              int64_t *values, size_t n)
{
    Wsr__Onnx__Attribute *const a = model_attribute(m, node, name);
    a->ints = values;
    a->n_ints = n;
}

/// Add an initialiser whose elements the caller sets.
static inline Wsr__Onnx__Tensor *model_tensor(model *m, const char *name,
                                              int type, const int64_t *dims,
                                              size_t n)
{
    const size_t i = m->graph.n_initializer++;
    Wsr__Onnx__Tensor *const t = &m->tensors[i];
    *t = (Wsr__Onnx__Tensor)WSR__ONNX__TENSOR__INIT;
    m->tensor_list[i] = t;
    t->name = text(name);
    t->has_data_type = 1;
    t->data_type = type;
    memcpy(m->tensor_dims[i], dims, n * sizeof(*dims));
    t->dims = m->tensor_dims[i];
    t->n_dims = n;
    return t;
}

static inline void model_floats(model *m, const char *name, float *data,
                                const int64_t *dims, size_t n)
{
    Wsr__Onnx__Tensor *const t =
        model_tensor(m, name, WSR__ONNX_FLOAT, dims, n);
    t->float_data = data;
    t->n_float_data = 1;
    for (size_t i = 0; i < n; i++) {
        t->n_float_data *= (size_t)dims[i];
    }
}

static inline void model_longs(model *m, const char *name, int64_t *data,
                               size_t n)
{
    const int64_t dims[] = {(int64_t)n};
    Wsr__Onnx__Tensor *const t =
        model_tensor(m, name, WSR__ONNX_INT64, dims, 1);
    t->int64_data = data;
    t->n_int64_data = n;
}

/// The bytes of the model; [out, owned] release with wsr__free().
static inline unsigned char *model_bytes(const model *m, size_t *size)
{
    *size = wsr__onnx__model__get_packed_size(&m->root);
    unsigned char *const bytes = wsr__alloc(*size + 1, 1);
    ck_assert_ptr_nonnull(bytes);
    (void)wsr__onnx__model__pack(&m->root, bytes);
    return bytes;
}

#endif
