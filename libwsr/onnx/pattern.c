// SPDX-License-Identifier: Apache-2.0
//
// Several nodes that stand for one op of the graph: x Sigmoid(x) and the like,
// as exporters write what their opset has no operator for. The op replaces the
// last node; what the others made stays in the graph without a reader, and
// plans leave that out.

#include "onnx/read.h"
#include "op/normalize.h"
#include "op/params.h"

#include <math.h>

#define GELU_TANH 0.7978845608028654 // sqrt(2 / pi)

// Floats of files have seven digits.
static bool is_near(double a, double b)
{
    return fabs(a - b) <= 1e-6 * fabs(b);
}

// x where value is factor x + offset, and -1 where it is not: values are
// unsigned numbers of vertices.
static const wsr_value *scaled_by(const wsr__onnx_node *node, wsr_value value,
                                  double factor, double offset)
{
    const wsr__vertex *const v = wsr__onnx_op_of(node, value, &wsr__op_scale);
    const wsr__scale_params *const p = v != NULL ? v->options : NULL;
    return p != NULL && is_near(p->factor, factor) && p->offset == offset
               ? v->srcs
               : NULL;
}

static const wsr_value *source_of(const wsr__onnx_node *node, wsr_value value,
                                  const wsr__op_class *cls)
{
    const wsr__vertex *const v = wsr__onnx_op_of(node, value, cls);
    return v != NULL ? v->srcs : NULL;
}

static bool is(const wsr_value *found, wsr_value x)
{
    return found != NULL && *found == x;
}

// ------------------------------------------------------------ x times f(x)

static bool is_silu(const wsr__onnx_node *node, wsr_value x, wsr_value y)
{
    return is(source_of(node, y, &wsr__op_sigmoid), x);
}

static bool is_mish(const wsr__onnx_node *node, wsr_value x, wsr_value y)
{
    const wsr_value *const soft = source_of(node, y, &wsr__op_tanh);
    return soft != NULL && is(source_of(node, *soft, &wsr__op_softplus), x);
}

static wsr_status of_product(wsr_value *out, bool *done,
                             const wsr__onnx_node *node)
{
    static const struct {
        const char *op;
        bool (*is)(const wsr__onnx_node *node, wsr_value x, wsr_value y);
    } rows[] = {{"silu", is_silu}, {"mish", is_mish}};
    wsr_status status = WSR_OK;
    for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++) {
        for (size_t i = 0; i < 2 && !*done; i++) {
            const wsr_value x = node->in[i]->value;
            if (wsr__onnx_may_be(node, rows[k].op) &&
                rows[k].is(node, x, node->in[1 - i]->value)) {
                WSR_TRY(wsr__onnx_emit1(out, node, rows[k].op, x));
                *done = true;
            }
        }
    }
out:
    return status;
}

// -------------------------------------------------------------------- GELU

// Whether y is 1 + erf(x / sqrt(2)).
static bool is_erf(const wsr__onnx_node *node, wsr_value x, wsr_value y)
{
    const wsr_value *const erf = scaled_by(node, y, 1, 1);
    const wsr_value *const z = erf != NULL ? source_of(node, *erf, &wsr__op_erf)
                                           : NULL;
    return z != NULL && is(scaled_by(node, *z, sqrt(0.5), 0), x);
}

// Whether y is x x x.
static bool is_cube(const wsr__onnx_node *node, wsr_value x, wsr_value y)
{
    const wsr_value *const a = source_of(node, y, &wsr__op_mul);
    const wsr_value *const b =
        a != NULL && a[1] == x ? source_of(node, a[0], &wsr__op_mul) : NULL;
    return b != NULL && b[0] == x && b[1] == x;
}

// Whether y is 1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)).
static bool is_tanh(const wsr__onnx_node *node, wsr_value x, wsr_value y)
{
    const wsr_value *const tanh = scaled_by(node, y, 1, 1);
    const wsr_value *const z =
        tanh != NULL ? source_of(node, *tanh, &wsr__op_tanh) : NULL;
    const wsr_value *const sum = z != NULL ? scaled_by(node, *z, GELU_TANH, 0)
                                           : NULL;
    const wsr_value *const terms =
        sum != NULL ? source_of(node, *sum, &wsr__op_add) : NULL;
    const wsr_value *const cube =
        is(terms, x) ? scaled_by(node, terms[1], 0.044715, 0) : NULL;
    return cube != NULL && is_cube(node, x, *cube);
}

// Half of x (1 + f(x)).
static wsr_status of_half(wsr_value *out, bool *done,
                          const wsr__onnx_node *node, wsr_value value)
{
    wsr_status status = WSR_OK;
    const wsr__vertex *const v = wsr__onnx_op_of(node, value, &wsr__op_mul);
    for (size_t i = 0; i < 2 && v != NULL && !*done; i++) {
        const wsr_value x = v->srcs[i];
        const wsr_value y = v->srcs[1 - i];
        const bool tanh = is_tanh(node, x, y);
        if (tanh || is_erf(node, x, y)) {
            wsr__onnx_op op = wsr__onnx_begin("gelu");
            wsr__onnx_set_word(&op, "approximate", tanh ? "tanh" : "none");
            WSR_TRY(wsr__onnx_emit(out, node, &op, &x, 1));
            *done = true;
            return WSR_OK;
        }
    }
out:
    return status;
}

// ------------------------------------------------ ops that this library writes

// A second node of the op scale: x is factor y, and the sum an offset more.
static wsr_status of_scale(wsr_value *out, bool *done,
                           const wsr__onnx_node *node, wsr_value value,
                           double number)
{
    const wsr__vertex *const v = wsr__onnx_op_of(node, value, &wsr__op_scale);
    if (v == NULL) {
        return WSR_OK;
    }
    const wsr__scale_params *const p = v->options;
    const wsr_value x = v->srcs[0];
    wsr__onnx_op op = wsr__onnx_begin("scale");
    wsr__onnx_set_float(&op, "factor", p->factor);
    wsr__onnx_set_float(&op, "offset", number);
    *done = true;
    return wsr__onnx_emit(out, node, &op, &x, 1);
}

// softplus(beta x) / beta.
static wsr_status of_softplus(wsr_value *out, bool *done,
                              const wsr__onnx_node *node, wsr_value value,
                              double number)
{
    const wsr_value *const z = source_of(node, value, &wsr__op_softplus);
    const wsr_value *const x = z != NULL ? scaled_by(node, *z, number, 0)
                                         : NULL;
    if (x == NULL) {
        return WSR_OK;
    }
    const wsr_value src = *x;
    wsr__onnx_op op = wsr__onnx_begin("softplus");
    wsr__onnx_set_float(&op, "beta", wsr__onnx_decimal((float)number));
    *done = true;
    return wsr__onnx_emit(out, node, &op, &src, 1);
}

static wsr_status of_number(wsr_value *out, bool *done,
                            const wsr__onnx_node *node, double number)
{
    const char *const op = node->row->op;
    const wsr_value x = node->in[0]->value;
    if (wsr__streq(op, "Mul") && number == 0.5 &&
        wsr__onnx_may_be(node, "gelu")) {
        return of_half(out, done, node, x);
    }
    if (wsr__streq(op, "Add") && wsr__onnx_is_own(node, "scale") &&
        wsr__onnx_joins(node, 0)) {
        return of_scale(out, done, node, x, number);
    }
    if (wsr__streq(op, "Div") && wsr__onnx_is_own(node, "softplus")) {
        return of_softplus(out, done, node, x, number);
    }
    return WSR_OK;
}

// ------------------------------------------------------------ normalisation

// The floats of a constant (c, 1, 1) as an option, which takes values in
// [least, most].
static bool take_list(wsr__floats *out, const wsr__onnx_node *node,
                      double least, double most)
{
    wsr__onnx_value *const c = node->in[1];
    if (!c->constant || c->integer || c->shape.ndims != 3 ||
        c->count != (size_t)c->shape.dims[0] || c->count > WSR__LIST_SIZE ||
        wsr__onnx_decode(node, c) != WSR_OK) {
        return false;
    }
    out->n = c->count;
    for (size_t i = 0; i < out->n; i++) {
        out->v[i] = (double)c->floats[i];
        if (!(out->v[i] >= least && out->v[i] <= most)) {
            return false;
        }
    }
    return true;
}

// x - mean, and what that is divided by: the op with the mean alone comes
// first.
static wsr_status of_normalize(wsr_value *out, bool *done,
                               const wsr__onnx_node *node)
{
    const bool whole = wsr__streq(node->row->op, "Div");
    wsr_value x = node->in[0]->value;
    wsr__normalize p = {0};
    const wsr__vertex *const v = wsr__onnx_op_of(node, x, &wsr__op_normalize);
    if (whole && v != NULL) {
        const wsr__normalize *const first = v->options;
        p = *first;
        x = v->srcs[0];
    }
    if ((whole && (v == NULL || !take_list(&p.std, node, 1e-6, 10))) ||
        (!whole && !take_list(&p.mean, node, -10, 10))) {
        return WSR_OK;
    }
    *out = wsr__op1_of(node->reader->graph, &wsr__op_normalize, &p, x);
    *done = true;
    return wsr__graph_status(node->reader->graph);
}

wsr_status wsr__onnx_pattern(wsr_value *out, bool *done,
                             const wsr__onnx_node *node)
{
    const char *const op = node->row->op;
    const wsr__onnx_value *const a = node->in[0];
    const wsr__onnx_value *const b = node->in[1];
    double number = 0;
    if (a->constant) {
        return WSR_OK;
    }
    if (!b->constant) {
        return wsr__streq(op, "Mul") ? of_product(out, done, node) : WSR_OK;
    }
    if ((wsr__streq(op, "Sub") && wsr__onnx_is_part(node, "normalize")) ||
        (wsr__streq(op, "Div") && wsr__onnx_is_own(node, "normalize"))) {
        return of_normalize(out, done, node);
    }
    return b->shape.ndims <= a->shape.ndims &&
                   wsr__onnx_scalar(&number, node, 1)
               ? of_number(out, done, node, number)
               : WSR_OK;
}
