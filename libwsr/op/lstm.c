// SPDX-License-Identifier: Apache-2.0
//
// One LSTM layer from a zero state (Hochreiter and Schmidhuber 1997, with
// forget gates), as PyTorch's with batch_first: of x (n, l, i) the last hidden
// state (n, h).
//
//   [i f g o] = [s s tanh s](W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)
//   c_t = f * c_{t-1} + i * g,   h_t = o * tanh(c_t)
//
// Sources: x, weight_ih (4h, i), weight_hh (4h, h), bias_ih (4h), bias_hh
// (4h). The native kernel takes eight sequences to a vector; the reference
// goes through one after the other.

#include "op/op.h"

#include <math.h>
#include <string.h>

enum { X, IH, HH, BIAS_IH, BIAS_HH };

// Rows of both weights are in PyTorch's order: i, f, g, o.
static wsr_status infer(wsr_shape *dst, const void *params,
                        const wsr_shape *srcs, size_t n)
{
    (void)params;
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__op_ndims(&srcs[X], 3));
    const int64_t gates = srcs[IH].dims[0];
    if (srcs[IH].ndims != 2 || gates % 4 != 0 ||
        srcs[IH].dims[1] != srcs[X].dims[2]) {
        return wsr__op_shape_fail("weight_ih must be (4h, inputs)", &srcs[IH]);
    }
    if (srcs[HH].ndims != 2 || srcs[HH].dims[0] != gates ||
        srcs[HH].dims[1] != gates / 4) {
        return wsr__op_shape_fail("weight_hh must be (4h, h)", &srcs[HH]);
    }
    for (size_t i = BIAS_IH; i < n; i++) {
        if (srcs[i].ndims != 1 || srcs[i].dims[0] != gates) {
            return wsr__op_shape_fail("biases must be (4h)", &srcs[i]);
        }
    }
    *dst = wsr__shape2(srcs[X].dims[0], gates / 4);
out:
    return status;
}

// n sequences of l steps of i numbers, h hidden units.
static wsr__lstm sizes_of(const wsr__node *node)
{
    const int64_t *const x = node->src[X].desc.shape.dims;
    return (wsr__lstm){
        .n = x[0], .l = x[1], .i = x[2], .h = node->dst.desc.shape.dims[1]};
}

// The records stand for x; dst is in them too.
static uint32_t needs(const wsr__node *node)
{
    (void)node;
    return 1u << IH | 1u << HH;
}

// Both biases are added to the same gates.
static bool wants_bias(const wsr__node *node)
{
    return node->src[BIAS_IH].want_diff || node->src[BIAS_HH].want_diff;
}

// Both biases have the gradient `bias`.
static void finish_bias(const wsr__node *node, const float *bias)
{
    for (size_t s = BIAS_IH; s <= BIAS_HH; s++) {
        const wsr__arg *const arg = &node->src[s];
        const int64_t n = arg->desc.shape.dims[0];
        for (int64_t i = 0; arg->want_diff && i < n; i++) {
            arg->diff[i] = (arg->accumulate ? arg->diff[i] : 0.0f) + bias[i];
        }
    }
}

// ------------------------------------------------------------------ native

// The workspace holds a record per time step and block of eight sequences:
// backward reads gates, cells and inputs from there. Without backward there is
// one record a block.
static wsr_status plan_native(wsr__node *node)
{
    const wsr__lstm p = sizes_of(node);
    node->workspace_floats = wsr__lstm_records(&p, node->backward);
    if (node->backward) {
        node->scratch_floats = wsr__lstm_scratch(&p) + (size_t)(4 * p.h);
    }
    return WSR_OK;
}

static wsr__lstm_weights weights_of(const wsr__node *node)
{
    return (wsr__lstm_weights){.ih = node->src[IH].data,
                               .hh = node->src[HH].data,
                               .bias_ih = node->src[BIAS_IH].data,
                               .bias_hh = node->src[BIAS_HH].data};
}

static wsr_status forward_native(wsr__node *node)
{
    const wsr__lstm p = sizes_of(node);
    const wsr__lstm_weights w = weights_of(node);
    wsr__lstm_forward(node->dst.data, &p, node->src[X].data, &w,
                      node->workspace, node->backward);
    return WSR_OK;
}

// The kernel adds to the gradients of weights, over all sequences and steps.
static wsr_status backward_native(wsr__node *node)
{
    const wsr__lstm p = sizes_of(node);
    const wsr__lstm_weights w = weights_of(node);
    const wsr__arg *const src = node->src;
    float *const bias = node->scratch + wsr__lstm_scratch(&p);
    const wsr__lstm_grads grads = {
        .src = src[X].want_diff ? src[X].diff : NULL,
        .ih = src[IH].want_diff ? src[IH].diff : NULL,
        .hh = src[HH].want_diff ? src[HH].diff : NULL,
        .bias = wants_bias(node) ? bias : NULL,
        .add_src = src[X].accumulate};
    wsr__start_diff(&src[IH]);
    wsr__start_diff(&src[HH]);
    memset(bias, 0, (size_t)(4 * p.h) * sizeof(*bias));
    wsr__lstm_backward(&grads, &p, node->dst.diff, &w, node->workspace,
                       node->scratch);
    if (wants_bias(node)) {
        finish_bias(node, bias);
    }
    return WSR_OK;
}

static const wsr__impl native = {.name = "native",
                                 .needs = needs,
                                 .plan = plan_native,
                                 .forward = forward_native,
                                 .backward = backward_native,
                                 .accumulates = true};

// --------------------------------------------------------------- reference

// One step of one sequence: gates (4h), c (h), h (h).
static float *record(const wsr__node *node, const wsr__lstm *p, int64_t r,
                     int64_t t)
{
    return node->workspace + (r * p->l + t) * 6 * p->h;
}

static void step(const wsr__node *node, const wsr__lstm *p, int64_t r,
                 int64_t t)
{
    const float *const x = node->src[X].data + (r * p->l + t) * p->i;
    float *const now = record(node, p, r, t);
    const float *const before = t > 0 ? record(node, p, r, t - 1) : NULL;
    for (int64_t j = 0; j < 4 * p->h; j++) {
        double sum = (double)node->src[BIAS_IH].data[j] +
                     (double)node->src[BIAS_HH].data[j];
        sum += wsr__dot(node->src[IH].data + j * p->i, x, p->i);
        if (before != NULL) {
            sum += wsr__dot(node->src[HH].data + j * p->h, before + 5 * p->h,
                            p->h);
        }
        const bool is_g = j / p->h == 2;
        now[j] = (float)(is_g ? tanh(sum) : 1 / (1 + exp(-sum)));
    }
    for (int64_t u = 0; u < p->h; u++) {
        const float old = before != NULL ? before[4 * p->h + u] : 0.0f;
        const float c = now[p->h + u] * old + now[u] * now[2 * p->h + u];
        now[4 * p->h + u] = c;
        now[5 * p->h + u] = now[3 * p->h + u] * tanhf(c);
    }
}

// A record of the reference is i, f, g, o, c and h, h floats each.
static wsr_status plan(wsr__node *node)
{
    const wsr__lstm p = sizes_of(node);
    node->workspace_floats = (size_t)(p.n * p.l * 6 * p.h);
    // Gradients of gates, h and c of one sequence, and of the bias.
    node->scratch_floats = (size_t)(10 * p.h);
    return WSR_OK;
}

// The records of a sequence follow each other; dst is the hidden state in the
// last.
static wsr_status forward(wsr__node *node)
{
    const wsr__lstm p = sizes_of(node);
    for (int64_t r = 0; r < p.n; r++) {
        for (int64_t t = 0; t < p.l; t++) {
            step(node, &p, r, t);
        }
        memcpy(node->dst.data + r * p.h, record(node, &p, r, p.l - 1) + 5 * p.h,
               (size_t)p.h * sizeof(float));
    }
    return WSR_OK;
}

// Gradients of what went into the gates, dg; dh and dc go a step back.
static void gates_back(float *dg, const wsr__node *node, const wsr__lstm *p,
                       int64_t r, int64_t t)
{
    float *const dh = dg + 4 * p->h;
    float *const dc = dg + 5 * p->h;
    const float *const now = record(node, p, r, t);
    for (int64_t u = 0; u < p->h; u++) {
        const float i = now[u];
        const float f = now[p->h + u];
        const float g = now[2 * p->h + u];
        const float o = now[3 * p->h + u];
        const float squashed = tanhf(now[4 * p->h + u]);
        const float old = t > 0 ? record(node, p, r, t - 1)[4 * p->h + u]
                                : 0.0f;
        const float d = dc[u] + dh[u] * o * (1 - squashed * squashed);
        dg[u] = d * g * i * (1 - i);
        dg[p->h + u] = d * old * f * (1 - f);
        dg[2 * p->h + u] = d * i * (1 - g * g);
        dg[3 * p->h + u] = dh[u] * squashed * o * (1 - o);
        dc[u] = d * f;
    }
    for (int64_t u = 0; u < p->h; u++) {
        double sum = 0;
        for (int64_t j = 0; j < 4 * p->h; j++) {
            sum += (double)dg[j] * (double)node->src[HH].data[j * p->h + u];
        }
        dh[u] = (float)sum;
    }
}

// diff[j][k] += a[j] * b[k]
static void add_outer(const wsr__arg *arg, const float *a, const float *b)
{
    const int64_t rows = arg->desc.shape.dims[0];
    const int64_t cols = arg->desc.shape.dims[1];
    for (int64_t i = 0; arg->want_diff && i < rows * cols; i++) {
        arg->diff[i] += a[i / cols] * b[i % cols];
    }
}

static void diff_x(const wsr__node *node, const wsr__lstm *p, const float *dg,
                   int64_t at)
{
    const wsr__arg *const arg = &node->src[X];
    for (int64_t k = 0; k < p->i; k++) {
        double sum = 0;
        for (int64_t j = 0; j < 4 * p->h; j++) {
            sum += (double)dg[j] * (double)node->src[IH].data[j * p->i + k];
        }
        float *const to = &arg->diff[at * p->i + k];
        *to = (arg->accumulate ? *to : 0.0f) + (float)sum;
    }
}

static wsr_status backward(wsr__node *node)
{
    const wsr__lstm p = sizes_of(node);
    float *const dg = node->scratch;
    float *const bias = dg + 6 * p.h;
    const size_t row = (size_t)p.h * sizeof(*dg);
    wsr__start_diff(&node->src[IH]);
    wsr__start_diff(&node->src[HH]);
    memset(bias, 0, 4 * row);
    for (int64_t r = 0; r < p.n; r++) {
        memcpy(dg + 4 * p.h, node->dst.diff + r * p.h, row);
        memset(dg + 5 * p.h, 0, row);
        for (int64_t t = p.l - 1; t >= 0; t--) {
            const int64_t at = r * p.l + t;
            gates_back(dg, node, &p, r, t);
            add_outer(&node->src[IH], dg, node->src[X].data + at * p.i);
            if (t > 0) {
                add_outer(&node->src[HH], dg,
                          record(node, &p, r, t - 1) + 5 * p.h);
            }
            if (node->src[X].want_diff) {
                diff_x(node, &p, dg, at);
            }
            for (int64_t j = 0; j < 4 * p.h; j++) {
                bias[j] += dg[j];
            }
        }
    }
    finish_bias(node, bias);
    return WSR_OK;
}

// Its records leave x out.
static uint32_t needs_ref(const wsr__node *node)
{
    return needs(node) | 1u << X;
}

static const wsr__impl ref = {.name = "ref",
                              .needs = needs_ref,
                              .plan = plan,
                              .forward = forward,
                              .backward = backward,
                              .accumulates = true};

static const wsr__impl *const impls[] = {&native, &ref, NULL};

const wsr__op_class wsr__op_lstm = {
    .super = {"lstm", "last hidden state of an LSTM layer", "", NULL, 0},
    .min_srcs = 5,
    .max_srcs = 5,
    .sources = "src (n, length, inputs), weight_ih (4h, inputs), weight_hh "
               "(4h, h), bias_ih (4h), bias_hh (4h)",
    .result = "(n, h)",
    .infer = infer,
    .impls = impls,
};
