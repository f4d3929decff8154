// SPDX-License-Identifier: Apache-2.0
//
// Architectures as genotypes have them: two edges for every node, each with a
// candidate other than "none"; in a single space all edges with any candidate.
// Searchers that compare whole architectures work
// on these, so that they evaluate what the genotype will be. In a table the
// chosen candidates have weight 1 and all others 0: the derivation of a
// genotype (space/derive.c) then finds the same edges.

#include "search/search.h"

#include <string.h>

const wsr__space_class *wsr__search_space(const wsr_search *s)
{
    return wsr__supernet_space(s->net);
}

size_t wsr__pairs_count(const wsr__space_class *space)
{
    return space->single ? wsr__space_edges(space) : 2 * 2 * space->nodes;
}

// Nodes are counted over both cells, normal first.
static size_t node_of(const wsr__space_class *space, size_t edge)
{
    size_t node = 0;
    if (!space->single) {
        return edge / 2 % space->nodes;
    }
    while ((node + 1) * (node + 2) / 2 <= edge) {
        node++;
    }
    return node;
}

static size_t states_of(const wsr__space_class *space, size_t edge)
{
    return node_of(space, edge) + wsr__space_sources(space);
}

// In a single space every edge has its state.
static uint32_t fixed_state(const wsr__space_class *space, size_t edge)
{
    const size_t node = node_of(space, edge);
    return (uint32_t)(edge - node * (node + 1) / 2);
}

// Row of the supernet's table: see space.h for the order of the edges.
static size_t row_of(const wsr__space_class *space, const wsr__pairs *pairs,
                     size_t edge)
{
    const size_t node = node_of(space, edge);
    const size_t cell = edge / 2 / space->nodes;
    return space->single ? edge
                         : cell * wsr__space_edges(space) +
                               node * (node + 3) / 2 + pairs->states[edge];
}

static bool is_none(const wsr__space_class *space, size_t candidate)
{
    return wsr__streq(space->primitives[candidate], "none");
}

// The number of "none", or of the first candidate in a space without it.
static size_t none_of(const wsr__space_class *space)
{
    for (size_t k = 0; k < space->n_primitives; k++) {
        if (is_none(space, k)) {
            return k;
        }
    }
    return 0;
}

// A candidate other than `not`, and but for single spaces other than "none";
// `not` itself when there is none.
static uint32_t draw_op(const wsr__space_class *space, size_t not,
                        wsr__rng *rng)
{
    uint32_t list[WSR__CANDIDATES];
    uint32_t n = 0;
    for (size_t k = 0; k < space->n_primitives; k++) {
        if ((space->single || !is_none(space, k)) && k != not ) {
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

void wsr__pairs_random(wsr__pairs *pairs, const wsr__space_class *space,
                       wsr__rng *rng)
{
    *pairs = (wsr__pairs){0};
    for (size_t e = 0; e < wsr__pairs_count(space); e++) {
        const size_t before = e % 2;
        pairs->states[e] =
            space->single ? fixed_state(space, e)
                          : draw_state((uint32_t)states_of(space, e),
                                       pairs->states + e - before, before, rng);
        pairs->ops[e] = draw_op(space, space->n_primitives, rng);
    }
}

// The first node of a cell has two states for its two edges, so that its states
// cannot change; its edges get another candidate then.
void wsr__pairs_mutate(wsr__pairs *pairs, const wsr__space_class *space,
                       wsr__rng *rng)
{
    const size_t e = wsr__rng_below(rng, (uint32_t)wsr__pairs_count(space));
    const uint32_t states = (uint32_t)states_of(space, e);
    if (!space->single && states > 2 && wsr__rng_below(rng, 2) == 0) {
        const uint32_t taken[] = {pairs->states[e], pairs->states[e ^ 1]};
        pairs->states[e] = draw_state(states, taken, 2, rng);
    } else {
        pairs->ops[e] = draw_op(space, pairs->ops[e], rng);
    }
}

void wsr__pairs_table(float *table, const wsr__pairs *pairs,
                      const wsr__space_class *space)
{
    const size_t cols = space->n_primitives;
    memset(table, 0, wsr__space_rows(space) * cols * sizeof(*table));
    for (size_t e = 0; e < wsr__pairs_count(space); e++) {
        table[row_of(space, pairs, e) * cols + pairs->ops[e]] = 1;
    }
}

// Of two edges with the same state the second counts.
void wsr__pairs_path(wsr__path *path, const wsr__pairs *pairs,
                     const wsr__space_class *space)
{
    const size_t cols = space->n_primitives;
    const size_t rows = wsr__space_rows(space);
    memset(path->choices, (int)none_of(space), rows);
    for (size_t e = 0; e < wsr__pairs_count(space); e++) {
        path->choices[row_of(space, pairs, e)] = (unsigned char)pairs->ops[e];
    }
    memset(path->weights, 0, rows * cols * sizeof(float));
    for (size_t i = 0; i < rows; i++) {
        path->weights[i * cols + path->choices[i]] = 1;
        path->top[i] = 1;
    }
}

// Candidates of a genotype are found by their names.
static uint32_t op_number(const wsr__space_class *space, const char *name)
{
    size_t k = 0;
    while (k + 1 < space->n_primitives &&
           !wsr__streq(space->primitives[k], name)) {
        k++;
    }
    return (uint32_t)k;
}

void wsr__pairs_read(wsr__pairs *pairs, const wsr__space_class *space,
                     const wsr_genotype *genotype)
{
    const size_t half = wsr_genotype_edges(genotype, WSR_GENOTYPE_NORMAL);
    *pairs = (wsr__pairs){0};
    for (size_t e = 0; e < wsr__pairs_count(space); e++) {
        const bool normal = e < half;
        const wsr_genotype_cell cell = normal ? WSR_GENOTYPE_NORMAL
                                              : WSR_GENOTYPE_REDUCE;
        const size_t k = normal ? e : e - half;
        pairs->states[e] = (uint32_t)wsr_genotype_state(genotype, cell, k);
        pairs->ops[e] = op_number(space, wsr_genotype_op(genotype, cell, k));
    }
}

wsr_status wsr__pairs_take(wsr__pairs *pairs, const wsr__space_class *space,
                           const wsr_genotype *genotype)
{
    const wsr__space_class *const single = wsr__genotype_single(genotype);
    bool known = single == (space->single ? space : NULL) &&
                 wsr_genotype_nodes(genotype) == space->nodes;
    for (int cell = 0; known && cell < 2; cell++) {
        const char *op = NULL;
        for (size_t e = 0;
             (op = wsr_genotype_op(genotype, (wsr_genotype_cell)cell, e)) !=
             NULL;
             e++) {
            known = known &&
                    wsr__streq(space->primitives[op_number(space, op)], op);
        }
    }
    if (!known) {
        return WSR_FAIL(WSR_FORMAT, "%s: is no genotype of the space %s",
                        wsr_genotype_name(genotype), space->super.name);
    }
    wsr__pairs_read(pairs, space, genotype);
    return WSR_OK;
}

wsr_status wsr__pairs_derive(wsr__pairs *pairs, const wsr__space_class *space,
                             const float *table)
{
    wsr_genotype *genotype = NULL;
    const wsr_status status =
        wsr__genotype_derive(&genotype, "found", space, table);
    if (status == WSR_OK) {
        wsr__pairs_read(pairs, space, genotype);
    }
    wsr_genotype_free(genotype);
    return status;
}

wsr_status wsr__pairs_genotype(wsr_genotype **out, const wsr__pairs *pairs,
                               const wsr__space_class *space, const char *name)
{
    wsr_status status = WSR_OK;
    wsr__genotype_draft draft = {.where = name};
    const size_t n = wsr__pairs_count(space);
    const size_t half = space->single ? n : n / 2;
    *out = NULL;
    draft.single = space->single ? space : NULL;
    WSR_TRY(wsr__strcpy(draft.name, sizeof(draft.name), name));
    for (size_t e = 0; e < n; e++) {
        wsr__genotype_lists *const cell = &draft.cells[e / half];
        wsr__genotype_edge *const edge = &cell->edges[cell->n_edges++];
        (void)snprintf(edge->op, sizeof(edge->op), "%s",
                       space->primitives[pairs->ops[e]]);
        edge->state = (int64_t)pairs->states[e];
        if (!space->single && e % 2 == 0) {
            cell->concat[cell->n_concat++] = (int64_t)states_of(space, e);
            cell->given = cell->concat_given = true;
        }
    }
    WSR_TRY(wsr__genotype_make(out, &draft));
out:
    return status;
}

wsr_status wsr__pairs_sample(wsr_search *s, uint64_t key)
{
    wsr__pairs pairs;
    wsr__rng rng =
        wsr__rng_at(s->seed, WSR__RNG_GUMBEL, key, WSR__SAMPLE_TRAIN);
    wsr__pairs_random(&pairs, wsr__search_space(s), &rng);
    wsr__pairs_path(&s->path, &pairs, wsr__search_space(s));
    return WSR_OK;
}

static wsr_status evaluate(double *objective, wsr_search *s, wsr__path *path,
                           const wsr__pairs *pairs)
{
    wsr_status status = WSR_OK;
    double losses[WSR__SLOTS];
    const double n = (double)s->params.architectures;
    wsr__pairs_path(path, pairs, wsr__search_space(s));
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

bool wsr__pairs_valid(const wsr__pairs *pairs, const wsr__space_class *space)
{
    for (size_t e = 0; e < wsr__pairs_count(space); e++) {
        if (pairs->states[e] >= states_of(space, e) ||
            pairs->ops[e] >= space->n_primitives ||
            (space->single && pairs->states[e] != fixed_state(space, e))) {
            return false;
        }
    }
    return true;
}
