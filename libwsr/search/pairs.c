// SPDX-License-Identifier: Apache-2.0
//
// Architectures as genotypes have them: two edges for every node, each with a
// candidate other than "none". Searchers that compare whole architectures work
// on these, so that they evaluate what the genotype will be. In a table the
// chosen candidates have weight 1 and all others 0: the derivation of a
// genotype (space/derive.c) then finds the same edges.

#include "search/search.h"

#include <string.h>

static const wsr__space_class *space_of(const wsr_search *s)
{
    return wsr__supernet_space(s->net);
}

size_t wsr__pairs_count(const wsr_search *s)
{
    return 2 * 2 * space_of(s)->nodes;
}

// Nodes are counted over both cells, normal first.
static size_t states_of(const wsr_search *s, size_t edge)
{
    return edge / 2 % space_of(s)->nodes + 2;
}

// Row of the supernet's table: see space.h for the order of the edges.
static size_t row_of(const wsr_search *s, const wsr__pairs *pairs, size_t edge)
{
    const wsr__space_class *const space = space_of(s);
    const size_t node = edge / 2 % space->nodes;
    const size_t cell = edge / 2 / space->nodes;
    return cell * wsr__space_edges(space) + node * (node + 3) / 2 +
           pairs->states[edge];
}

static bool is_none(const wsr_search *s, size_t candidate)
{
    return wsr__streq(space_of(s)->primitives[candidate], "none");
}

// The number of "none", or of the first candidate in a space without it.
static size_t none_of(const wsr_search *s)
{
    for (size_t k = 0; k < s->arch.cols; k++) {
        if (is_none(s, k)) {
            return k;
        }
    }
    return 0;
}

// A candidate other than "none" and `not`; `not` itself when there is none.
static uint32_t draw_op(const wsr_search *s, size_t not, wsr__rng *rng)
{
    uint32_t list[WSR__CANDIDATES];
    uint32_t n = 0;
    for (size_t k = 0; k < s->arch.cols; k++) {
        if (!is_none(s, k) && k != not ) {
            list[n++] = (uint32_t)k;
        }
    }
    return n == 0 ? (uint32_t) not : list[wsr__rng_below(rng, n)];
}

// A state other than the `n` given; the first of them when there is no other.
static uint32_t draw_state(uint32_t states, const uint32_t * not, size_t n,
                           wsr__rng *rng)
{
    uint32_t list[WSR__GENOTYPE_NODES + 2];
    uint32_t left = 0;
    for (uint32_t k = 0; k < states; k++) {
        bool taken = false;
        for (size_t i = 0; i < n; i++) {
            taken = taken || not [i] == k;
        }
        if (!taken) {
            list[left++] = k;
        }
    }
    return left == 0 ? not [0] : list[wsr__rng_below(rng, left)];
}

void wsr__pairs_random(wsr__pairs *pairs, const wsr_search *s, wsr__rng *rng)
{
    *pairs = (wsr__pairs){0};
    for (size_t e = 0; e < wsr__pairs_count(s); e++) {
        const size_t before = e % 2;
        pairs->states[e] = draw_state((uint32_t)states_of(s, e),
                                      pairs->states + e - before, before, rng);
        pairs->ops[e] = draw_op(s, s->arch.cols, rng);
    }
}

// The first node of a cell has two states for its two edges, so that its states
// cannot change; its edges get another candidate then.
void wsr__pairs_mutate(wsr__pairs *pairs, const wsr_search *s, wsr__rng *rng)
{
    const size_t e = wsr__rng_below(rng, (uint32_t)wsr__pairs_count(s));
    const uint32_t states = (uint32_t)states_of(s, e);
    if (states > 2 && wsr__rng_below(rng, 2) == 0) {
        const uint32_t taken[] = {pairs->states[e], pairs->states[e ^ 1]};
        pairs->states[e] = draw_state(states, taken, 2, rng);
    } else {
        pairs->ops[e] = draw_op(s, pairs->ops[e], rng);
    }
}

void wsr__pairs_table(float *table, const wsr__pairs *pairs,
                      const wsr_search *s)
{
    memset(table, 0, s->arch.rows * s->arch.cols * sizeof(*table));
    for (size_t e = 0; e < wsr__pairs_count(s); e++) {
        table[row_of(s, pairs, e) * s->arch.cols + pairs->ops[e]] = 1;
    }
}

// Of two edges with the same state the second counts.
void wsr__pairs_path(wsr__path *path, const wsr__pairs *pairs,
                     const wsr_search *s)
{
    const size_t cols = s->arch.cols;
    memset(path->choices, (int)none_of(s), s->arch.rows);
    for (size_t e = 0; e < wsr__pairs_count(s); e++) {
        path->choices[row_of(s, pairs, e)] = (unsigned char)pairs->ops[e];
    }
    memset(path->weights, 0, s->arch.rows * cols * sizeof(float));
    for (size_t i = 0; i < s->arch.rows; i++) {
        path->weights[i * cols + path->choices[i]] = 1;
        path->top[i] = 1;
    }
}

// Candidates of a genotype are found by their names.
static uint32_t op_number(const wsr_search *s, const char *name)
{
    size_t k = 0;
    while (k + 1 < s->arch.cols &&
           !wsr__streq(space_of(s)->primitives[k], name)) {
        k++;
    }
    return (uint32_t)k;
}

wsr_status wsr__pairs_derive(wsr__pairs *pairs, const wsr_search *s,
                             const float *table)
{
    wsr_status status = WSR_OK;
    wsr_genotype *genotype = NULL;
    const size_t half = wsr__pairs_count(s) / 2;
    *pairs = (wsr__pairs){0};
    WSR_TRY(wsr__genotype_derive(&genotype, "found", space_of(s), table));
    for (size_t e = 0; e < 2 * half; e++) {
        const bool normal = e < half;
        const wsr_genotype_cell cell = normal ? WSR_GENOTYPE_NORMAL
                                              : WSR_GENOTYPE_REDUCE;
        const size_t k = normal ? e : e - half;
        pairs->states[e] = (uint32_t)wsr_genotype_state(genotype, cell, k);
        pairs->ops[e] = op_number(s, wsr_genotype_op(genotype, cell, k));
    }
out:
    wsr_genotype_free(genotype);
    return status;
}

wsr_status wsr__pairs_sample(wsr_search *s, uint64_t key)
{
    wsr__pairs pairs;
    wsr__rng rng =
        wsr__rng_at(s->seed, WSR__RNG_GUMBEL, key, WSR__SAMPLE_TRAIN);
    wsr__pairs_random(&pairs, s, &rng);
    wsr__pairs_path(&s->path, &pairs, s);
    return WSR_OK;
}

static wsr_status evaluate(double *objective, wsr_search *s, wsr__path *path,
                           const wsr__pairs *pairs)
{
    wsr_status status = WSR_OK;
    double losses[WSR__SLOTS];
    const double n = (double)s->params.architectures;
    wsr__pairs_path(path, pairs, s);
    WSR_TRY(s->evaluator(losses, s, path, WSR__EVALUATE));
    *objective = wsr_search_objective(s, losses);
    for (size_t i = 0; i <= wsr__search_slots(s); i++) {
        s->losses[i] += losses[i] / n;
    }
out:
    return status;
}

wsr_status wsr__pairs_evaluate(wsr_search *s, wsr__run *run,
                               const wsr__pairs_walk *walk)
{
    wsr_status status = WSR_OK;
    wsr__path path = {0};
    const size_t n = (size_t)s->params.architectures;
    memset(s->losses, 0, sizeof(s->losses));
    WSR_TRY(wsr__path_new(&path, &s->arch));
    for (size_t k = 0; k < n; k++) {
        wsr__pairs pairs;
        double objective = 0;
        wsr__rng rng = wsr__rng_at(s->seed, WSR__RNG_GUMBEL,
                                   wsr__search_serial(s) << 32 | k,
                                   walk->sample);
        WSR_TRY(walk->draw(&pairs, s, k, &rng));
        WSR_TRY(evaluate(&objective, s, &path, &pairs));
        walk->keep(s, k, &pairs, objective);
        WSR_TRY(wsr__run_progress(run, wsr__phase_names[s->phase], k + 1, n,
                                  "evaluating architectures"));
    }
out:
    wsr__path_free(&path);
    return status;
}

wsr__passes wsr__pairs_passes(const wsr_search *s, wsr_phase phase,
                              wsr__search_stage stage)
{
    (void)phase;
    return stage == WSR__STAGE_EVALUATE
               ? wsr__evaluation_passes(s, (double)s->params.architectures, 0)
               : (wsr__passes){0, 0};
}

bool wsr__pairs_valid(const wsr__pairs *pairs, const wsr_search *s)
{
    for (size_t e = 0; e < wsr__pairs_count(s); e++) {
        if (pairs->states[e] >= states_of(s, e) ||
            pairs->ops[e] >= s->arch.cols) {
            return false;
        }
    }
    return true;
}
