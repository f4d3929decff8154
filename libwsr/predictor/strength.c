// SPDX-License-Identifier: Apache-2.0
//
// A predictor that takes the strength of the attack as an input, so that it
// predicts the loss at any strength, and a search can minimise the integral of
// the loss over a range of strengths instead of its sum at a few. Each
// remembered architecture gives one training sample per measured strength.
//
//   loss(a, eps) = bias + sum over k of c_k(a) b_k(eps)
//
// c is a linear map of the last state of an LSTM over the table, b a network
// with one hidden layer: a branch and a trunk as in Lu et al. 2021 (DeepONet,
// arXiv:1910.03193).
//
// The integral is a sum by Gauss and Legendre's quadrature, which is exact for
// polynomials of degree 2 n - 1.

#include "op/params.h"
#include "predictor/predictor.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

typedef struct options {
    wsr__predictor_options common;
    int64_t hidden;
    int64_t basis;
    wsr__text objective;
    double eps_min;
    double eps_max;
    int64_t quadrature;
} options;

enum { QUADRATURE = 64 };

static const char *const objectives[] = {"points", "integral", NULL};

static const wsr__option schema[] = {
    WSR__PREDICTOR_OPTIONS,
    {"hidden", WSR__INT, offsetof(options, hidden), "16", 1, 4096, "",
     "size of the LSTM's state", NULL},
    {"basis", WSR__INT, offsetof(options, basis), "16", 1, 4096, "",
     "functions of the strength, and size of their hidden layer", NULL},
    {"objective", WSR__WORD, offsetof(options, objective), "integral", 0, 0, "",
     "points: robust losses at the measured strengths; integral: their mean "
     "over [eps_min, eps_max]",
     objectives},
    {"eps_min", WSR__FLOAT, offsetof(options, eps_min), "-1", -1, 1e6, "",
     "least strength of the integral; -1: the least above 0 that is measured",
     NULL},
    {"eps_max", WSR__FLOAT, offsetof(options, eps_max), "-1", -1, 1e6, "",
     "greatest strength of the integral; -1: the greatest measured", NULL},
    {"quadrature", WSR__INT, offsetof(options, quadrature), "8", 1, QUADRATURE,
     "points", "strengths at which the integral is evaluated", NULL},
    {0},
};

static wsr_status check(const void *params, int64_t rows, int64_t cols)
{
    const options *const o = params;
    (void)rows;
    (void)cols;
    if (o->eps_min >= 0 && o->eps_max >= 0 && o->eps_min >= o->eps_max) {
        return WSR_FAIL(WSR_CONFIG,
                        "predictor.eps_max: %g must be greater than "
                        "predictor.eps_min, which is %g",
                        o->eps_max, o->eps_min);
    }
    return WSR_OK;
}

// ------------------------------------------------------------------- graph

// b: (1, heads) strengths to (1, heads, basis). Strengths become rows, so that
// all pass through the same maps.
static wsr_value trunk(const wsr__predictor_graph *g, int64_t basis)
{
    const wsr__view_params column = {{1, {1}}};
    const wsr__view_params back = {{2, {(int64_t)g->heads, basis}}};
    const wsr_value eps = wsr__op1_of(g->graph, &wsr__op_view, &column, g->eps);
    // Strengths lie in [0, 1]: steeper functions than PyTorch starts with.
    const wsr_value inner =
        wsr__op1(g->graph, "tanh", NULL,
                 wsr__predictor_linear(g, "trunk.0", eps, basis, 2));
    const wsr_value outer = wsr__predictor_linear(g, "trunk.2", inner, basis,
                                                  wsr__predictor_bound(basis));
    return wsr__op1_of(g->graph, &wsr__op_view, &back, outer);
}

static wsr_value build(wsr__predictor_graph *g)
{
    const options *const o = g->options;
    const wsr__reshape_params row = {{2, {1, o->basis}}};
    const wsr__reshape_params flat = {{1, {(int64_t)g->heads}}};
    const wsr_value h = wsr__predictor_lstm_state(g, o->hidden);
    const wsr_value branch = wsr__predictor_linear(
        g, "branch", h, o->basis, wsr__predictor_bound(o->hidden));
    const wsr_value c = wsr__op1_of(g->graph, &wsr__op_reshape, &row, branch);
    const wsr_value product =
        wsr__op2(g->graph, "matmul", "transpose_b=true", c, trunk(g, o->basis));
    return wsr__op1_of(g->graph, &wsr__op_reshape, &flat, product);
}

// --------------------------------------------------------------- objective

// Legendre's polynomial of degree n at x, and its derivative, by recurrence.
static void legendre(double *value, double *slope, size_t n, double x)
{
    double before = 1;
    double now = x;
    for (size_t k = 2; k <= n; k++) {
        const double next =
            ((double)(2 * k - 1) * x * now - (double)(k - 1) * before) /
            (double)k;
        before = now;
        now = next;
    }
    *value = now;
    *slope = (double)n * (x * now - before) / (x * x - 1);
}

// Point i of n in (-1, 1) and its weight; weights add up to 2. Newton's method
// from an approximation of the root.
static void gauss(double *x, double *weight, size_t n, size_t i)
{
    const double pi = 3.14159265358979323846;
    double at = cos(pi * ((double)i + 0.75) / ((double)n + 0.5));
    double slope = 1;
    for (int k = 0; k < 8; k++) {
        double value = 0;
        legendre(&value, &slope, n, at);
        at -= value / slope;
    }
    *x = at;
    *weight = 2 / ((1 - at * at) * slope * slope);
}

// Least (0) and greatest (1) strength of the integral.
static void range_of(double range[2], const options *o, const wsr_predictor *p)
{
    range[0] = INFINITY;
    range[1] = 0;
    for (size_t i = 0; i < p->heads; i++) {
        if (p->strengths[i] > 0) {
            range[0] = fmin(range[0], p->strengths[i]);
            range[1] = fmax(range[1], p->strengths[i]);
        }
    }
    range[0] = o->eps_min >= 0 ? o->eps_min : range[0];
    range[1] = o->eps_max >= 0 ? o->eps_max : range[1];
    range[0] = fmin(range[0], range[1]);
}

// The clean loss keeps its weight; the weights of the robust ones together go
// to the mean over the range.
static size_t objective(double *eps, double *weights, const wsr_predictor *p,
                        const double *given)
{
    const options *const o = p->options;
    double robust = 0;
    double range[2];
    size_t n = 0;
    if (wsr__streq(o->objective.s, "points")) {
        memcpy(eps, p->strengths, p->heads * sizeof(*eps));
        memcpy(weights, given, p->heads * sizeof(*weights));
        return p->heads;
    }
    for (size_t i = 0; i < p->heads; i++) {
        if (p->strengths[i] > 0) {
            robust += given[i];
        } else {
            eps[n] = p->strengths[i];
            weights[n++] = given[i];
        }
    }
    range_of(range, o, p);
    for (size_t i = 0; i < (size_t)o->quadrature; i++, n++) {
        double x = 0;
        gauss(&x, &weights[n], (size_t)o->quadrature, i);
        eps[n] = range[0] + (range[1] - range[0]) * (1 + x) / 2;
        weights[n] *= robust / 2;
    }
    return n;
}

const wsr__predictor_class wsr__predictor_strength = {
    .super = {"strength", "LSTM and functions of the strength: any strength",
              "arXiv:1910.03193", schema, sizeof(options)},
    .build = build,
    .check = check,
    .objective = objective,
    .takes_strength = true,
};
