// SPDX-License-Identifier: Apache-2.0
//
// Constants while a file is read: decoded when they are looked at, copied into
// parameters when the graph needs them. Their memory is bounded by that of the
// file, whatever shapes it claims.

#include "onnx/read.h"

#include <string.h>

wsr_status wsr__onnx_decode(const wsr__onnx_node *node, wsr__onnx_value *value)
{
    wsr_status status = WSR_OK;
    const Wsr__Onnx__Tensor *const tensor = value->tensor;
    if (tensor == NULL || value->floats != NULL || value->ints != NULL) {
        return WSR_OK;
    }
    if (value->integer) {
        value->ints = wsr__alloc(value->count, sizeof(*value->ints));
        WSR_TRY(value->ints != NULL ? WSR_OK : WSR_NOMEM);
        WSR_TRY(wsr__onnx_tensor_ints(value->ints, value->count,
                                      node->reader->file, tensor));
    } else {
        value->floats = wsr__alloc(value->count, sizeof(*value->floats));
        WSR_TRY(value->floats != NULL ? WSR_OK : WSR_NOMEM);
        WSR_TRY(wsr__onnx_tensor_floats(value->floats, value->count,
                                        node->reader->file, tensor));
    }
out:
    if (status != WSR_OK) { // it must not look decoded
        wsr__free(value->floats);
        wsr__free(value->ints);
        value->floats = NULL;
        value->ints = NULL;
    }
    return status;
}

// Elements of a shape, SIZE_MAX for more than `most`.
static size_t bounded_count(const wsr_shape *shape, size_t most)
{
    size_t n = 1;
    for (int i = 0; i < shape->ndims; i++) {
        const size_t d = (size_t)shape->dims[i];
        if (shape->dims[i] < 0 || (d > 0 && n > most / d)) {
            return SIZE_MAX;
        }
        n *= d;
    }
    return n;
}

wsr_status wsr__onnx_constant(wsr__onnx_node *node, size_t i, bool integer,
                              const wsr_shape *shape)
{
    wsr__onnx_value *const out = i < node->n_out ? node->out[i] : NULL;
    const size_t count = bounded_count(shape, node->reader->room);
    if (count == SIZE_MAX) {
        return WSR_FAIL(WSR_FORMAT, "its constant result is too large");
    }
    if (out == NULL) {
        return WSR_OK;
    }
    node->reader->room -= count;
    out->made = true;
    out->constant = true;
    out->integer = integer;
    out->shape = *shape;
    out->count = count;
    if (integer) {
        out->ints = wsr__alloc(count, sizeof(*out->ints));
        out->powers = wsr__alloc(count, sizeof(*out->powers));
        return out->ints != NULL && out->powers != NULL ? WSR_OK : WSR_NOMEM;
    }
    out->floats = wsr__alloc(count, sizeof(*out->floats));
    return out->floats != NULL ? WSR_OK : WSR_NOMEM;
}

// One element; the two are of one type.
static void copy_element(wsr__onnx_value *to, size_t i,
                         const wsr__onnx_value *from, size_t k)
{
    if (!to->integer) {
        to->floats[i] = from->floats[k];
        return;
    }
    to->ints[i] = from->ints[k];
    to->powers[i] = from->powers != NULL ? from->powers[k] : 0;
}

wsr_status wsr__onnx_pick(wsr__onnx_node *node, size_t i, wsr__onnx_value *from,
                          const wsr_shape *shape, const int64_t *index)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__onnx_decode(node, from));
    WSR_TRY(wsr__onnx_constant(node, i, from->integer, shape));
    wsr__onnx_value *const out = i < node->n_out ? node->out[i] : NULL;
    for (size_t k = 0; out != NULL && k < out->count; k++) {
        copy_element(out, k, from, index != NULL ? (size_t)index[k] : k);
    }
out:
    return status;
}

// Tensors of the file stay where they are: only a name is added.
wsr_status wsr__onnx_same(wsr__onnx_node *node, size_t i, wsr__onnx_value *from,
                          const wsr_shape *shape)
{
    wsr__onnx_value *const out = i < node->n_out ? node->out[i] : NULL;
    if (out == NULL) {
        return WSR_OK;
    }
    if (!from->constant) {
        wsr__onnx_put(node, i, from->value, shape, from->batch);
        return WSR_OK;
    }
    if (from->tensor == NULL) {
        return wsr__onnx_pick(node, i, from, shape, NULL);
    }
    const char *const name = out->name;
    *out = (wsr__onnx_value){.name = name,
                             .made = true,
                             .constant = true,
                             .shape = *shape,
                             .tensor = from->tensor,
                             .integer = from->integer,
                             .count = from->count};
    return WSR_OK;
}

// --------------------------------------------------------------- parameters

enum { NAME_SIZE = 256, MOST_COPIES = 100 };

// Whether a parameter is what is wanted: the same numbers in the same shape.
static bool is_same(const wsr__param *param, const void *data,
                    const wsr_shape *shape)
{
    return wsr_shape_equal(&param->shape, shape) &&
           memcmp(param->data, data,
                  (size_t)param->count * sizeof(*param->data)) == 0;
}

// A constant that is used in two shapes becomes two parameters: "name" and
// "name:2".
static wsr_status find_name(char out[NAME_SIZE], wsr__param **found,
                            const wsr__onnx_node *node, const char *name,
                            const void *data, const wsr_shape *shape)
{
    const wsr_params *const params = node->reader->graph->params;
    (void)snprintf(out, NAME_SIZE, "%.200s", name);
    for (int i = 2; i < MOST_COPIES; i++) {
        *found = wsr__params_named(params, out);
        if (*found == NULL || is_same(*found, data, shape)) {
            return WSR_OK;
        }
        (void)snprintf(out, NAME_SIZE, "%.200s:%d", name, i);
    }
    return WSR_FAIL(WSR_FORMAT, "constant '%.80s' has too many uses", name);
}

typedef wsr_status (*add_param)(wsr__param **out, wsr_params *params,
                                const char *name, const wsr_shape *shape);

static wsr_status add_trained(wsr__param **out, wsr_params *params,
                              const char *name, const wsr_shape *shape)
{
    const wsr__init zeros = {0};
    return wsr__params_trained(out, params, name, shape, zeros);
}

static wsr_status add_buffer(wsr__param **out, wsr_params *params,
                             const char *name, const wsr_shape *shape)
{
    return wsr__params_buffer(out, params, name, shape, 0);
}

// The bytes of floats that a constant of this name holds, as a parameter.
typedef struct named_floats {
    const char *name;
    const void *data;
} named_floats;

static wsr_status add(wsr_value *out, wsr__onnx_node *node,
                      const named_floats *c, const wsr_shape *shape,
                      add_param how)
{
    wsr_status status = WSR_OK;
    char name[NAME_SIZE];
    wsr__param *param = NULL;
    wsr_graph *const graph = node->reader->graph;
    if (c->data == NULL) {
        return WSR_FAIL(WSR_FORMAT, "'%.80s' has no elements", c->name);
    }
    WSR_TRY(find_name(name, &param, node, c->name, c->data, shape));
    if (param == NULL) {
        WSR_TRY(how(&param, graph->params, name, shape));
        memcpy(param->data, c->data,
               (size_t)param->count * sizeof(*param->data));
        wsr__param_touch(param);
    }
    WSR_TRY(wsr_graph_param(out, graph, name));
out:
    return status;
}

// Numbers in the file's order under a shape of as many.
static wsr_status param(wsr_value *out, wsr__onnx_node *node,
                        wsr__onnx_value *value, const wsr_shape *shape,
                        add_param how)
{
    wsr_status status = WSR_OK;
    if (!value->constant || value->integer ||
        (size_t)wsr_shape_count(shape) != value->count) {
        return WSR_FAIL(WSR_FORMAT,
                        "'%.80s' must be a constant of floating-point numbers "
                        "that fits",
                        value->name);
    }
    const bool decoded = value->floats != NULL;
    named_floats c = {.name = value->name};
    if (!decoded && value->tensor != NULL) {
        c.data = wsr__onnx_tensor_raw(value->count, value->tensor);
    }
    if (c.data == NULL) {
        WSR_TRY(wsr__onnx_decode(node, value));
        c.data = value->floats;
    }
    WSR_TRY(add(out, node, &c, shape, how));
    if (!decoded && value->tensor != NULL) { // the parameter has them now
        wsr__free(value->floats);
        value->floats = NULL;
    }
out:
    return status;
}

wsr_status wsr__onnx_param(wsr_value *out, wsr__onnx_node *node,
                           wsr__onnx_value *value, const wsr_shape *shape)
{
    return param(out, node, value, shape, add_trained);
}

wsr_status wsr__onnx_buffer(wsr_value *out, wsr__onnx_node *node,
                            wsr__onnx_value *value, const wsr_shape *shape)
{
    return param(out, node, value, shape, add_buffer);
}

wsr_status wsr__onnx_param_of(wsr_value *out, wsr__onnx_node *node,
                              const char *name, const float *data,
                              const wsr_shape *shape)
{
    const named_floats c = {name, data};
    return add(out, node, &c, shape, add_trained);
}
