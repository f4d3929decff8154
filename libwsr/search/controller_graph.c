// SPDX-License-Identifier: Apache-2.0
//
// The network of the controller: see controller.h. A cell of it is
//
//   h, c = LSTM(start); LSTM(start)          two anchors of zeros
//   for each node:
//     twice: h, c = LSTM(x); state ~ softmax(v tanh(W1 h_j + W2 h)) over the
//            anchors j; x = anchor
//     twice: h, c = LSTM(x); op ~ softmax(W h + b); x = embedding of op + 1
//     h, c = LSTM(x); h becomes an anchor; x = start
//
// and the reduction cell goes on from the state of the normal cell. Parameters
// have the names of the authors' module, and start uniformly in +-0.1 as in
// ENAS.

#include "op/params.h"
#include "search/controller.h"

#include <stdio.h>
#include <string.h>

enum { HIDDEN = WSR__CONTROLLER_HIDDEN, GATES = 4 * HIDDEN };

// A graph under construction, and where the controller stands in it.
typedef struct builder {
    wsr_graph *graph;
    const wsr__controller *of;
    wsr_value zeros; // (HIDDEN)
    wsr_value start; // embedding of the start token
    wsr_value embedding;
    wsr_value weights[4]; // of the LSTM: ih, hh and their biases
    wsr_value op[2];
    wsr_value attention[3]; // W1, W2, v
    wsr_value h;
    wsr_value c;
    wsr_value anchors[WSR__CONTROLLER_ANCHORS]; // (1, HIDDEN) each
    wsr_value mapped[WSR__CONTROLLER_ANCHORS];  // W1 times the hidden state
    size_t n;                                   // anchors
} builder;

static wsr_value param(builder *b, const char *name, wsr_shape shape)
{
    return wsr__param_value(b->graph, name, shape, (wsr__init){.bound = 0.1F});
}

static wsr_value numbered(builder *b, const char *what, size_t i,
                          wsr_shape shape)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "%s.%zu", what, i);
    return wsr__input(b->graph, name, shape);
}

static wsr_value gate(builder *b, wsr_value gates, int64_t i, const char *op)
{
    const wsr__slice_params range = {
        .axis = 1, .begin = i * HIDDEN, .end = (i + 1) * HIDDEN};
    return wsr__op1(b->graph, op, NULL,
                    wsr__op1_of(b->graph, &wsr__op_slice, &range, gates));
}

// PyTorch's LSTMCell: gates i, f, g, o.
static void lstm(builder *b, wsr_value x)
{
    wsr_graph *const g = b->graph;
    const wsr_value gates = wsr__op2(
        g, "add", NULL,
        wsr__op3(g, "linear", NULL, x, b->weights[0], b->weights[2]),
        wsr__op3(g, "linear", NULL, b->h, b->weights[1], b->weights[3]));
    const wsr_value in = wsr__op2(g, "mul", NULL, gate(b, gates, 0, "sigmoid"),
                                  gate(b, gates, 2, "tanh"));
    const wsr_value kept =
        wsr__op2(g, "mul", NULL, gate(b, gates, 1, "sigmoid"), b->c);
    b->c = wsr__op2(g, "add", NULL, in, kept);
    b->h = wsr__op2(g, "mul", NULL, gate(b, gates, 3, "sigmoid"),
                    wsr__op1(g, "tanh", NULL, b->c));
}

static wsr_value joined(builder *b, const wsr_value *values)
{
    return wsr__opn(b->graph, "concat", NULL, values, b->n);
}

// An anchor is what the next step reads when its node is chosen as a state;
// those of a cell's inputs are zero, but attention sees their hidden states.
static void add_anchor(builder *b, wsr_value value)
{
    char dims[32];
    (void)snprintf(dims, sizeof(dims), "dims=[1,%d]", HIDDEN);
    b->anchors[b->n] = wsr__op1(b->graph, "reshape", dims, value);
    b->mapped[b->n] = wsr__op2(b->graph, "linear", NULL, b->h, b->attention[0]);
    b->n++;
}

// Log-probabilities (1, n) of the anchors; `mask` is added to the logits.
static wsr_value state_log_p(builder *b, wsr_value mask)
{
    wsr_graph *const g = b->graph;
    wsr_value scores[WSR__CONTROLLER_ANCHORS];
    const wsr_value query = wsr__op2(g, "linear", NULL, b->h, b->attention[1]);
    for (size_t k = 0; k < b->n; k++) {
        const wsr_value sum = wsr__op2(g, "add", NULL, b->mapped[k], query);
        scores[k] = wsr__op2(g, "linear", NULL, wsr__op1(g, "tanh", NULL, sum),
                             b->attention[2]);
    }
    return wsr__op1(g, "log_softmax", NULL,
                    wsr__op2(g, "add", NULL, joined(b, scores), mask));
}

// Log-probabilities (1, ops) of the operations.
static wsr_value op_log_p(builder *b)
{
    return wsr__op1(
        b->graph, "log_softmax", NULL,
        wsr__op3(b->graph, "linear", NULL, b->h, b->op[0], b->op[1]));
}

// The decision on a state. Returns the anchor that was chosen.
static wsr_value decide_state(builder *b, size_t i)
{
    wsr_graph *const g = b->graph;
    const int64_t n = (int64_t)b->n;
    char name[32];
    char dims[32];
    const wsr_value mask = numbered(b, "mask", i, wsr__shape2(1, n));
    (void)snprintf(name, sizeof(name), "log_p.%zu", i);
    wsr__set_output(g, name, state_log_p(b, mask));
    const wsr_value chosen = wsr__op2(
        g, "matmul", NULL, numbered(b, "select", i, wsr__shape3(1, 1, n)),
        joined(b, b->anchors));
    (void)snprintf(dims, sizeof(dims), "dims=[%d]", HIDDEN);
    return wsr__op1(g, "reshape", dims, chosen);
}

// The decision on an operation. Returns its embedding; row 0 is the start.
static wsr_value decide_op(builder *b, size_t i)
{
    wsr_graph *const g = b->graph;
    char name[32];
    (void)snprintf(name, sizeof(name), "log_p.%zu", i);
    wsr__set_output(g, name, op_log_p(b));
    return wsr__op2(
        g, "matmul", NULL,
        numbered(b, "select", i, wsr__shape2(1, (int64_t)b->of->ops + 1)),
        b->embedding);
}

static void build_cell(builder *b, size_t first)
{
    size_t i = first;
    wsr_value x = b->start;
    b->n = 0;
    for (int input = 0; input < 2; input++) {
        lstm(b, x);
        add_anchor(b, b->zeros);
    }
    for (size_t node = 0; node < b->of->nodes; node++) {
        for (int k = 0; k < 4; k++, i++) {
            lstm(b, x);
            x = k < 2 ? decide_state(b, i) : decide_op(b, i);
        }
        lstm(b, x);
        add_anchor(b, b->h);
        x = b->start;
    }
}

static void refer_params(builder *b)
{
    const int64_t ops = (int64_t)b->of->ops;
    const int64_t m = HIDDEN;
    b->embedding = param(b, "embedding.weight", wsr__shape2(ops + 1, m));
    b->weights[0] = param(b, "lstm.weight_ih", wsr__shape2(GATES, m));
    b->weights[1] = param(b, "lstm.weight_hh", wsr__shape2(GATES, m));
    b->weights[2] = param(b, "lstm.bias_ih", wsr__shape1(GATES));
    b->weights[3] = param(b, "lstm.bias_hh", wsr__shape1(GATES));
    b->op[0] = param(b, "opt_linear.weight", wsr__shape2(ops, m));
    b->op[1] = param(b, "opt_linear.bias", wsr__shape1(ops));
    b->attention[0] = param(b, "w_attn_1.weight", wsr__shape2(m, m));
    b->attention[1] = param(b, "w_attn_2.weight", wsr__shape2(m, m));
    b->attention[2] = param(b, "v_attn.weight", wsr__shape2(1, m));
}

static void build(builder *b)
{
    const int64_t ops = (int64_t)b->of->ops;
    b->zeros = wsr__input(b->graph, "zeros", wsr__shape2(1, HIDDEN));
    b->h = b->zeros;
    b->c = b->zeros;
    refer_params(b);
    b->start = wsr__op2(b->graph, "matmul", NULL,
                        wsr__input(b->graph, "start", wsr__shape2(1, ops + 1)),
                        b->embedding);
    build_cell(b, 0);
    build_cell(b, b->of->decisions / 2);
}

static void build_step(builder *b, size_t step)
{
    const wsr_shape row = wsr__shape2(1, HIDDEN);
    refer_params(b);
    b->h = wsr__input(b->graph, "h", row);
    b->c = wsr__input(b->graph, "c", row);
    lstm(b, wsr__input(b->graph, "x", row));
    wsr__set_output(b->graph, "h", b->h);
    wsr__set_output(b->graph, "c", b->c);
    if (step == WSR__STEP_ANCHOR) {
        wsr__set_output(
            b->graph, "mapped",
            wsr__op2(b->graph, "linear", NULL, b->h, b->attention[0]));
    } else if (step == WSR__STEP_OP) {
        wsr__set_output(b->graph, "log_p", op_log_p(b));
    } else {
        for (b->n = 0; b->n < step; b->n++) {
            b->mapped[b->n] = numbered(b, "mapped", b->n, row);
        }
        const wsr_value mask =
            wsr__input(b->graph, "mask", wsr__shape2(1, (int64_t)step));
        wsr__set_output(b->graph, "log_p", state_log_p(b, mask));
    }
}

wsr_status wsr__controller_step(wsr_plan **out, wsr__controller *c, size_t step)
{
    wsr_status status = WSR_OK;
    builder b = {.of = c};
    *out = NULL;
    WSR_TRY(wsr_graph_new(&b.graph, c->params));
    build_step(&b, step);
    WSR_TRY(wsr__graph_status(b.graph));
    WSR_TRY(wsr_plan_new(out, b.graph, 1, WSR_FORWARD));
out:
    wsr_graph_free(b.graph);
    return status;
}

wsr_status wsr__controller_make(wsr__controller *out, size_t nodes, size_t ops,
                                bool distinct, uint64_t seed)
{
    wsr_status status = WSR_OK;
    builder b = {.of = out};
    *out = (wsr__controller){.nodes = nodes,
                             .ops = ops,
                             .decisions = 2 * 4 * nodes,
                             .distinct = distinct};
    WSR_TRY(wsr_params_new(&out->params, seed));
    WSR_TRY(wsr_graph_new(&b.graph, out->params));
    build(&b);
    WSR_TRY(wsr__graph_status(b.graph));
    WSR_TRY(wsr_plan_new(&out->plan, b.graph, 1, WSR_GRAD_PARAMS));
    memset(wsr_plan_src(out->plan, "zeros"), 0, HIDDEN * sizeof(float));
    memset(wsr_plan_src(out->plan, "start"), 0, (ops + 1) * sizeof(float));
    wsr_plan_src(out->plan, "start")[0] = 1;
    for (size_t i = 0; i < nodes + 2; i++) {
        WSR_TRY(wsr__controller_step(&out->steps[i], out, i));
    }
out:
    wsr_graph_free(b.graph);
    return status;
}

void wsr__controller_free(wsr__controller *controller)
{
    wsr_plan_free(controller->plan);
    for (size_t i = 0; i < WSR__STEPS; i++) {
        wsr_plan_free(controller->steps[i]);
    }
    wsr_params_free(controller->params);
}

// Decisions of a node: two states, two operations.
size_t wsr__controller_decision(size_t *edge, bool *op,
                                const wsr__controller *c, size_t i)
{
    const size_t node = i / 4;
    const bool on_op = i % 4 >= 2;
    if (edge != NULL) {
        *edge = 2 * node + i % 2;
    }
    if (op != NULL) {
        *op = on_op;
    }
    return on_op ? c->ops : node % c->nodes + 2;
}

// ----------------------------------------------------------------- running

static float *src(const wsr__controller *c, const char *what, size_t i)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "%s.%zu", what, i);
    return wsr_plan_src(c->plan, name);
}

// Enters a decision; operations are counted from 1 in the embedding. A state
// that was taken first is excluded from the second decision of its node. The
// last decision has no input: nothing depends on it.
static void enter(const wsr__controller *c, size_t i, uint32_t choice)
{
    bool op = false;
    const size_t n = wsr__controller_decision(NULL, &op, c, i);
    float *const select = src(c, "select", i);
    if (select != NULL) {
        memset(select, 0, (n + (op ? 1 : 0)) * sizeof(*select));
        select[choice + (op ? 1 : 0)] = 1;
    }
    if (i % 4 == 0) {
        float *const mask = src(c, "mask", i + 1);
        memset(mask, 0, n * sizeof(*mask));
        mask[choice] = c->distinct ? WSR__EXCLUDED : 0;
        memset(src(c, "mask", i), 0, n * sizeof(*mask));
    }
}

static const float *log_p_of(const wsr__controller *c, size_t i)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "log_p.%zu", i);
    return wsr_plan_dst(c->plan, name);
}

wsr_status wsr__controller_backward(double *log_p, wsr__controller *c,
                                    const uint32_t *choices, double factor)
{
    wsr_status status = WSR_OK;
    *log_p = 0;
    for (size_t i = 0; i < c->decisions; i++) {
        enter(c, i, choices[i]);
    }
    WSR_TRY(wsr_plan_forward(c->plan));
    for (size_t i = 0; i < c->decisions; i++) {
        char name[32];
        const size_t n = wsr__controller_decision(NULL, NULL, c, i);
        (void)snprintf(name, sizeof(name), "log_p.%zu", i);
        float *const diff = wsr_plan_diff_dst(c->plan, name);
        memset(diff, 0, n * sizeof(*diff));
        diff[choices[i]] = (float)factor;
        *log_p += (double)log_p_of(c, i)[choices[i]];
    }
    WSR_TRY(wsr_plan_backward(c->plan));
out:
    return status;
}
