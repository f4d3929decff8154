// SPDX-License-Identifier: Apache-2.0
//
// Sampled architectures: weights = softmax((alphas + g) / tau) with Gumbel
// noise g (Jang et al., arXiv:1611.01144). Each edge takes the candidate with
// the largest weight, the first of equal ones.

#include "search/search.h"

#include <string.h>

wsr_status wsr__path_new(wsr__path *path, const wsr__arch *arch)
{
    path->weights = wsr__alloc(arch->rows * arch->cols, sizeof(float));
    path->top = wsr__alloc(arch->rows, sizeof(float));
    path->choices = wsr__alloc(arch->rows, 1);
    return path->weights == NULL || path->top == NULL || path->choices == NULL
               ? WSR_NOMEM
               : WSR_OK;
}

void wsr__path_free(wsr__path *path)
{
    wsr__free(path->weights);
    wsr__free(path->top);
    wsr__free(path->choices);
    *path = (wsr__path){0};
}

void wsr__search_noise(float *g, const wsr_search *search, wsr__rng *rng)
{
    const size_t n = search->arch.rows * search->arch.cols;
    wsr__gumbel_fill(g, n, rng);
    for (size_t i = 0; search->importance != NULL && i < n; i++) {
        g[i] *= search->importance->scale[i];
    }
}

static void sample(wsr__path *path, const wsr_search *search,
                   const float *alphas, wsr__rng *rng)
{
    const wsr__arch *const arch = &search->arch;
    float g[WSR__EDGES * WSR__CANDIDATES];
    wsr__search_noise(g, search, rng);
    wsr__arch_weights(path->weights, arch, alphas, g);
    wsr__arch_choose(path->choices, path->top, arch, path->weights);
}

// `kind` separates the samples of training, evaluation and callers.
void wsr__path_sample(wsr__path *path, const wsr_search *search,
                      uint64_t serial, uint32_t kind)
{
    wsr__rng rng = wsr__rng_at(search->seed, WSR__RNG_GUMBEL, serial, kind);
    sample(path, search, search->alphas, &rng);
}

// Equal alphas make all candidates equally likely.
void wsr__path_uniform(wsr__path *path, const wsr_search *search,
                       uint64_t serial)
{
    static const float equal[WSR__EDGES * WSR__CANDIDATES];
    wsr__rng rng = wsr__rng_at(search->seed, WSR__RNG_GUMBEL, serial,
                               WSR__SAMPLE_BASELINE);
    sample(path, search, equal, &rng);
}

// Whole batches share the search's arena.
wsr_status wsr__path_attack_new(wsr__path_attack *out, wsr_search *s,
                                const wsr_graph *graph, unsigned purpose,
                                const wsr_plan *like)
{
    wsr_status status = WSR_OK;
    double bytes = 0;
    const double start = wsr__seconds();
    wsr__attack_of of = {.purpose = wsr__search_batch_norms(&s->params)
                                        ? purpose
                                        : WSR_GRAD_INPUT |
                                              (wsr__search_frozen(&s->params)
                                                   ? WSR__CLEAN_STATS
                                                   : 0u),
                         .graph = graph,
                         .arena = &s->arena,
                         .params = wsr_net_params(s->net),
                         .stats = s->kept_stats};
    *out = (wsr__path_attack){0};
    WSR_TRY(wsr__attack_plans_images(&out->images, graph, of.purpose, like));
    if (out->images != NULL) {
        WSR_TRY(wsr__image_plans_reserve(&bytes, out->images));
    }
    of.images = out->images;
    WSR_TRY(wsr__attack_plans_make(&out->plans, &of, wsr_plan_batch(like)));
    s->seconds[WSR__TIME_PLANS] += wsr__seconds() - start;
out:
    return status;
}

void wsr__path_attack_free(wsr__path_attack *attack)
{
    if (!attack->borrowed) {
        wsr__attack_plans_free(&attack->plans);
    }
    wsr__image_plans_free(attack->images);
    *attack = (wsr__path_attack){0};
}

// A permutation for each edge and group of paths (Fisher and Yates), of which
// path `at` of the group takes entry `at`.
void wsr__path_fair(wsr__path *path, const wsr_search *search, uint64_t number)
{
    const wsr__arch *const arch = &search->arch;
    const uint64_t group = number / arch->cols;
    const size_t at = (size_t)(number % arch->cols);
    memset(path->weights, 0, arch->rows * arch->cols * sizeof(float));
    for (size_t row = 0; row < arch->rows; row++) {
        unsigned char order[WSR__CANDIDATES];
        wsr__rng rng = wsr__rng_at(search->seed, WSR__RNG_GUMBEL,
                                   group * WSR__EDGES + row, WSR__SAMPLE_FAIR);
        for (size_t k = 0; k < arch->cols; k++) {
            const size_t j = wsr__rng_below(&rng, (uint32_t)k + 1);
            order[k] = order[j];
            order[j] = (unsigned char)k;
        }
        path->choices[row] = order[at];
        path->weights[row * arch->cols + order[at]] = 1;
        path->top[row] = 1;
    }
}

wsr_status wsr__path_graph(wsr_graph **out, wsr_search *s,
                           const wsr__path *path)
{
    const double start = wsr__seconds();
    const wsr_status status = wsr_supernet_graph(
        out, s->net, path->choices, s->quirks.weighted ? path->top : NULL);
    s->seconds[WSR__TIME_PLANS] += wsr__seconds() - start;
    return status;
}

wsr_status wsr__path_plan_in(wsr_plan **out, wsr_search *s,
                             const wsr_graph *graph, size_t batch,
                             unsigned purpose, wsr__arena *arena)
{
    const double start = wsr__seconds();
    const wsr_status status =
        wsr__plan_new_in(out, graph, batch, purpose, arena);
    s->seconds[WSR__TIME_PLANS] += wsr__seconds() - start;
    return status;
}

// A plan does not need its graph any more.
wsr_status wsr__path_plan(wsr_plan **out, wsr_search *search,
                          const wsr__path *path, size_t batch, unsigned purpose)
{
    wsr_status status = WSR_OK;
    wsr_graph *graph = NULL;
    *out = NULL;
    WSR_TRY(wsr__path_graph(&graph, search, path));
    WSR_TRY(
        wsr__path_plan_in(out, search, graph, batch, purpose, &search->arena));
out:
    wsr_graph_free(graph);
    return status;
}
