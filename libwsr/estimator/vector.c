// SPDX-License-Identifier: Apache-2.0
//
// The family of estimators that encode noises as vectors. With unit noises
// u_n, their norms r_n, the image x and a target norm tau between the sources
// i and j:
//
//   v_n = u_n + preproc(u_n)
//   f_n = F(enc_f(v_n), S(r_n), f_{n-1})          f_{-1} = enc_i(x)
//   g_n = B(enc_b(v_n), S(r_n), g_{n+1})          g_N = enc_i(x)
//   d   = w_i v_i + w_j v_j
//   q   = [Q_f(F(0, S(tau), f_i)); Q_b(B(0, S(tau), g_j))]
//   k_n = [V_f(f_n); V_b(g_n)]
//   A   = softmax_n(<k_n, q> / sqrt(length))
//   dst = tau z / ||z||,   z = sum_n A_n v_n + d
//
// enc: convolution, relu, max pool; F, B, Q, V: linear and relu. A source
// that a target lacks counts as zero. As released, several of these steps
// are different; each is an option.

#include "estimator/estimator.h"
#include "op/params.h"
#include "op/pool.h"

#include <math.h>
#include <stddef.h>

#define QUIRK(field, text)                                                     \
    {                                                                          \
#field, WSR__WORD, offsetof(wsr__vector_options, field), "auto", 0, 0, \
            "", text, wsr__quirk_words                                         \
    }

const wsr__option wsr__vector_schema[] = {
    WSR__ESTIMATOR_OPTIONS,
    QUIRK(transpose, "released: with several targets the attention map is "
                     "read untransposed"),
    QUIRK(backward, "released: the second direction runs upwards as well"),
    QUIRK(maps, "released: both directions share the maps of the first for "
                "queries and values"),
    QUIRK(query, "released: query cells read the neighbours' states in place "
                 "of a noise; intended: zeros"),
    QUIRK(attention, "released: raw inner products; intended: their softmax"),
    {0},
};

enum { STRENGTH = 20, FILTERS = 10 };

// What the sources become.
typedef struct states {
    wsr_value start;                           // encoding of the image
    wsr_value strength[WSR_ESTIMATOR_SOURCES]; // encodings of the norms
    wsr_value v[WSR_ESTIMATOR_SOURCES];
    wsr_value f[WSR_ESTIMATOR_SOURCES];
    wsr_value g[WSR_ESTIMATOR_SOURCES];
    int64_t width;
} states;

static bool released(const wsr__estimator_graph *g, const wsr__text *quirk)
{
    const wsr__vector_options *const o = g->options;
    return wsr__is_released(quirk, &o->common.fidelity);
}

static int64_t stride_for(int64_t size)
{
    return (size + 4) / 8 > 1 ? (size + 4) / 8 : 1;
}

// For 32 pixels a kernel of 5 with stride 4, which leaves 3 x 3 after the
// pool; other sizes keep to that as nearly as they can.
static wsr_value encode(const wsr__estimator_graph *g, const char *name,
                        wsr_value src)
{
    const wsr__estimator_conv conv = {
        .m = FILTERS,
        .kernel = {stride_for(g->h) + 1, stride_for(g->w) + 1},
        .stride = {stride_for(g->h), stride_for(g->w)},
        .bias = true};
    wsr_value x = wsr__estimator_conv2d(g, name, &conv, src);
    x = wsr__op1(g->graph, "relu", NULL, x);
    const wsr__pool2d pool = wsr__pool2d_square(2, 2, 0);
    x = wsr__op1_of(g->graph, &wsr__op_max_pool, &pool, x);
    return wsr__op1(g->graph, "reshape", NULL, x);
}

static wsr_value strength(const wsr__estimator_graph *g, wsr_value norm)
{
    return wsr__estimator_dense(g, "strength_encoder.0", norm, STRENGTH);
}

static wsr_value cell(const wsr__estimator_graph *g, const char *name,
                      wsr_value noise, wsr_value norm, wsr_value state)
{
    const wsr_value in = wsr__op3(g->graph, "concat", NULL, noise, norm, state);
    return wsr__estimator_dense(g, name, in, wsr__estimator_size(g, state));
}

static wsr_value preprocess(const wsr__estimator_graph *g, int64_t filters,
                            wsr_value src)
{
    const wsr__estimator_conv first = {.m = filters != 0 ? filters : g->c,
                                       .kernel = {3, 3},
                                       .stride = {1, 1},
                                       .pad = 1,
                                       .bias = true};
    wsr__estimator_conv second = first;
    second.m = g->c;
    wsr_value x = wsr__estimator_conv2d(g, "noise_preproc.0", &first, src);
    x = wsr__op1(g->graph, "relu", NULL, x);
    if (filters != 0) {
        x = wsr__estimator_conv2d(g, "noise_preproc.2", &second, x);
    }
    return wsr__op2(g->graph, "add", NULL, src, x);
}

// Run over the sources, upwards or downwards, from the image's encoding.
static void chain(wsr_value *out, const wsr__estimator_graph *g,
                  const char *const names[2], const states *s, bool down)
{
    wsr_value state = s->start;
    for (size_t k = 0; k < g->n; k++) {
        const size_t n = down ? g->n - 1 - k : k;
        state = cell(g, names[1], encode(g, names[0], s->v[n]), s->strength[n],
                     state);
        out[n] = state;
    }
}

void wsr__vector_noises(wsr_value *v, const wsr__estimator_graph *g,
                        int64_t filters)
{
    for (size_t n = 0; n < g->n; n++) {
        v[n] = preprocess(g, filters, g->noise[n]);
    }
}

static void make_states(states *s, const wsr__estimator_graph *g,
                        int64_t filters)
{
    static const char *const forward[] = {"forward_conv1.0",
                                          "forward_hidden.0"};
    static const char *const backward[] = {"backward_conv1.0",
                                           "backward_hidden.0"};
    const wsr__vector_options *const o = g->options;
    const bool up = released(g, &o->backward);
    wsr_value ran[WSR_ESTIMATOR_SOURCES] = {0};
    s->start = encode(g, "input_conv.0", g->image);
    wsr__vector_noises(s->v, g, filters);
    for (size_t n = 0; n < g->n; n++) {
        s->strength[n] = strength(g, g->norm[n]);
    }
    chain(s->f, g, forward, s, false);
    chain(ran, g, backward, s, !up);
    for (size_t n = 0; n < g->n; n++) {
        // Run upwards, but kept as if it had run downwards.
        s->g[n] = ran[up ? g->n - 1 - n : n];
    }
    s->width = wsr__estimator_size(g, s->start);
}

// ------------------------------------------------------------------ target

// What the query cells get in place of a noise.
static wsr_value query_noise(const wsr__estimator_graph *g, const states *s,
                             const wsr__estimator_target *target)
{
    const wsr__vector_options *const o = g->options;
    if (!released(g, &o->query)) {
        return wsr__op1(g->graph, "zero", NULL, s->f[0]);
    }
    wsr_value both[2 * WSR_ESTIMATOR_SOURCES];
    for (size_t n = 0; n < g->n; n++) {
        both[n] = s->f[n];
        both[g->n + n] = s->g[n];
    }
    return wsr__estimator_mix(
        g, both, 2 * g->n,
        wsr__op2(g->graph, "concat", NULL, target->lower, target->upper));
}

static wsr_value query(const wsr__estimator_graph *g, const states *s,
                       const wsr__estimator_target *target)
{
    const wsr__vector_options *const o = g->options;
    const wsr_value noise = query_noise(g, s, target);
    const wsr_value norm = strength(g, target->norm);
    const wsr_value f = wsr__estimator_mix(g, s->f, g->n, target->is_lower);
    const wsr_value b = wsr__estimator_mix(g, s->g, g->n, target->is_upper);
    wsr_value qf = cell(g, "forward_hidden.0", noise, norm, f);
    wsr_value qb = cell(g, "backward_hidden.0", noise, norm, b);
    qf = wsr__estimator_dense(g, "forward_query.0", qf, s->width);
    qb = wsr__estimator_dense(g, "backward_query.0", qb, s->width);
    if (released(g, &o->maps)) {
        qf = wsr__estimator_dense(g, "forward_query.0", qf, s->width);
        qb = wsr__estimator_dense(g, "forward_query.0", qb, s->width);
    }
    return wsr__op2(g->graph, "concat", NULL, qf, qb);
}

static wsr_value key(const wsr__estimator_graph *g, const states *s, size_t n)
{
    const wsr__vector_options *const o = g->options;
    const wsr_value f =
        wsr__estimator_dense(g, "forward_value.0", s->f[n], s->width);
    const wsr_value own =
        wsr__estimator_dense(g, "backward_value.0", s->g[n], s->width);
    const wsr_value shared =
        wsr__estimator_dense(g, "forward_value.0", s->g[n], s->width);
    return wsr__op2(g->graph, "concat", NULL, f,
                    released(g, &o->maps) ? shared : own);
}

static wsr_value attention(const wsr__estimator_graph *g, const states *s,
                           const wsr_value *keys, wsr_value q)
{
    const wsr__vector_options *const o = g->options;
    wsr_value score[WSR_ESTIMATOR_SOURCES];
    const wsr__scale_params scale = {.factor = 1 / sqrt(2 * (double)s->width)};
    for (size_t n = 0; n < g->n; n++) {
        score[n] = wsr__op2(g->graph, "batched_dot", NULL, keys[n], q);
    }
    const wsr_value all = wsr__opn(g->graph, "concat", NULL, score, g->n);
    if (released(g, &o->attention)) {
        return all;
    }
    return wsr__op1(g->graph, "softmax", NULL,
                    wsr__op1_of(g->graph, &wsr__op_scale, &scale, all));
}

// Estimates of all targets as (t, pixels), the numbers of (pixels, t) read as
// if they were that.
static void scramble(wsr_value *mixed, const wsr__estimator_graph *g)
{
    const int64_t pixels = g->c * g->h * g->w;
    const int64_t t = (int64_t)g->t;
    const wsr__reshape_params row = {{2, {1, pixels}}};
    const wsr__reshape_params table = {{2, {t, pixels}}};
    const wsr__reshape_params image = {{3, {g->c, g->h, g->w}}};
    const wsr__transpose_params swap = {{3, {0, 2, 1}}};
    wsr_value rows[WSR_ESTIMATOR_TARGETS];
    for (size_t i = 0; i < g->t; i++) {
        rows[i] = wsr__op1_of(g->graph, &wsr__op_reshape, &row, mixed[i]);
    }
    wsr_value all = wsr__opn(g->graph, "concat", NULL, rows, g->t);
    all = wsr__op1_of(g->graph, &wsr__op_transpose, &swap, all);
    all = wsr__op1_of(g->graph, &wsr__op_reshape, &table, all);
    for (int64_t i = 0; i < t; i++) {
        const wsr__slice_params one = {.axis = 1, .begin = i, .end = i + 1};
        const wsr_value it = wsr__op1_of(g->graph, &wsr__op_slice, &one, all);
        mixed[i] = wsr__op1_of(g->graph, &wsr__op_reshape, &image, it);
    }
}

void wsr__vector_build(wsr_value *dst, const wsr__estimator_graph *g,
                       int64_t filters)
{
    const wsr__vector_options *const o = g->options;
    states s = {0};
    wsr_value keys[WSR_ESTIMATOR_SOURCES] = {0};
    make_states(&s, g, filters);
    for (size_t n = 0; n < g->n; n++) {
        keys[n] = key(g, &s, n);
    }
    for (size_t t = 0; t < g->t; t++) {
        const wsr_value q = query(g, &s, &g->target[t]);
        dst[t] = wsr__estimator_mix(g, s.v, g->n, attention(g, &s, keys, q));
    }
    if (g->t > 1 && released(g, &o->transpose)) {
        scramble(dst, g);
    }
    for (size_t t = 0; t < g->t; t++) {
        const wsr_value near = wsr__estimator_between(g, s.v, t);
        const wsr_value z = wsr__op2(g->graph, "add", NULL, dst[t], near);
        dst[t] = wsr__estimator_normalize(g, z, t);
    }
}
