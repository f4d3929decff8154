// SPDX-License-Identifier: Apache-2.0
//
// Wsr-NAS in its evolution mode. An individual is the state of a search: its
// alphas, its Gumbel noise and its losses. Every evaluated architecture joins
// the population, and the worst one leaves it. The predictor learns the
// population instead of the latest architectures, and the alphas go on from
// those of the best individual, along its noise.
//
// The released mode stops with an error: it hands the population what the
// memory takes (docs/fidelity.md). Here it works.

#include "search/search.h"

#include <stddef.h>
#include <string.h>

typedef struct options {
    wsr__text fidelity;
    wsr__text fitness;
    int64_t population;
    wsr__text select;
    wsr__text remove;
} options;

static const char *const choices[] = {"lowest", "highest", "random", NULL};

static const wsr__option schema[] = {
    WSR__FIDELITY(options),
    WSR__QUIRK(options, fitness,
               "released: the clean loss; intended: the objective"),
    {"population", WSR__INT, offsetof(options, population), "100", 1, 100000,
     "", "individuals that are kept, at most predictor.memory", NULL},
    {"select", WSR__WORD, offsetof(options, select), "lowest", 0, 0, "",
     "fitness of the individual that the alphas go on from", choices},
    {"remove", WSR__WORD, offsetof(options, remove), "highest", 0, 0, "",
     "fitness of the individual that leaves a full population", choices},
    {0},
};

// Oldest first. There is room for one more than options.population.
typedef struct population {
    options options;
    bool clean;     // fitness is the clean loss
    size_t floats;  // of a table
    float *alphas;  // (room, floats)
    float *noise;   // (room, floats)
    double *losses; // (room, slots)
    int64_t count;
} population;

// -------------------------------------------------------------- individuals

static void release(void *own)
{
    population *const p = own;
    wsr__free(p->alphas);
    wsr__free(p->noise);
    wsr__free(p->losses);
    wsr__free(p);
}

static wsr_status make(wsr_search *s, const void *params)
{
    const options *const o = params;
    const size_t room = (size_t)o->population + 1;
    if (o->population > s->predictor->common->memory) {
        return WSR_FAIL(WSR_CONFIG,
                        "searcher.population: %lld is above predictor.memory, "
                        "%lld",
                        (long long)o->population,
                        (long long)s->predictor->common->memory);
    }
    population *const p = wsr__alloc(1, sizeof(*p));
    s->own = p;
    if (p == NULL) {
        return WSR_NOMEM;
    }
    p->options = *o;
    p->clean = wsr__is_released(&o->fitness, &o->fidelity);
    p->floats = s->arch.rows * s->arch.cols;
    p->alphas = wsr__alloc(room * p->floats, sizeof(float));
    p->noise = wsr__alloc(room * p->floats, sizeof(float));
    p->losses = wsr__alloc(room * WSR__SLOTS, sizeof(double));
    return p->alphas == NULL || p->noise == NULL || p->losses == NULL
               ? WSR_NOMEM
               : WSR_OK;
}

static double fitness(const wsr_search *s, const population *p, size_t i)
{
    const double *const losses = p->losses + i * WSR__SLOTS;
    return p->clean ? losses[0] : wsr_search_objective(s, losses);
}

// The first one among equals.
static size_t choose(const wsr_search *s, const wsr__text *how, uint64_t key,
                     uint32_t kind)
{
    const population *const p = s->own;
    const double sign = wsr__streq(how->s, "highest") ? -1 : 1;
    size_t best = 0;
    if (wsr__streq(how->s, "random")) {
        wsr__rng rng = wsr__rng_at(s->seed, WSR__RNG_GUMBEL, key, kind);
        return wsr__rng_below(&rng, (uint32_t)p->count);
    }
    for (size_t i = 1; i < (size_t)p->count; i++) {
        if (sign * fitness(s, p, i) < sign * fitness(s, p, best)) {
            best = i;
        }
    }
    return best;
}

static void take_out(population *p, size_t i)
{
    const size_t behind = (size_t)p->count - i - 1;
    memmove(p->alphas + i * p->floats, p->alphas + (i + 1) * p->floats,
            behind * p->floats * sizeof(float));
    memmove(p->noise + i * p->floats, p->noise + (i + 1) * p->floats,
            behind * p->floats * sizeof(float));
    memmove(p->losses + i * WSR__SLOTS, p->losses + (i + 1) * WSR__SLOTS,
            behind * WSR__SLOTS * sizeof(double));
    p->count--;
}

// ------------------------------------------------------------------- stages

// The newcomer itself may be the one that leaves.
static wsr_status keep(wsr_search *s, const wsr__path *path, size_t k,
                       const double *losses)
{
    population *const p = s->own;
    const size_t at = (size_t)p->count;
    (void)path;
    memcpy(p->alphas + at * p->floats, s->alphas, p->floats * sizeof(float));
    wsr__nas_noise(p->noise + at * p->floats, s, k);
    memcpy(p->losses + at * WSR__SLOTS, losses,
           (1 + wsr__search_slots(s)) * sizeof(double));
    p->count++;
    if (p->count > p->options.population) {
        take_out(p,
                 choose(s, &p->options.remove, wsr__search_serial(s) << 32 | k,
                        WSR__SAMPLE_REMOVE));
    }
    return WSR_OK;
}

static wsr_status evaluate(wsr_search *s, wsr__run *run)
{
    return wsr__nas_evaluate(s, run, keep);
}

// The predictor's memory becomes the population.
static wsr_status teach(wsr_search *s)
{
    wsr_status status = WSR_OK;
    const population *const p = s->own;
    float table[WSR__EDGES * WSR__CANDIDATES];
    s->predictor->counters[0] = 0;
    s->predictor->counters[1] = 0;
    for (size_t i = 0; i < (size_t)p->count; i++) {
        wsr__arch_weights(table, &s->arch, p->alphas + i * p->floats,
                          p->noise + i * p->floats);
        WSR_TRY(wsr_predictor_remember(s->predictor, table,
                                       p->losses + i * WSR__SLOTS));
    }
out:
    return status;
}

static wsr_status update_alphas(wsr_search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    const population *const p = s->own;
    WSR_TRY(teach(s));
    WSR_TRY(wsr__nas_train(s));
    if (s->phase == WSR_PHASE_SEARCH && p->count > 0) {
        const size_t i = choose(s, &p->options.select, wsr__search_serial(s),
                                WSR__SAMPLE_SELECT);
        memcpy(s->alphas, p->alphas + i * p->floats, p->floats * sizeof(float));
        WSR_TRY(wsr__nas_steps(s, p->noise + i * p->floats));
    }
    WSR_TRY(wsr__run_progress(run, wsr__phase_names[s->phase], 1, 1,
                              "updating alphas"));
out:
    return status;
}

// ------------------------------------------------------------------- state

enum { STATES = 4 };

static size_t states(const wsr_search *s)
{
    (void)s;
    return STATES;
}

static wsr__state state(const wsr_search *s, size_t i)
{
    population *const p = s->own;
    const size_t room = (size_t)p->options.population + 1;
    const wsr__state all[STATES] = {
        {"population.count", WSR__STATE_I64, &p->count, 1},
        {"population.alphas", WSR__STATE_F32, p->alphas, room * p->floats},
        {"population.noise", WSR__STATE_F32, p->noise, room * p->floats},
        {"population.losses", WSR__STATE_F64, p->losses, room * WSR__SLOTS}};
    return all[i];
}

static wsr_status check(const wsr_search *s, const wsr__st *st)
{
    const population *const p = s->own;
    return p->count >= 0 && p->count <= p->options.population
               ? WSR_OK
               : WSR_FAIL(WSR_FORMAT,
                          "%s: %lld individuals are outside [0, %lld]",
                          wsr__st_path(st), (long long)p->count,
                          (long long)p->options.population);
}

const wsr__searcher_class wsr__searcher_evolution = {
    .super = {"evolution",
              "alphas go on from the best of a population of searches",
              "doi:10.1609/aaai.v37i1.25118", schema, sizeof(options)},
    .make = make,
    .free = release,
    .states = states,
    .state = state,
    .check = check,
    .evaluate = evaluate,
    .update_alphas = update_alphas,
    .passes = wsr__nas_passes,
    .estimates = true,
};
