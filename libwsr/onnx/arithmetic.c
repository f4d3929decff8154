// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic, by NumPy's rules of broadcasting: of two constants, which are
// computed here; of a value and a number, which is a scaling; of values and
// parameters, which are ops of the graph.

#include "onnx/read.h"
#include "onnx/write.h"

#include <math.h>
#include <string.h>

// --------------------------------------------------------------- constants

typedef struct fold {
    const char *op;
    double (*of_floats)(double a, double b);
    int64_t (*of_ints)(int64_t a, int64_t b); // NULL: there are none
    bool truth;                               // the result is a whole number
} fold;

// clang-format off
#define BINARY(name, expression) \
    static double name(double a, double b) { (void)b; return (expression); }
#define INTEGER(name, expression) \
    static int64_t name(int64_t a, int64_t b) { (void)b; return (expression); }
// clang-format on
BINARY(add, a + b)
BINARY(sub, a - b)
BINARY(mul, a *b)
BINARY(divide, a / b)
BINARY(power, pow(a, b))
BINARY(greater_of, fmax(a, b))
BINARY(less_of, fmin(a, b))
BINARY(equal, a == b)
BINARY(is_greater, a > b)
BINARY(is_less, a < b)
BINARY(both, a != 0 && b != 0)
BINARY(either, a != 0 || b != 0)
BINARY(root, sqrt(a))
BINARY(inverse, 1 / a)
BINARY(negative, -a)
BINARY(lower, floor(a))
BINARY(upper, ceil(a))
BINARY(size, fabs(a))
BINARY(none, a == 0)
// Two's complement wraps, as it does where such files are made.
INTEGER(add_ints, (int64_t)((uint64_t)a + (uint64_t)b))
INTEGER(sub_ints, (int64_t)((uint64_t)a - (uint64_t)b))
INTEGER(mul_ints, (int64_t)((uint64_t)a *(uint64_t)b))
INTEGER(divide_ints, b == 0 ? 0 : b == -1 ? sub_ints(0, a) : a / b)
INTEGER(mod_ints, b == 0 || b == -1 ? 0 : (a % b + b) % b)
INTEGER(greater_int, a > b ? a : b)
INTEGER(less_int, a < b ? a : b)
INTEGER(equal_ints, a == b)
INTEGER(is_greater_int, a > b)
INTEGER(is_less_int, a < b)
INTEGER(both_ints, a != 0 && b != 0)
INTEGER(either_ints, a != 0 || b != 0)
INTEGER(negative_int, sub_ints(0, a))
INTEGER(size_int, a < 0 ? sub_ints(0, a) : a)
INTEGER(none_int, a == 0)

static const fold folds[] = {
    {"Add", add, add_ints, false},
    {"Sub", sub, sub_ints, false},
    {"Mul", mul, mul_ints, false},
    {"Div", divide, divide_ints, false},
    {"Mod", NULL, mod_ints, false},
    {"Pow", power, NULL, false},
    {"Max", greater_of, greater_int, false},
    {"Min", less_of, less_int, false},
    {"Equal", equal, equal_ints, true},
    {"Greater", is_greater, is_greater_int, true},
    {"Less", is_less, is_less_int, true},
    {"And", both, both_ints, true},
    {"Or", either, either_ints, true},
    {"Sqrt", root, NULL, false},
    {"Reciprocal", inverse, NULL, false},
    {"Neg", negative, negative_int, false},
    {"Floor", lower, NULL, false},
    {"Ceil", upper, NULL, false},
    {"Abs", size, size_int, false},
    {"Not", none, none_int, true},
};

static const fold *fold_of(const wsr__onnx_node *node)
{
    for (size_t i = 0; i < sizeof(folds) / sizeof(*folds); i++) {
        if (wsr__streq(folds[i].op, node->row->op)) {
            return &folds[i];
        }
    }
    return NULL;
}

// Size of an axis of a shape that is aligned from the right.
static int64_t dim_at(const wsr_shape *s, int axis, int ndims)
{
    const int k = axis - (ndims - s->ndims);
    return k < 0 ? 1 : s->dims[k];
}

static wsr_status broadcast(wsr_shape *out, const wsr_shape *a,
                            const wsr_shape *b)
{
    const int n = a->ndims > b->ndims ? a->ndims : b->ndims;
    *out = (wsr_shape){.ndims = n};
    for (int i = 0; i < n; i++) {
        const int64_t x = dim_at(a, i, n);
        const int64_t y = dim_at(b, i, n);
        if (x != y && x != 1 && y != 1) {
            char first[96];
            char second[96];
            wsr__shape_print(first, a);
            wsr__shape_print(second, b);
            return WSR_FAIL(WSR_FORMAT, "shapes %s and %s do not fit", first,
                            second);
        }
        out->dims[i] = x == 1 ? y : x;
    }
    return WSR_OK;
}

// Where element `i` of a shape lies in a constant that is broadcast to it.
static size_t source_of(size_t i, const wsr_shape *shape, const wsr_shape *src)
{
    size_t at = 0;
    size_t stride = 1;
    for (int k = shape->ndims; k-- > 0;) {
        const size_t d = (size_t)shape->dims[k];
        const size_t own = (size_t)dim_at(src, k, shape->ndims);
        at += own == 1 ? 0u : i % d * stride;
        stride *= own;
        i /= d;
    }
    return at;
}

// The power of the batch of a result: products have the sum, quotients the
// difference. Of others it is gone: they are those of a batch of one.
static int power_of(const fold *f, int a, int b)
{
    const int power = f->of_ints == mul_ints      ? a + b
                      : f->of_ints == divide_ints ? a - b
                                                  : 0;
    return power < 0 ? 0 : power;
}

static int power_at(const wsr__onnx_value *v, size_t i)
{
    return v->powers != NULL ? v->powers[i] : 0;
}

static double float_at(const wsr__onnx_value *v, size_t i)
{
    return v->integer ? (double)v->ints[i] : (double)v->floats[i];
}

// One element; a comparison of floats is a whole number.
static void fold_element(wsr__onnx_value *out, size_t i, const fold *f,
                         const wsr__onnx_value *const in[2], const size_t at[2])
{
    if (in[0]->integer) {
        const int64_t a = in[0]->ints[at[0]];
        const int64_t b = in[1]->ints[at[1]];
        const int p = power_at(in[0], at[0]);
        const int q = power_at(in[1], at[1]);
        out->ints[i] = f->truth && p != q ? 0 : f->of_ints(a, b);
        out->powers[i] = (unsigned char)(f->truth ? 0 : power_of(f, p, q));
        return;
    }
    const double y =
        f->of_floats(float_at(in[0], at[0]), float_at(in[1], at[1]));
    if (out->integer) {
        out->ints[i] = y != 0;
    } else {
        out->floats[i] = (float)y;
    }
}

// Of two constants, or of one, which then stands for both.
static wsr_status fold_constants(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    const fold *const f = fold_of(node);
    wsr__onnx_value *const a = node->in[0];
    wsr__onnx_value *const b = node->n_in > 1 ? node->in[1] : a;
    wsr_shape shape;
    if (f == NULL || b == NULL || node->n_in > 2 || a->integer != b->integer ||
        (a->integer ? f->of_ints == NULL : f->of_floats == NULL)) {
        return WSR_FAIL(WSR_FORMAT, "its inputs are constants of a kind that "
                                    "is not supported");
    }
    WSR_TRY(wsr__onnx_decode(node, a));
    WSR_TRY(wsr__onnx_decode(node, b));
    WSR_TRY(broadcast(&shape, &a->shape, &b->shape));
    WSR_TRY(wsr__onnx_constant(node, 0, a->integer || f->truth, &shape));
    const wsr__onnx_value *const in[2] = {a, b};
    for (size_t i = 0; i < node->out[0]->count; i++) {
        const size_t at[2] = {source_of(i, &shape, &a->shape),
                              source_of(i, &shape, &b->shape)};
        fold_element(node->out[0], i, f, in, at);
    }
out:
    return status;
}

static wsr_status read_constant_only(wsr__onnx_node *node)
{
    if (!wsr__onnx_all_constant(node)) {
        return WSR_FAIL(WSR_FORMAT, "it is supported for constants only");
    }
    return fold_constants(node);
}

// condition, x, y: truth values are known.
static wsr_status read_where(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    wsr_shape both;
    wsr_shape shape;
    wsr__onnx_value *const *const in = node->in;
    if (!wsr__onnx_all_constant(node) || in[1]->integer != in[2]->integer ||
        !in[0]->integer) {
        return WSR_FAIL(WSR_FORMAT, "it is supported for constants only");
    }
    for (size_t i = 0; i < 3; i++) {
        WSR_TRY(wsr__onnx_decode(node, in[i]));
    }
    WSR_TRY(broadcast(&both, &in[0]->shape, &in[1]->shape));
    WSR_TRY(broadcast(&shape, &both, &in[2]->shape));
    WSR_TRY(wsr__onnx_constant(node, 0, in[1]->integer, &shape));
    wsr__onnx_value *const out = node->out[0];
    for (size_t i = 0; i < out->count; i++) {
        const bool yes = in[0]->ints[source_of(i, &shape, &in[0]->shape)] != 0;
        const wsr__onnx_value *const from = in[yes ? 1 : 2];
        const size_t k = source_of(i, &shape, &from->shape);
        if (out->integer) {
            out->ints[i] = from->ints[k];
            out->powers[i] = (unsigned char)power_at(from, k);
        } else {
            out->floats[i] = from->floats[k];
        }
    }
out:
    return status;
}

// ------------------------------------------------------- a value and a number

static wsr_status scaled(wsr_value *out, const wsr__onnx_node *node,
                         wsr_value x, double factor, double offset)
{
    wsr__onnx_op op = wsr__onnx_begin("scale");
    wsr__onnx_set_float(&op, "factor", factor);
    wsr__onnx_set_float(&op, "offset", offset);
    return wsr__onnx_emit(out, node, &op, &x, 1);
}

static wsr_status two(wsr_value *out, const wsr__onnx_node *node,
                      const char *name, wsr_value a, wsr_value b)
{
    const wsr_value srcs[] = {a, b};
    wsr__onnx_op op = wsr__onnx_begin(name);
    return wsr__onnx_emit(out, node, &op, srcs, 2);
}

// The number on the left (first) or on the right of the value x. *done stays
// false for what is no scaling and no product.
static wsr_status with_number(wsr_value *out, bool *done,
                              const wsr__onnx_node *node, double number,
                              bool first)
{
    const char *const op = node->row->op;
    const wsr_value x = node->in[first ? 1 : 0]->value;
    *done = true;
    if (wsr__streq(op, "Add")) {
        return scaled(out, node, x, 1, number);
    }
    if (wsr__streq(op, "Sub")) {
        return scaled(out, node, x, first ? -1 : 1, first ? number : -number);
    }
    if (wsr__streq(op, "Mul")) {
        return scaled(out, node, x, number, 0);
    }
    if (wsr__streq(op, "Div") && !first) {
        return scaled(out, node, x, 1 / number, 0);
    }
    if (wsr__streq(op, "Pow") && !first && number == 2) {
        return two(out, node, "mul", x, x);
    }
    if (wsr__streq(op, "Pow") && !first && number == 0.5) {
        return wsr__onnx_emit1(out, node, "sqrt", x);
    }
    *done = false;
    return WSR_OK;
}

// ----------------------------------------------------- values and parameters

// Whole numbers, which only exponents may be.
static wsr_status whole_numbers(wsr_value *out, wsr__onnx_node *node,
                                wsr__onnx_value *c, const wsr_shape *shape)
{
    wsr_status status = WSR_OK;
    float *data = NULL;
    WSR_TRY(wsr__onnx_decode(node, c));
    data = wsr__alloc(c->count, sizeof(*data));
    WSR_TRY(data != NULL ? WSR_OK : WSR_NOMEM);
    for (size_t i = 0; i < c->count; i++) {
        data[i] = (float)c->ints[i];
    }
    WSR_TRY(wsr__onnx_param_of(out, node, c->name, data, shape));
out:
    wsr__free(data);
    return status;
}

wsr_status wsr__onnx_operand(wsr_value *out, wsr__onnx_node *node,
                             wsr__onnx_value *c, const wsr__onnx_value *like)
{
    wsr_shape shape = {0};
    const int n = like->shape.ndims;
    const bool hidden = like->shape.dims[like->batch] == 1;
    if (c->shape.ndims > n) {
        return WSR_FAIL(WSR_FORMAT, "a constant has more axes than the value");
    }
    for (int i = n - c->shape.ndims; i < n; i++) {
        const int64_t d = dim_at(&c->shape, i, n);
        if (i == like->batch && d != 1 && (hidden || node->reader->batch > 1)) {
            return WSR_FAIL(WSR_FORMAT,
                            "a constant differs among the images of a batch");
        }
        if ((i != like->batch || !hidden) && (shape.ndims > 0 || d != 1)) {
            shape.dims[shape.ndims++] = d;
        }
    }
    if (shape.ndims == 0) {
        shape = wsr__shape1(1);
    }
    return c->constant && c->integer && wsr__streq(node->row->op, "Pow")
               ? whole_numbers(out, node, c, &shape)
               : wsr__onnx_param(out, node, c, &shape);
}

// Both have the same number of axes, and the batch at the same.
static wsr_status align(wsr_value *out, wsr_shape *shape, int *batch,
                        const wsr__onnx_node *node, const wsr__onnx_value *x,
                        int ndims)
{
    const int missing = ndims - x->shape.ndims;
    *shape = (wsr_shape){.ndims = ndims};
    for (int i = 0; i < ndims; i++) {
        shape->dims[i] = dim_at(&x->shape, i, ndims);
    }
    *batch = x->batch + missing;
    return wsr__onnx_reshape(out, node, x, shape, *batch);
}

static int64_t leads(const wsr__onnx_value *x)
{
    return x->lead > 1 ? x->lead : 1;
}

static wsr_status of_values(wsr__onnx_node *node, const char *name)
{
    wsr_status status = WSR_OK;
    wsr__onnx_value *const *const in = node->in;
    wsr_value srcs[2] = {0};
    wsr_shape shapes[2];
    int batch[2] = {0};
    wsr_value y = 0;
    const int n = in[0]->shape.ndims > in[1]->shape.ndims ? in[0]->shape.ndims
                                                          : in[1]->shape.ndims;
    for (size_t i = 0; i < 2; i++) {
        if (in[i]->constant) {
            shapes[i] = in[i]->shape;
            WSR_TRY(wsr__onnx_operand(&srcs[i], node, in[i], in[1 - i]));
        } else {
            WSR_TRY(align(&srcs[i], &shapes[i], &batch[i], node, in[i], n));
        }
    }
    const bool both = !in[0]->constant && !in[1]->constant;
    const int at = in[0]->constant ? batch[1] : batch[0];
    if (both && (leads(in[0]) != leads(in[1]) || batch[0] != batch[1] ||
                 shapes[0].dims[at] != shapes[1].dims[at])) {
        return WSR_FAIL(WSR_FORMAT, "its inputs have the batch at different "
                                    "axes");
    }
    wsr_shape shape;
    WSR_TRY(broadcast(&shape, &shapes[0], &shapes[1]));
    WSR_TRY(two(&y, node, name, srcs[0], srcs[1]));
    wsr__onnx_put(node, 0, y, &shape, at);
out:
    return status;
}

static wsr_status read_binary(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    wsr_value y = 0;
    bool done = false;
    if (node->n_in != 2 || node->in[1] == NULL) {
        return WSR_FAIL(WSR_FORMAT, "it has %zu inputs, not 2", node->n_in);
    }
    if (wsr__onnx_all_constant(node)) {
        return fold_constants(node);
    }
    for (size_t i = 0; i < 2 && !done; i++) {
        double number = 0;
        const wsr__onnx_value *const x = node->in[1 - i];
        WSR_TRY(wsr__onnx_pattern(&y, &done, node));
        if (!done && wsr__onnx_may_be(node, "scale") &&
            wsr__onnx_scalar(&number, node, i) &&
            node->in[i]->shape.ndims <= x->shape.ndims) {
            WSR_TRY(with_number(&y, &done, node, number, i == 0));
        }
        if (done) {
            const wsr__onnx_value *const like = x->constant ? node->in[i] : x;
            wsr__onnx_put(node, 0, y, &like->shape, like->batch);
        }
    }
    if (!done) {
        WSR_TRY(of_values(node, node->row->with));
    }
out:
    return status;
}

static wsr_status read_unary(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    wsr_value y = 0;
    if (node->in[0]->constant) {
        return fold_constants(node);
    }
    WSR_TRY(wsr__onnx_emit1(&y, node, node->row->with, node->in[0]->value));
    wsr__onnx_put_like(node, y);
out:
    return status;
}

static wsr_status read_neg(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    wsr_value y = 0;
    if (node->in[0]->constant) {
        return fold_constants(node);
    }
    WSR_TRY(scaled(&y, node, node->in[0]->value, -1, 0));
    wsr__onnx_put_like(node, y);
out:
    return status;
}

// A sum of any number of values.
static wsr_status read_sum(wsr__onnx_node *node)
{
    wsr_status status = WSR_OK;
    wsr_value srcs[32];
    wsr_value y = 0;
    if (node->n_in == 2) {
        return read_binary(node);
    }
    for (size_t i = 0; i < node->n_in; i++) {
        if (i >= sizeof(srcs) / sizeof(*srcs) || node->in[i] == NULL ||
            node->in[i]->constant ||
            !wsr_shape_equal(&node->in[i]->shape, &node->in[0]->shape) ||
            node->in[i]->batch != node->in[0]->batch) {
            return WSR_FAIL(WSR_FORMAT, "it adds values of different shapes");
        }
        srcs[i] = node->in[i]->value;
    }
    wsr__onnx_op op = wsr__onnx_begin("add");
    WSR_TRY(wsr__onnx_emit(&y, node, &op, srcs, node->n_in));
    wsr__onnx_put_like(node, y);
out:
    return status;
}

static void write_add(wsr__onnx_step *step)
{
    (void)wsr__onnx_add_all(step, step->vertex->n == 2 ? "Add" : "Sum");
}

// factor x + offset; what changes nothing is left out, but for one node.
static void write_scale(wsr__onnx_step *step)
{
    const double factor = wsr__onnx_get_float(step, "factor");
    const double offset = wsr__onnx_get_float(step, "offset");
    const char *x = wsr__onnx_src(step, 0);
    if (factor != 1 || offset == 0) {
        x = wsr__onnx_add2(step, "Mul", x, wsr__onnx_number(step, factor));
    }
    if (offset != 0) {
        (void)wsr__onnx_add2(step, "Add", x, wsr__onnx_number(step, offset));
    }
}

static const wsr__onnx_row rows[] = {
    {"Add", read_binary, "add", 2, write_add},
    {"Sub", read_binary, "sub", 2, wsr__onnx_write_plain},
    {"Mul", read_binary, "mul", 2, wsr__onnx_write_plain},
    {"Div", read_binary, "div", 2, wsr__onnx_write_plain},
    {"Pow", read_binary, "pow", 2, wsr__onnx_write_plain},
    {"Max", read_binary, "maximum", 2, wsr__onnx_write_plain},
    {"Min", read_binary, "minimum", 2, wsr__onnx_write_plain},
    {"Sum", read_sum, "add", 1, NULL},
    {"Sqrt", read_unary, "sqrt", 1, wsr__onnx_write_plain},
    {"Reciprocal", read_unary, "reciprocal", 1, wsr__onnx_write_plain},
    {"Abs", read_unary, "abs", 1, wsr__onnx_write_plain},
    {"Neg", read_neg, NULL, 1, NULL},
    {"Floor", read_constant_only, NULL, 1, NULL},
    {"Ceil", read_constant_only, NULL, 1, NULL},
    {"Not", read_constant_only, NULL, 1, NULL},
    {"Mod", read_constant_only, NULL, 2, NULL},
    {"Equal", read_constant_only, NULL, 2, NULL},
    {"Greater", read_constant_only, NULL, 2, NULL},
    {"Less", read_constant_only, NULL, 2, NULL},
    {"And", read_constant_only, NULL, 2, NULL},
    {"Or", read_constant_only, NULL, 2, NULL},
    {"Where", read_where, NULL, 3, NULL},
    {NULL, NULL, "scale", 0, write_scale},
    {0},
};

const wsr__operator_class wsr__operator_arithmetic = {
    .super = {"arithmetic", "arithmetic with broadcasting", "", NULL, 0},
    .rows = rows,
};
