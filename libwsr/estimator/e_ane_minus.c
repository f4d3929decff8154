// SPDX-License-Identifier: Apache-2.0
//
// e_ane without attention, an ablation of "Neural Architecture Search for Wide
// Evaluation Adversarial Robustness", AAAI 2023,
// doi:10.1609/aaai.v37i1.25118. With the states f_n, b_n and the map m of
// feature_map.c, a learned map e, and a target norm tau between the sources i
// and j:
//
//   o_f = F([f_i; m(tau); e, ..., e])
//   o_b = B([b_j; m(tau); d])          d = w_i u_i + w_j u_j
//   dst = tau z / ||z||,   z = Q([o_f; o_b])
//
// Networks of keys and values are in the file, but of no use.

#include "estimator/estimator.h"

static const wsr__option schema[] = {
    WSR__ESTIMATOR_OPTIONS,
    WSR__QUIRK(wsr__feature_map_options, maps,
               "released: the query of both directions passes the network of "
               "the first"),
    WSR__QUIRK(wsr__feature_map_options, hidden,
               "released: the query of the second direction holds the "
               "neighbours' states in place of their noises"),
    {0},
};

enum { KEYS = 200 };

// Here the only neighbour of a target out of range counts as released, too.
static void weigh(wsr__bracket *b, const void *options, const float *r,
                  size_t n, float target)
{
    (void)options;
    if (b->lower == n) {
        b->lower_weight = 0;
        b->upper_weight = (double)target / (double)r[b->upper];
    } else if (b->upper == n) {
        b->lower_weight = (double)target / (double)r[b->lower];
        b->upper_weight = 0;
    }
}

static wsr_value join(const wsr__estimator_graph *g, wsr_value a, wsr_value b)
{
    const wsr_value srcs[] = {a, b};
    return wsr__estimator_concat(g, srcs, 2, 1);
}

// A query of one direction: the neighbour's state, the norm that is wanted, and
// an image in place of a noise.
static wsr_value branch(const wsr__estimator_graph *g, const char *name,
                        const wsr_value srcs[3])
{
    return wsr__feature_map_plain(g, name, wsr__estimator_concat(g, srcs, 3, 1),
                                  g->c, 1);
}

static void build(wsr_value *dst, const wsr__estimator_graph *g)
{
    const wsr__feature_map_options *const o = g->options;
    const bool shared = wsr__feature_map_released(g, &o->maps);
    const bool hidden = wsr__feature_map_released(g, &o->hidden);
    const wsr_value fresh = wsr__feature_map_spread(g, wsr__feature_map_new(g));
    wsr_value f[WSR_ESTIMATOR_SOURCES] = {0};
    wsr_value b[WSR_ESTIMATOR_SOURCES] = {0};
    wsr__feature_map_states(f, b, g, wsr__feature_map_plain);
    (void)wsr__feature_map_plain(g, "k_conv", join(g, f[0], b[0]), KEYS, 1);
    (void)wsr__feature_map_plain(g, "v_conv", join(g, f[0], b[0]), g->c, 1);
    for (size_t t = 0; t < g->t; t++) {
        const wsr__estimator_target *const to = &g->target[t];
        const wsr_value norm = wsr__feature_map_norm(g, to->norm);
        const wsr_value upwards[] = {
            wsr__estimator_mix(g, f, g->n, to->is_lower), norm, fresh};
        const wsr_value downwards[] = {
            wsr__estimator_mix(g, b, g->n, to->is_upper), norm,
            wsr__estimator_between(g, hidden ? f : g->noise, t)};
        const wsr_value both = join(
            g, branch(g, "forward_conv", upwards),
            branch(g, shared ? "forward_conv" : "backward_conv", downwards));
        dst[t] = wsr__estimator_normalize(
            g, wsr__feature_map_plain(g, "q_conv", both, g->c, 1), t);
    }
}

const wsr__estimator_class wsr__estimator_e_ane_minus = {
    .super = {.name = "e_ane_minus",
              .summary = "convolutions over noises as maps, no attention",
              .reference = "doi:10.1609/aaai.v37i1.25118",
              .schema = schema,
              .params_size = sizeof(wsr__feature_map_options)},
    .build = build,
    .weigh = weigh,
    .init = wsr__feature_map_init,
    .min_side = WSR__FEATURE_MAP_SIDE,
};
