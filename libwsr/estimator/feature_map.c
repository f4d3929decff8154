// SPDX-License-Identifier: Apache-2.0
//
// Parts of the estimators that encode noises as feature maps, images of c
// channels. With unit noises u_n, their norms r_n, the image x and a target
// norm tau between the sources i and j:
//
//   m(r) = relu(w r + b)                          a map (1, h, w)
//   f_n  = F([f_{n-1}; m(r_n); u_n])              f_{-1} = x
//   b_n  = B([b_{n+1}; m(r_n); u_n])              b_N = x
//   d    = w_i u_i + w_j u_j
//   q    = max over pixels of Q([w_i u_i; w_j u_j; m(tau); ...; m(tau)])
//   k_n  = max over pixels of K([f_n; b_n])       n = 0 .. N
//   A    = softmax_n(<k_n, q> / sqrt(50))
//   dst  = tau z / ||z||,   z = sum_n A_n V([f_n; b_n]) + d
//
// [ ; ]: channels side by side. F, B, Q, K, V are small networks of
// convolutions, which the variants bring. A source that a target lacks counts
// as zero; n = N stands for it. The batches of all keys are one batch, as are
// those of all queries: batch norms see them together. As released, several of
// these steps are different; each is an option.

#include "estimator/estimator.h"
#include "op/params.h"

#include <math.h>

enum { KEYS = 50 };

bool wsr__feature_map_released(const wsr__estimator_graph *g,
                               const wsr__text *quirk)
{
    const wsr__feature_map_options *const o = g->options;
    return wsr__is_released(quirk, &o->common.fidelity);
}

// ------------------------------------------------------------------- parts

wsr_value wsr__feature_map_plain(const wsr__estimator_graph *g,
                                 const char *name, wsr_value src, int64_t m,
                                 int64_t pad)
{
    wsr__estimator_conv conv = {
        .m = 100, .kernel = {3, 3}, .stride = {1, 1}, .pad = pad, .bias = true};
    char text[64];
    (void)snprintf(text, sizeof(text), "%s.0", name);
    wsr_value x = wsr__estimator_conv2d(g, text, &conv, src);
    x = wsr__op1(g->graph, "relu", NULL, x);
    conv.m = m;
    (void)snprintf(text, sizeof(text), "%s.2", name);
    x = wsr__estimator_conv2d(g, text, &conv, x);
    return wsr__op1(g->graph, "relu", NULL, x);
}

wsr_value wsr__feature_map_norm(const wsr__estimator_graph *g, wsr_value norm)
{
    const wsr__reshape_params image = {{3, {1, g->h, g->w}}};
    const wsr_value map =
        wsr__estimator_dense(g, "norm_fm_encoder.0", norm, g->h * g->w);
    return wsr__op1_of(g->graph, &wsr__op_reshape, &image, map);
}

// Doubled as long as that is not too many, then the rest.
wsr_value wsr__feature_map_spread(const wsr__estimator_graph *g, wsr_value map)
{
    int64_t m = 1;
    for (; 2 * m <= g->c; m *= 2) {
        const wsr_value twice[] = {map, map};
        map = wsr__estimator_concat(g, twice, 2, 1);
    }
    if (m < g->c) {
        const wsr__slice_params rest = {.axis = 1, .end = g->c - m};
        const wsr_value both[] = {
            map, wsr__op1_of(g->graph, &wsr__op_slice, &rest, map)};
        map = wsr__estimator_concat(g, both, 2, 1);
    }
    return map;
}

// A product with ones, since a parameter has no batch.
wsr_value wsr__feature_map_new(const wsr__estimator_graph *g)
{
    const wsr__scale_params one = {.factor = 0, .offset = 1};
    const wsr__reshape_params row = {{1, {g->h * g->w}}};
    const wsr__reshape_params image = {{3, {1, g->h, g->w}}};
    const wsr_value map = wsr__param_value(g->graph, "new_fm",
                                           wsr__shape4(1, 1, g->h, g->w),
                                           (wsr__init){.bound = 0.5F});
    const wsr_value ones =
        wsr__op1_of(g->graph, &wsr__op_scale, &one, g->norm[0]);
    const wsr_value rows =
        wsr__op2(g->graph, "matmul", NULL, ones,
                 wsr__op1_of(g->graph, &wsr__op_reshape, &row, map));
    return wsr__op1_of(g->graph, &wsr__op_reshape, &image, rows);
}

void wsr__feature_map_init(wsr_params *params)
{
    wsr__param *const p = wsr__params_named(params, "new_fm");
    for (int64_t i = 0; p != NULL && i < p->count; i++) {
        p->data[i] += 0.5F;
    }
}

// Run over the sources, upwards or downwards, from the image.
static void chain(wsr_value *out, const wsr__estimator_graph *g,
                  const char *name, wsr__feature_map_net net, bool down)
{
    wsr_value state = g->image;
    for (size_t k = 0; k < g->n; k++) {
        const size_t n = down ? g->n - 1 - k : k;
        const wsr_value srcs[] = {state, wsr__feature_map_norm(g, g->norm[n]),
                                  g->noise[n]};
        state = net(g, name, wsr__estimator_concat(g, srcs, 3, 1), g->c, 1);
        out[n] = state;
    }
}

void wsr__feature_map_states(wsr_value *f, wsr_value *b,
                             const wsr__estimator_graph *g,
                             wsr__feature_map_net net)
{
    chain(f, g, "forward_conv", net, false);
    chain(b, g, "backward_conv", net, true);
}

// --------------------------------------------------------------- attention

void wsr__feature_map_weigh(wsr__bracket *b, const void *options,
                            const float *r, size_t n, float target)
{
    const wsr__feature_map_options *const o = options;
    (void)r;
    (void)n;
    (void)target;
    if (wsr__is_released(&o->neighbours, &o->common.fidelity)) {
        b->upper_weight = b->lower_weight;
    }
}

// Half of the image less what the convolutions take: the window of the
// released pool, 16 of 28 pixels for an image of 32, has no second beside it.
static int64_t window(int64_t side)
{
    return side / 2 < side - 4 ? side / 2 : side - 4;
}

// The largest value of each channel of a network's result.
static wsr_value encode(const wsr__estimator_graph *g, const char *name,
                        wsr_value src, wsr__feature_map_net net)
{
    const wsr__feature_map_options *const o = g->options;
    wsr__global_max_pool_params pool = {0};
    if (wsr__feature_map_released(g, &o->pool)) {
        pool.height = window(g->h);
        pool.width = window(g->w);
    }
    return wsr__op1_of(g->graph, &wsr__op_global_max_pool, &pool,
                       net(g, name, src, KEYS, 0));
}

// As released the noise below goes in unweighted, and nothing tells the norm
// that is wanted.
static wsr_value query(const wsr__estimator_graph *g, size_t t)
{
    const wsr__feature_map_options *const o = g->options;
    const wsr__estimator_target *const target = &g->target[t];
    const bool released = wsr__feature_map_released(g, &o->query);
    const wsr_value lower = released ? target->is_lower : target->lower;
    wsr_value srcs[] = {wsr__estimator_mix(g, g->noise, g->n, lower),
                        wsr__estimator_mix(g, g->noise, g->n, target->upper),
                        released
                            ? wsr__estimator_between(g, g->noise, t)
                            : wsr__feature_map_spread(
                                  g, wsr__feature_map_norm(g, target->norm))};
    return wsr__estimator_concat(g, srcs, 3, 1);
}

// States of both directions of all sources and of none, one batch behind the
// other: (n + 1, 2 c, h, w).
static wsr_value all_states(const wsr__estimator_graph *g,
                            wsr__feature_map_net net)
{
    wsr_value f[WSR_ESTIMATOR_SOURCES + 1] = {0};
    wsr_value b[WSR_ESTIMATOR_SOURCES + 1] = {0};
    wsr__feature_map_states(f, b, g, net);
    f[g->n] = wsr__op1(g->graph, "zero", NULL, g->image);
    b[g->n] = f[g->n];
    const wsr_value both[] = {wsr__estimator_concat(g, f, g->n + 1, 0),
                              wsr__estimator_concat(g, b, g->n + 1, 0)};
    return wsr__estimator_concat(g, both, 2, 1);
}

// One row of weights over the states, (1, n + 1), from their keys.
static wsr_value attention(const wsr__estimator_graph *g, wsr_value keys,
                           wsr_value q)
{
    const wsr__feature_map_options *const o = g->options;
    const wsr__scale_params scale = {.factor = 1 / sqrt((double)KEYS)};
    wsr_value score[WSR_ESTIMATOR_SOURCES + 1];
    for (size_t n = 0; n <= g->n; n++) {
        score[n] = wsr__op2(g->graph, "batched_dot", NULL,
                            wsr__estimator_chunk(g, keys, g->n + 1, n), q);
    }
    wsr_value all = wsr__estimator_concat(g, score, g->n + 1, 1);
    if (!wsr__feature_map_released(g, &o->attention)) {
        all = wsr__op1_of(g->graph, &wsr__op_scale, &scale, all);
    }
    return wsr__op1(g->graph, "softmax", NULL, all);
}

void wsr__feature_map_build(wsr_value *dst, const wsr__estimator_graph *g,
                            wsr__feature_map_net net)
{
    wsr_value queries[WSR_ESTIMATOR_TARGETS] = {0};
    wsr_value values[WSR_ESTIMATOR_SOURCES + 1] = {0};
    (void)wsr__feature_map_new(g); // in the file, but of no use
    const wsr_value states = all_states(g, net);
    for (size_t t = 0; t < g->t; t++) {
        queries[t] = query(g, t);
    }
    const wsr_value q =
        encode(g, "q_conv", wsr__estimator_concat(g, queries, g->t, 0), net);
    const wsr_value keys = encode(g, "k_conv", states, net);
    const wsr_value all = net(g, "v_conv", states, g->c, 1);
    for (size_t n = 0; n <= g->n; n++) {
        values[n] = wsr__estimator_chunk(g, all, g->n + 1, n);
    }
    for (size_t t = 0; t < g->t; t++) {
        const wsr_value row =
            attention(g, keys, wsr__estimator_chunk(g, q, g->t, t));
        const wsr_value z = wsr__op2(
            g->graph, "add", NULL, wsr__estimator_mix(g, values, g->n + 1, row),
            wsr__estimator_between(g, g->noise, t));
        dst[t] = wsr__estimator_normalize(g, z, t);
    }
}
