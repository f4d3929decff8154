// SPDX-License-Identifier: Apache-2.0
//
// Nodes that apply a function to every element of a value.

#include "onnx/read.h"
#include "onnx/write.h"

#include <float.h>
#include <math.h>

#define SELU_ALPHA 1.6732632423543772
#define SELU_GAMMA 1.0507009873554805
#define GELU_TANH 0.7978845608028654 // sqrt(2 / pi)

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
    const double alpha = wsr__onnx_float(node, "alpha", 0.2);
    const bool sixth = (float)alpha == (float)(1.0 / 6);
    WSR_TRY(wsr__onnx_need_value(node, 0));
    wsr__onnx_op op = wsr__onnx_begin("hard_sigmoid");
    wsr__onnx_set_float(&op, "slope", sixth ? 1.0 / 6 : alpha);
    wsr__onnx_set_float(&op, "offset", wsr__onnx_float(node, "beta", 0.5));
    WSR_TRY(finish(node, &op));
out:
    return status;
}

static void write_leaky_relu(wsr__onnx_step *step)
{
    wsr__onnx_write_plain(step);
    wsr__onnx_with_float(step, "alpha", wsr__onnx_get_float(step, "slope"));
}

static void write_elu(wsr__onnx_step *step)
{
    wsr__onnx_write_plain(step);
    wsr__onnx_with_float(step, "alpha", wsr__onnx_get_float(step, "alpha"));
}

static void write_hard_sigmoid(wsr__onnx_step *step)
{
    wsr__onnx_write_plain(step);
    wsr__onnx_with_float(step, "alpha", wsr__onnx_get_float(step, "slope"));
    wsr__onnx_with_float(step, "beta", wsr__onnx_get_float(step, "offset"));
}

// The op has the constants of the paper, which are those of the operator.
static wsr_status read_selu(wsr__onnx_node *node)
{
    const float alpha = (float)wsr__onnx_float(node, "alpha", SELU_ALPHA);
    const float gamma = (float)wsr__onnx_float(node, "gamma", SELU_GAMMA);
    if (alpha != (float)SELU_ALPHA || gamma != (float)SELU_GAMMA) {
        return WSR_FAIL(WSR_FORMAT, "its alpha and gamma are not those of the "
                                    "paper");
    }
    return read_plain(node);
}

// In opset 17 it is x tanh(softplus(x)).
static void write_mish(wsr__onnx_step *step)
{
    const char *const x = wsr__onnx_src(step, 0);
    const char *const soft = wsr__onnx_add1(step, "Softplus", x);
    (void)wsr__onnx_add2(step, "Mul", x, wsr__onnx_add1(step, "Tanh", soft));
}

// ln(1 + exp(beta x)) / beta; the operator has no beta.
static void write_softplus(wsr__onnx_step *step)
{
    const double beta = wsr__onnx_get_float(step, "beta");
    const char *x = wsr__onnx_src(step, 0);
    if (wsr__onnx_get_float(step, "threshold") != 20) {
        wsr__onnx_refuse(step, "has a threshold, which ONNX has not");
        return;
    }
    if (beta == 1) {
        wsr__onnx_write_plain(step);
        return;
    }
    const char *const factor = wsr__onnx_number(step, beta);
    x = wsr__onnx_add1(step, "Softplus",
                       wsr__onnx_add2(step, "Mul", x, factor));
    (void)wsr__onnx_add2(step, "Div", x, factor);
}

// x phi(x) / 2 with phi(x) = 1 + erf(x / sqrt(2)), or 1 + tanh(sqrt(2 / pi) (x
// + 0.044715 x^3)): the operator is not in opset 17.
static void write_gelu(wsr__onnx_step *step)
{
    const char *const x = wsr__onnx_src(step, 0);
    const char *y = NULL;
    if (wsr__streq(wsr__onnx_get_word(step, "approximate"), "tanh")) {
        y = wsr__onnx_add2(step, "Mul", wsr__onnx_add2(step, "Mul", x, x), x);
        y = wsr__onnx_add2(step, "Mul", y, wsr__onnx_number(step, 0.044715));
        y = wsr__onnx_add2(step, "Add", x, y);
        y = wsr__onnx_add2(step, "Mul", y, wsr__onnx_number(step, GELU_TANH));
        y = wsr__onnx_add1(step, "Tanh", y);
    } else {
        y = wsr__onnx_add2(step, "Div", x, wsr__onnx_number(step, sqrt(2)));
        y = wsr__onnx_add1(step, "Erf", y);
    }
    y = wsr__onnx_add2(step, "Add", y, wsr__onnx_number(step, 1));
    y = wsr__onnx_add2(step, "Mul", x, y);
    (void)wsr__onnx_add2(step, "Mul", y, wsr__onnx_number(step, 0.5));
}

static void write_silu(wsr__onnx_step *step)
{
    const char *const x = wsr__onnx_src(step, 0);
    (void)wsr__onnx_add2(step, "Mul", x, wsr__onnx_add1(step, "Sigmoid", x));
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
    const bool relu = low == 0 && (high == 6 || isinf(high)) &&
                      wsr__onnx_may_be(node, high == 6 ? "relu6" : "relu");
    const bool zero = low == 0 && high == 0 && wsr__onnx_is_own(node, "zero");
    if (isinf(low) && isinf(high)) {
        return wsr__onnx_same(node, 0, node->in[0], &node->in[0]->shape);
    }
    wsr__onnx_op op = wsr__onnx_begin(zero        ? "zero"
                                      : !relu     ? "clip"
                                      : high == 6 ? "relu6"
                                                  : "relu");
    if (!relu && !zero && !isinf(low)) {
        wsr__onnx_set_float(&op, "min", low);
    }
    if (!relu && !zero && !isinf(high)) {
        wsr__onnx_set_float(&op, "max", high);
    }
    WSR_TRY(finish(node, &op));
out:
    return status;
}

// Limits of NULL are left out.
static void write_limits(wsr__onnx_step *step, const double *low,
                         const double *high)
{
    const char *inputs[3] = {wsr__onnx_src(step, 0)};
    size_t n = 1;
    if (low != NULL) {
        inputs[1] = wsr__onnx_number(step, *low);
        n = 2;
    }
    if (high != NULL) {
        inputs[2] = wsr__onnx_number(step, *high);
        n = 3;
    }
    (void)wsr__onnx_add(step, "Clip", inputs, n);
}

// The op's limits of 3.4e38 are none.
static void write_clip(wsr__onnx_step *step)
{
    const double most = 3.4e38;
    const double low = wsr__onnx_get_float(step, "min");
    const double high = wsr__onnx_get_float(step, "max");
    write_limits(step, low > -most ? &low : NULL, high < most ? &high : NULL);
}

static void write_relu6(wsr__onnx_step *step)
{
    const double low = 0;
    const double high = 6;
    write_limits(step, &low, &high);
}

// Zeros of a shape that is open: whatever the source, nothing is left of it.
static void write_zero(wsr__onnx_step *step)
{
    const double zero = 0;
    write_limits(step, &zero, &zero);
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

static void write_softmax(wsr__onnx_step *step)
{
    wsr__onnx_write_plain(step);
    wsr__onnx_with_int(step, "axis", wsr__onnx_get_int(step, "axis"));
}

static const wsr__onnx_row rows[] = {
    {"Relu", read_plain, "relu", 1, wsr__onnx_write_plain},
    {"Sigmoid", read_plain, "sigmoid", 1, wsr__onnx_write_plain},
    {"Tanh", read_plain, "tanh", 1, wsr__onnx_write_plain},
    {"Exp", read_plain, "exp", 1, wsr__onnx_write_plain},
    {"Log", read_plain, "log", 1, wsr__onnx_write_plain},
    {"Erf", read_plain, "erf", 1, wsr__onnx_write_plain},
    {"Mish", read_plain, "mish", 1, write_mish},
    {"HardSwish", read_plain, "hard_swish", 1, wsr__onnx_write_plain},
    {"Softplus", read_plain, "softplus", 1, write_softplus},
    {"Clip", read_clip, "clip", 1, write_clip},
    {"LeakyRelu", read_leaky_relu, "leaky_relu", 1, write_leaky_relu},
    {"PRelu", read_prelu, "prelu", 2, wsr__onnx_write_plain},
    {"Elu", read_elu, "elu", 1, write_elu},
    {"Selu", read_selu, "selu", 1, wsr__onnx_write_plain},
    {"HardSigmoid", read_hard_sigmoid, "hard_sigmoid", 1, write_hard_sigmoid},
    {"Gelu", read_gelu, "gelu", 1, write_gelu},
    {"Softmax", read_softmax, "softmax", 1, write_softmax},
    {"LogSoftmax", read_softmax, "log_softmax", 1, write_softmax},
    {NULL, NULL, "relu6", 0, write_relu6},
    {NULL, NULL, "silu", 0, write_silu},
    {NULL, NULL, "zero", 0, write_zero},
    {0},
};

const wsr__operator_class wsr__operator_activations = {
    .super = {"activations", "functions of single numbers", "", NULL, 0},
    .rows = rows,
};
