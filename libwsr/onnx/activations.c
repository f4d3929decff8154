// SPDX-License-Identifier: Apache-2.0
//
// Nodes that apply a function to every element of a value.

#include "onnx/read.h"

#include <float.h>
#include <math.h>

// Functions without options, named in the row.
static wsr_status read_plain(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    wsr_value y = 0;
    WSR_TRY(wsr__onnx_need_value(node, 0));
    WSR_TRY(wsr__onnx_emit1(&y, node, node->row->with, node->in[0]->value));
    wsr__onnx_put_like(node, y);
out:
    return status;
}

static wsr_status finish(wsr__onnx_node *node, wsr__onnx_op *op)
{
    wsr_status status = WSR_OK;
    wsr_value y = 0;
    WSR_TRY(wsr__onnx_emit(&y, node, op, &node->in[0]->value, 1));
    wsr__onnx_put_like(node, y);
out:
    return status;
}

static wsr_status read_leaky_relu(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__onnx_need_value(node, 0));
    wsr__onnx_op op = wsr__onnx_begin("leaky_relu");
    wsr__onnx_set_float(&op, "slope", wsr__onnx_float(node, "alpha", 0.01));
    WSR_TRY(finish(node, &op));
out:
    return status;
}

static wsr_status read_elu(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__onnx_need_value(node, 0));
    wsr__onnx_op op = wsr__onnx_begin("elu");
    wsr__onnx_set_float(&op, "alpha", wsr__onnx_float(node, "alpha", 1));
    WSR_TRY(finish(node, &op));
out:
    return status;
}

// PyTorch's hard sigmoid has a slope of 1/6, of which files hold the float.
static wsr_status read_hard_sigmoid(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__onnx_need_value(node, 0));
    wsr__onnx_op op = wsr__onnx_begin("hard_sigmoid");
    wsr__onnx_set_float(&op, "slope", wsr__onnx_float(node, "alpha", 0.2));
    wsr__onnx_set_float(&op, "offset", wsr__onnx_float(node, "beta", 0.5));
    WSR_TRY(finish(node, &op));
out:
    return status;
}

static wsr_status read_gelu(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    const bool tanh = wsr__onnx_is(node, "approximate", "tanh", false);
    WSR_TRY(wsr__onnx_need_value(node, 0));
    wsr__onnx_op op = wsr__onnx_begin("gelu");
    wsr__onnx_set_word(&op, "approximate", tanh ? "tanh" : "none");
    WSR_TRY(finish(node, &op));
out:
    return status;
}

// --------------------------------------------------------------------- Clip

// A limit: an attribute before opset 11, an input from there on. Infinite where
// it is left out; files write the largest float for that, too.
static wsr_status limit(double *out, const wsr__onnx_node *node, size_t i,
                        const char *key, double none)
{
    *out = wsr__onnx_float(node, key, none);
    if (wsr__onnx_in(node, i) != NULL && !wsr__onnx_scalar(out, node, i)) {
        return WSR_FAIL(WSR_FORMAT, "%s is not one number", key);
    }
    *out = fabs(*out) >= (double)FLT_MAX ? none : *out;
    return WSR_OK;
}

// The usual limits have ops of their own, which are faster.
static wsr_status read_clip(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    double low = 0;
    double high = 0;
    WSR_TRY(wsr__onnx_need_value(node, 0));
    WSR_TRY(limit(&low, node, 1, "min", (double)-INFINITY));
    WSR_TRY(limit(&high, node, 2, "max", (double)INFINITY));
    const bool relu = low == 0 && (high == 6 || isinf(high));
    if (isinf(low) && isinf(high)) {
        return wsr__onnx_same(node, 0, node->in[0], &node->in[0]->shape);
    }
    wsr__onnx_op op = wsr__onnx_begin(!relu       ? "clip"
                                      : high == 6 ? "relu6"
                                                  : "relu");
    if (!relu && !isinf(low)) {
        wsr__onnx_set_float(&op, "min", low);
    }
    if (!relu && !isinf(high)) {
        wsr__onnx_set_float(&op, "max", high);
    }
    WSR_TRY(finish(node, &op));
out:
    return status;
}

// -------------------------------------------------------------------- PRelu

// Slopes (c, 1, 1), or of any shape that NumPy broadcasts to the input's.
static wsr_status read_prelu(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    wsr_value srcs[2];
    wsr_value y = 0;
    wsr__onnx_value *const slope = node->in[1];
    WSR_TRY(wsr__onnx_need_value(node, 0));
    srcs[0] = node->in[0]->value;
    WSR_TRY(wsr__onnx_operand(&srcs[1], node, slope, node->in[0]));
    wsr__onnx_op op = wsr__onnx_begin("prelu");
    WSR_TRY(wsr__onnx_emit(&y, node, &op, srcs, 2));
    wsr__onnx_put_like(node, y);
out:
    return status;
}

// ------------------------------------------------------------------ Softmax

static wsr_status softmax_of(wsr_value *out, const wsr__onnx_node *node,
                             wsr_value x, int axis, bool last)
{
    wsr__onnx_op op = wsr__onnx_begin(node->row->with);
    if (!last) {
        wsr__onnx_set_int(&op, "axis", axis);
    }
    return wsr__onnx_emit(out, node, &op, &x, 1);
}

// Before opset 13 all axes from the given one on were one.
static wsr_status read_flat_softmax(wsr__onnx_node *node, int axis)
{
    wsr_status status = WSR_OK;
    const wsr__onnx_value *const x = node->in[0];
    wsr_shape flat = {.ndims = axis + 1};
    wsr_value y = 0;
    for (int i = 0; i < axis; i++) {
        flat.dims[i] = x->shape.dims[i];
    }
    flat.dims[axis] = 1;
    for (int i = axis; i < x->shape.ndims; i++) {
        flat.dims[axis] *= x->shape.dims[i];
    }
    WSR_TRY(wsr__onnx_reshape(&y, node, x, &flat, x->batch));
    WSR_TRY(softmax_of(&y, node, y, 0, true));
    const wsr__onnx_value rows = {.value = y, .batch = x->batch};
    WSR_TRY(wsr__onnx_reshape(&y, node, &rows, &x->shape, x->batch));
    wsr__onnx_put_like(node, y);
out:
    return status;
}

static wsr_status read_softmax(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    const bool flat = node->reader->opset < 13;
    const wsr__onnx_value *const x = node->in[0];
    wsr_value y = 0;
    int axis = 0;
    WSR_TRY(wsr__onnx_need_value(node, 0));
    WSR_TRY(wsr__onnx_axis(&axis, wsr__onnx_int(node, "axis", flat ? 1 : -1),
                           x->shape.ndims));
    const bool last = axis == x->shape.ndims - 1;
    if (axis == x->batch || (flat && axis < x->batch)) {
        return WSR_FAIL(WSR_FORMAT, "its axis %d is not one of an image's",
                        axis);
    }
    if (flat && !last) {
        return read_flat_softmax(node, axis);
    }
    WSR_TRY(
        softmax_of(&y, node, x->value, wsr__onnx_graph_axis(x, axis), last));
    wsr__onnx_put_like(node, y);
out:
    return status;
}

const wsr__onnx_row wsr__onnx_activations[] = {
    {"Relu", read_plain, "relu", 1},
    {"Sigmoid", read_plain, "sigmoid", 1},
    {"Tanh", read_plain, "tanh", 1},
    {"Exp", read_plain, "exp", 1},
    {"Log", read_plain, "log", 1},
    {"Erf", read_plain, "erf", 1},
    {"Mish", read_plain, "mish", 1},
    {"HardSwish", read_plain, "hard_swish", 1},
    {"Softplus", read_plain, "softplus", 1},
    {"Clip", read_clip, NULL, 1},
    {"LeakyRelu", read_leaky_relu, NULL, 1},
    {"PRelu", read_prelu, NULL, 2},
    {"Elu", read_elu, NULL, 1},
    {"HardSigmoid", read_hard_sigmoid, NULL, 1},
    {"Gelu", read_gelu, NULL, 1},
    {"Softmax", read_softmax, "softmax", 1},
    {"LogSoftmax", read_softmax, "log_softmax", 1},
    {0},
};
