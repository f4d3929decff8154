// SPDX-License-Identifier: Apache-2.0
//
// The genotype by prediction (search.derive=predicted): of the genotype of the
// alphas and of random ones the one whose predicted objective is lowest. The
// alphas are the product of a distribution for each edge; what is good together
// they do not tell. The random genotypes are the same in every epoch, so that
// the choice follows from the predictor, which checkpoints hold.

#include "search/search.h"

#include <string.h>

enum { AT_ONCE = 64 }; // genotypes that are predicted

// Tables of genotypes number `first` and up; number 0 is that of the alphas.
static wsr_status draw(float *tables, const wsr_search *s, size_t first,
                       size_t n)
{
    wsr_status status = WSR_OK;
    const wsr__space_class *const space = wsr__search_space(s);
    for (size_t i = 0; i < n; i++) {
        wsr__pairs pairs;
        wsr__rng rng = wsr__rng_at(s->seed, WSR__RNG_GUMBEL, first + i,
                                   WSR__SAMPLE_DERIVE);
        wsr__pairs_random(&pairs, space, &rng);
        if (first + i == 0) {
            WSR_TRY(wsr__pairs_derive(&pairs, space, s->alphas));
        }
        wsr__pairs_table(tables + i * s->arch.rows * s->arch.cols, &pairs,
                         space);
    }
out:
    return status;
}

// Keeps the best of `n` tables in s->best.
static wsr_status take_best(double *least, wsr_search *s, const float *tables,
                            size_t n)
{
    wsr_status status = WSR_OK;
    const size_t heads = 1 + wsr__search_slots(s);
    const size_t floats = s->arch.rows * s->arch.cols;
    double losses[AT_ONCE * WSR__SLOTS];
    WSR_TRY(wsr_predictor_run(losses, s->predictor, tables, AT_ONCE));
    for (size_t i = 0; i < n; i++) {
        const double objective = wsr_search_objective(s, losses + i * heads);
        if (s->best == NULL || objective < *least) {
            s->best = s->best_room;
            memcpy(s->best, tables + i * floats, floats * sizeof(*tables));
            *least = objective;
        }
    }
out:
    return status;
}

wsr_status wsr__search_choose_best(wsr_search *s)
{
    wsr_status status = WSR_OK;
    const size_t floats = s->arch.rows * s->arch.cols;
    const size_t all = 1 + (size_t)s->params.derive_samples;
    float *tables = NULL;
    double least = 0;
    if (s->best_room == NULL) {
        return WSR_OK;
    }
    tables = wsr__alloc(AT_ONCE * floats, sizeof(*tables));
    WSR_TRY(tables == NULL ? WSR_NOMEM : WSR_OK);
    s->best = NULL;
    for (size_t first = 0; first < all; first += AT_ONCE) {
        const size_t n = all - first < AT_ONCE ? all - first : AT_ONCE;
        WSR_TRY(draw(tables, s, first, n));
        WSR_TRY(take_best(&least, s, tables, n));
    }
out:
    wsr__free(tables);
    return status;
}

// Searchers without a predictor have nothing to choose by, and those that keep
// the best of what they have evaluated derive from that.
wsr_status wsr__search_prepare_best(wsr_search *s)
{
    if (!wsr__streq(s->params.derive.s, "predicted")) {
        return WSR_OK;
    }
    if (!s->cls->estimates || s->cls->table != NULL) {
        return WSR_FAIL(WSR_CONFIG,
                        "search.derive: %s does not derive from alphas with a "
                        "predictor, wsr_nas and evolution do",
                        s->cls->super.name);
    }
    s->best_room =
        wsr__alloc(s->arch.rows * s->arch.cols, sizeof(*s->best_room));
    return s->best_room == NULL ? WSR_NOMEM : WSR_OK;
}
