// SPDX-License-Identifier: Apache-2.0
//
// Random search with weight sharing (Li and Talwalkar 2019, arXiv:1902.07638).
// The supernet trains on random architectures. Every epoch evaluates random
// architectures, and the best one of all epochs is the result. At equal cost
// this is what other searchers have to beat.

#include "search/search.h"

typedef struct best {
    wsr__pairs pairs;
    double objective;
    int64_t known; // whether there is one
    float *table;  // of it
} best;

static void release(void *own)
{
    best *const b = own;
    wsr__free(b->table);
    wsr__free(b);
}

static wsr_status make(wsr_search *s, const void *params)
{
    best *const b = wsr__alloc(1, sizeof(*b));
    (void)params;
    s->own = b;
    if (b == NULL) {
        return WSR_NOMEM;
    }
    b->table = wsr__alloc(s->arch.rows * s->arch.cols, sizeof(float));
    return b->table == NULL ? WSR_NOMEM : WSR_OK;
}

static const float *table(const wsr_search *s)
{
    return ((const best *)s->own)->table;
}

static wsr_status draw(wsr__pairs *pairs, wsr_search *s, size_t k,
                       wsr__rng *rng)
{
    (void)k;
    wsr__pairs_random(pairs, wsr__search_space(s), rng);
    return WSR_OK;
}

static void keep(wsr_search *s, size_t k, const wsr__pairs *pairs,
                 double objective)
{
    best *const b = s->own;
    (void)k;
    if (b->known == 0 || objective < b->objective) {
        *b = (best){*pairs, objective, 1, b->table};
    }
}

static wsr_status evaluate(wsr_search *s, wsr__run *run)
{
    static const wsr__pairs_walk walk = {WSR__SAMPLE_EVALUATE, draw, keep};
    return wsr__pairs_evaluate(s, run, &walk);
}

static wsr_status update_alphas(wsr_search *s, wsr__run *run)
{
    const best *const b = s->own;
    (void)run;
    wsr__pairs_table(b->table, &b->pairs, wsr__search_space(s));
    return WSR_OK;
}

enum { STATES = 3 };

static size_t states(const wsr_search *s)
{
    (void)s;
    return STATES;
}

static wsr__state state(const wsr_search *s, size_t i)
{
    best *const b = s->own;
    const wsr__state all[STATES] = {
        {"best.known", WSR__STATE_I64, &b->known, 1},
        {"best.pairs", WSR__STATE_U32, &b->pairs, WSR__PAIRS_NUMBERS},
        {"best.objective", WSR__STATE_F64, &b->objective, 1}};
    return all[i];
}

static wsr_status check(const wsr_search *s, const wsr__st *st)
{
    const best *const b = s->own;
    if (b->known == 0) {
        return WSR_OK;
    }
    if (!wsr__pairs_valid(&b->pairs, wsr__search_space(s))) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: the best architecture has an edge or "
                        "a candidate that the space does not have",
                        wsr__st_path(st));
    }
    wsr__pairs_table(b->table, &b->pairs, wsr__search_space(s));
    return WSR_OK;
}

const wsr__searcher_class wsr__searcher_rsws = {
    .super = {"rsws", "the best of random architectures, with shared weights",
              "Li and Talwalkar 2019, arXiv:1902.07638", NULL, 0},
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
