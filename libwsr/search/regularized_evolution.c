// SPDX-License-Identifier: Apache-2.0
//
// Regularized evolution (Real et al. 2019, arXiv:1802.01548) over the shared
// weights of a supernet. The first architectures are random. Then each cycle
// draws `tournament` individuals with replacement, mutates one edge of the best
// of them (its operation or its input), evaluates the child, and removes the
// oldest individual. Ages bound how long an individual profits from having been
// evaluated with luck, or suffers from having been evaluated with weights that
// have improved since. The supernet trains on random architectures (Guo et al.
// 2020, arXiv:1904.00420).

#include "search/search.h"

#include <stddef.h>

typedef struct options {
    int64_t population;
    int64_t tournament;
} options;

static const wsr__option schema[] = {
    {"population", WSR__INT, offsetof(options, population), "100", 1, 100000,
     "", "individuals that are kept; as many are drawn at random first", NULL},
    {"tournament", WSR__INT, offsetof(options, tournament), "25", 1, 100000, "",
     "individuals that are drawn for a parent, with replacement", NULL},
    {0},
};

// A ring: individual i stands at (oldest + i) mod population.
typedef struct population {
    options options;
    wsr__pairs *pairs;
    double *fitness;     // objectives, lower is better
    int64_t counters[2]; // oldest, number
    float *table;        // of the best one
} population;

static void release(void *own)
{
    population *const p = own;
    wsr__free(p->pairs);
    wsr__free(p->fitness);
    wsr__free(p->table);
    wsr__free(p);
}

static wsr_status make(wsr_search *s, const void *params)
{
    population *const p = wsr__alloc(1, sizeof(*p));
    s->own = p;
    if (p == NULL) {
        return WSR_NOMEM;
    }
    p->options = *(const options *)params;
    p->pairs = wsr__alloc((size_t)p->options.population, sizeof(*p->pairs));
    p->fitness = wsr__alloc((size_t)p->options.population, sizeof(double));
    p->table = wsr__alloc(s->arch.rows * s->arch.cols, sizeof(float));
    return p->pairs == NULL || p->fitness == NULL || p->table == NULL
               ? WSR_NOMEM
               : WSR_OK;
}

static size_t place(const population *p, size_t i)
{
    return ((size_t)p->counters[0] + i) % (size_t)p->options.population;
}

// The youngest of the best: it was evaluated with the latest weights.
static void find_best(const wsr_search *s)
{
    population *const p = s->own;
    size_t best = place(p, 0);
    for (size_t i = 1; i < (size_t)p->counters[1]; i++) {
        if (p->fitness[place(p, i)] <= p->fitness[best]) {
            best = place(p, i);
        }
    }
    if (p->counters[1] > 0) {
        wsr__pairs_table(p->table, &p->pairs[best], wsr__search_space(s));
    }
}

static const float *table(const wsr_search *s)
{
    return ((const population *)s->own)->table;
}

// Each individual may be the parent of the next.
static wsr_status breed(wsr__pairs *child, wsr_search *s, size_t k,
                        wsr__rng *rng)
{
    const population *const p = s->own;
    const uint32_t n = (uint32_t)p->counters[1];
    (void)k;
    if (p->counters[1] < p->options.population) {
        wsr__pairs_random(child, wsr__search_space(s), rng);
        return WSR_OK;
    }
    size_t parent = place(p, wsr__rng_below(rng, n));
    for (int64_t i = 1; i < p->options.tournament; i++) {
        const size_t other = place(p, wsr__rng_below(rng, n));
        parent = p->fitness[other] < p->fitness[parent] ? other : parent;
    }
    *child = p->pairs[parent];
    wsr__pairs_mutate(child, wsr__search_space(s), rng);
    return WSR_OK;
}

// The oldest makes room.
static void add(wsr_search *s, size_t k, const wsr__pairs *child,
                double fitness)
{
    population *const p = s->own;
    (void)k;
    const size_t at = place(p, (size_t)p->counters[1]);
    p->pairs[at] = *child;
    p->fitness[at] = fitness;
    if (p->counters[1] < p->options.population) {
        p->counters[1]++;
    } else {
        p->counters[0] = (p->counters[0] + 1) % p->options.population;
    }
}

static wsr_status evaluate(wsr_search *s, wsr__run *run)
{
    static const wsr__pairs_walk walk = {WSR__SAMPLE_SELECT, breed, add};
    return wsr__pairs_evaluate(s, run, &walk);
}

static wsr_status update_alphas(wsr_search *s, wsr__run *run)
{
    (void)run;
    find_best(s);
    return WSR_OK;
}

// ------------------------------------------------------------------- state

enum { STATES = 3 };

static size_t states(const wsr_search *s)
{
    (void)s;
    return STATES;
}

static wsr__state state(const wsr_search *s, size_t i)
{
    population *const p = s->own;
    const size_t room = (size_t)p->options.population;
    const wsr__state all[STATES] = {
        {"population.counters", WSR__STATE_I64, p->counters, 2},
        {"population.pairs", WSR__STATE_U32, p->pairs,
         room * WSR__PAIRS_NUMBERS},
        {"population.fitness", WSR__STATE_F64, p->fitness, room}};
    return all[i];
}

static wsr_status check(const wsr_search *s, const wsr__st *st)
{
    wsr_status status = WSR_OK;
    const population *const p = s->own;
    WSR_TRY(wsr__checkpoint_ring(st, "the population", p->counters,
                                 p->options.population));
    for (size_t i = 0; i < (size_t)p->counters[1]; i++) {
        if (!wsr__pairs_valid(&p->pairs[place(p, i)], wsr__search_space(s))) {
            return WSR_FAIL(WSR_FORMAT,
                            "%s: individual %zu has an edge or a "
                            "candidate that the space does not have",
                            wsr__st_path(st), i);
        }
    }
    find_best(s);
out:
    return status;
}

const wsr__searcher_class wsr__searcher_regularized_evolution = {
    .super = {"regularized_evolution",
              "mutates the best of a few, removes the oldest",
              "Real et al. 2019, arXiv:1802.01548", schema, sizeof(options)},
    .make = make,
    .free = release,
    .states = states,
    .state = state,
    .check = check,
    .sample = wsr__pairs_sample,
    .table = table,
    .evaluate = evaluate,
    .update_alphas = update_alphas,
    .passes = wsr__pairs_passes,
    .pairs = true,
};
