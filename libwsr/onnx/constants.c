// SPDX-License-Identifier: Apache-2.0
//
// Nodes that make constants, and those that leave a value as it is. Sizes that
// networks compute from the shape of a value are constants here: only that of
// the batch is none, which whole numbers carry as a power.

#include "onnx/read.h"

#include <math.h>
#include <string.h>

// ------------------------------------------------------------------ Constant

static wsr_status constant_list(wsr__onnx_node *node,
                                const Wsr__Onnx__Attribute *a, bool integer)
{
    wsr_status status = WSR_OK;
    const size_t n = integer ? a->n_ints : a->n_floats;
    const wsr_shape shape = wsr__shape1((int64_t)n);
    WSR_TRY(wsr__onnx_constant(node, 0, integer, &shape));
    if (integer && n > 0) {
        memcpy(node->out[0]->ints, a->ints, n * sizeof(*a->ints));
    } else if (n > 0) {
        memcpy(node->out[0]->floats, a->floats, n * sizeof(*a->floats));
    }
out:
    return status;
}

static wsr_status constant_scalar(wsr__onnx_node *node,
                                  const Wsr__Onnx__Attribute *a, bool integer)
{
    wsr_status status = WSR_OK;
    const wsr_shape scalar = {0};
    WSR_TRY(wsr__onnx_constant(node, 0, integer, &scalar));
    if (integer) {
        node->out[0]->ints[0] = a->i;
    } else {
        node->out[0]->floats[0] = a->f;
    }
out:
    return status;
}

// The file keeps the elements of a tensor.
static wsr_status constant_tensor(wsr__onnx_node *node,
                                  const Wsr__Onnx__Tensor *tensor)
{
    wsr_status status = WSR_OK;
    wsr__onnx_value *const out = node->out[0];
    WSR_TRY(wsr__onnx_tensor_shape(&out->shape, &out->count, node->reader->file,
                                   tensor));
    out->made = true;
    out->constant = true;
    out->tensor = tensor;
    out->integer = !wsr__onnx_is_float(tensor);
out:
    return status;
}

static wsr_status read_constant(wsr__onnx_node *node)
{
    static const struct {
        const char *key;
        bool integer;
        wsr_status (*make)(wsr__onnx_node *node, const Wsr__Onnx__Attribute *a,
                           bool integer);
    } rows[] = {{"value_float", false, constant_scalar},
                {"value_floats", false, constant_list},
                {"value_int", true, constant_scalar},
                {"value_ints", true, constant_list}};
    const Wsr__Onnx__Attribute *const a = wsr__onnx_attribute(node, "value");
    if (a != NULL && a->t != NULL) {
        return constant_tensor(node, a->t);
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const Wsr__Onnx__Attribute *const b =
            wsr__onnx_attribute(node, rows[i].key);
        if (b != NULL) {
            return rows[i].make(node, b, rows[i].integer);
        }
    }
    return WSR_FAIL(WSR_FORMAT, "it has no value of numbers");
}

// The shape that a list of numbers says, the batch counted once.
static wsr_status listed_shape(wsr_shape *out, const wsr__onnx_node *node,
                               size_t i)
{
    wsr_status status = WSR_OK;
    const int64_t *dims = NULL;
    size_t n = 0;
    WSR_TRY(wsr__onnx_numbers(&dims, &n, node, i, "shape"));
    if (n > WSR_MAX_DIMS) {
        return WSR_FAIL(WSR_FORMAT, "%zu dimensions are above %d", n,
                        WSR_MAX_DIMS);
    }
    *out = (wsr_shape){.ndims = (int)n};
    for (size_t k = 0; k < n; k++) {
        out->dims[k] = dims[k];
    }
out:
    return status;
}

static wsr_status read_constant_of_shape(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    wsr_shape shape;
    const Wsr__Onnx__Attribute *const a = wsr__onnx_attribute(node, "value");
    wsr__onnx_value fill = {.name = "value", .tensor = a != NULL ? a->t : NULL};
    wsr_shape one;
    WSR_TRY(listed_shape(&shape, node, 0));
    if (fill.tensor != NULL) {
        WSR_TRY(wsr__onnx_tensor_shape(&one, &fill.count, node->reader->file,
                                       fill.tensor));
        fill.integer = !wsr__onnx_is_float(fill.tensor);
        WSR_TRY(fill.count == 1
                    ? WSR_OK
                    : WSR_FAIL(WSR_FORMAT, "value is not one number"));
        WSR_TRY(wsr__onnx_decode(node, &fill));
    }
    WSR_TRY(wsr__onnx_constant(node, 0, fill.integer, &shape));
    for (size_t i = 0; i < node->out[0]->count; i++) {
        if (fill.ints != NULL) {
            node->out[0]->ints[i] = fill.ints[0];
        } else if (fill.floats != NULL) {
            node->out[0]->floats[i] = fill.floats[0];
        }
    }
out:
    wsr__free(fill.ints);
    wsr__free(fill.floats);
    return status;
}

// -------------------------------------------------------------------- Shape

// The size of the batch is a power of it times what it holds per image.
static wsr_status read_shape(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    const wsr__onnx_value *const x = node->in[0];
    const int64_t n = x->shape.ndims;
    int64_t begin = wsr__onnx_int(node, "start", 0);
    int64_t end = wsr__onnx_int(node, "end", n);
    begin = begin < 0 ? begin + n : begin;
    end = end < 0 ? end + n : end;
    begin = begin < 0 ? 0 : begin;
    end = end > n ? n : end;
    const wsr_shape shape = wsr__shape1(end > begin ? end - begin : 0);
    WSR_TRY(wsr__onnx_constant(node, 0, true, &shape));
    for (int64_t i = begin; i < end; i++) {
        node->out[0]->ints[i - begin] = x->shape.dims[i];
        node->out[0]->powers[i - begin] =
            (unsigned char)(!x->constant && i == x->batch);
    }
out:
    return status;
}

static wsr_status read_size(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    const wsr_shape scalar = {0};
    WSR_TRY(wsr__onnx_constant(node, 0, true, &scalar));
    node->out[0]->ints[0] = wsr_shape_count(&node->in[0]->shape);
    node->out[0]->powers[0] = (unsigned char)!node->in[0]->constant;
out:
    return status;
}

// --------------------------------------------------------------------- Cast

static bool is_float_type(int64_t type)
{
    return type == WSR__ONNX_FLOAT || type == WSR__ONNX_FLOAT16 ||
           type == WSR__ONNX_BFLOAT16 || type == WSR__ONNX_DOUBLE;
}

// An int64 of a number that may be none.
static int64_t whole(float x)
{
    const double most = 9e18;
    return isnan(x) ? 0 : (int64_t)fmin(fmax((double)x, -most), most);
}

static wsr_status cast_constant(wsr__onnx_node *node, int64_t type)
{
    wsr_status status = WSR_OK;
    wsr__onnx_value *const x = node->in[0];
    const bool integer = !is_float_type(type);
    if (integer == x->integer && type != WSR__ONNX_BOOL) {
        return wsr__onnx_same(node, 0, x, &x->shape);
    }
    WSR_TRY(wsr__onnx_decode(node, x));
    WSR_TRY(wsr__onnx_constant(node, 0, integer, &x->shape));
    for (size_t i = 0; i < x->count; i++) {
        if (!integer) {
            node->out[0]->floats[i] = (float)x->ints[i];
        } else if (type == WSR__ONNX_BOOL) {
            node->out[0]->ints[i] = x->integer ? x->ints[i] != 0
                                               : x->floats[i] != 0;
        } else {
            node->out[0]->ints[i] = whole(x->floats[i]);
        }
    }
out:
    return status;
}

// Values of the graph are floats of 32 bits, whatever the file's are.
static wsr_status read_cast(wsr__onnx_node *node)
{
    const int64_t type = wsr__onnx_int(node, "to", WSR__ONNX_FLOAT);
    if (node->in[0]->constant) {
        return cast_constant(node, type);
    }
    if (!is_float_type(type)) {
        return WSR_FAIL(WSR_FORMAT, "it makes whole numbers of the image");
    }
    return wsr__onnx_same(node, 0, node->in[0], &node->in[0]->shape);
}

static wsr_status read_identity(wsr__onnx_node *node)
{
    return wsr__onnx_same(node, 0, node->in[0], &node->in[0]->shape);
}

// Inputs: x, ratio, training_mode. A ratio of 0 drops nothing: torchvision's
// swin transformers have it in training mode.
static wsr_status read_dropout(wsr__onnx_node *node)
{
    double ratio = 0.5;
    double training = 0;
    (void)wsr__onnx_scalar(&ratio, node, 1);
    if (wsr__onnx_in(node, 2) != NULL && ratio != 0 &&
        (!wsr__onnx_scalar(&training, node, 2) || training != 0)) {
        return WSR_FAIL(WSR_FORMAT,
                        "it is in training mode: export the "
                        "network in evaluation mode (model.eval())");
    }
    return read_identity(node);
}

// -------------------------------------------------------------------- Range

static wsr_status read_range(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    double v[3]; // start, limit, delta
    for (size_t i = 0; i < 3; i++) {
        if (!wsr__onnx_scalar(&v[i], node, i)) {
            return WSR_FAIL(WSR_FORMAT, "input %zu is not one number", i);
        }
    }
    const double n = ceil((v[1] - v[0]) / v[2]);
    if (!(n < 1e9)) {
        return WSR_FAIL(WSR_FORMAT, "its constant result is too large");
    }
    const wsr_shape shape = wsr__shape1(n > 0 ? (int64_t)n : 0);
    WSR_TRY(wsr__onnx_constant(node, 0, node->in[0]->integer, &shape));
    for (size_t i = 0; i < node->out[0]->count; i++) {
        const double x = v[0] + (double)i * v[2];
        if (node->out[0]->integer) {
            node->out[0]->ints[i] = (int64_t)x;
        } else {
            node->out[0]->floats[i] = (float)x;
        }
    }
out:
    return status;
}

static const wsr__onnx_row rows[] = {
    {"Constant", read_constant, NULL, 0, NULL},
    {"ConstantOfShape", read_constant_of_shape, NULL, 1, NULL},
    {"Shape", read_shape, NULL, 1, NULL},
    {"Size", read_size, NULL, 1, NULL},
    {"Cast", read_cast, NULL, 1, NULL},
    {"Range", read_range, NULL, 3, NULL},
    {"Identity", read_identity, NULL, 1, NULL},
    {"Dropout", read_dropout, NULL, 1, NULL},
    {0},
};

const wsr__operator_class wsr__operator_constants = {
    .super = {"constants", "constants and what leaves values as they are", "",
              NULL, 0},
    .rows = rows,
};
