// SPDX-License-Identifier: Apache-2.0
//
// How well the predictor ranks architectures that it never saw: some are
// sampled and evaluated as an epoch's own, but nothing remembers them, and they
// leave no trace in the search. For the log.

#include "search/search.h"

#include <string.h>

static wsr_status evaluate(const wsr__holdout *to, wsr_search *s,
                           wsr__path *path, size_t k)
{
    wsr_status status = WSR_OK;
    double losses[WSR__SLOTS];
    double predicted[WSR__SLOTS];
    wsr__path_sample(path, s, wsr__search_serial(s) << 32 | k,
                     WSR__SAMPLE_HOLDOUT);
    WSR_TRY(s->evaluator(losses, s, path, WSR__EVALUATE_FIXED_STATS));
    WSR_TRY(wsr_predictor_run(predicted, s->predictor, path->weights, 1));
    const size_t floats = s->arch.rows * s->arch.cols;
    memcpy(to->tables + k * floats, path->weights,
           floats * sizeof(*to->tables));
    for (size_t i = 0; i <= wsr__search_slots(s); i++) {
        to->predicted[i * to->n + k] = predicted[i];
        to->measured[i * to->n + k] = losses[i];
    }
out:
    return status;
}

wsr_status wsr__holdout_tau(double tau[3], const wsr_search *s, const double *a,
                            const double *b, size_t n)
{
    tau[0] = wsr_kendall_tau(a, b, n);
    return wsr_kendall_tau_interval(tau + 1, a, b, n,
                                    s->seed + wsr__search_serial(s));
}

void wsr__holdout_log(wsr__json *line, const wsr_search *s, size_t slot,
                      const double tau[3])
{
    static const char *const ends[] = {"tau", "low", "high"};
    char loss[48] = "clean";
    if (slot > 0) {
        (void)snprintf(loss, sizeof(loss), "eps_%g",
                       wsr__search_slot_eps(s, slot - 1));
    }
    for (size_t k = 0; k < 3; k++) {
        char key[72];
        (void)snprintf(key, sizeof(key), "holdout_%s_%s", loss, ends[k]);
        wsr__json_number(line, key, tau[k]);
    }
}

static wsr_status correlate(wsr_search *s, const wsr__holdout *from)
{
    wsr_status status = WSR_OK;
    const size_t n = from->n;
    for (size_t i = 0; i <= wsr__search_slots(s); i++) {
        WSR_TRY(wsr__holdout_tau(s->holdout[i], s, from->predicted + i * n,
                                 from->measured + i * n, n));
    }
out:
    return status;
}

wsr_status wsr__search_holdout(wsr_search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    wsr__path path = {0};
    const size_t n = (size_t)s->params.holdout_architectures;
    const wsr__passes counted = s->counted;
    if (n == 0) {
        return WSR_OK;
    }
    const wsr__holdout all = {
        n, wsr__alloc(n * s->arch.rows * s->arch.cols, sizeof(float)),
        wsr__alloc(n * WSR__SLOTS, sizeof(double)),
        wsr__alloc(n * WSR__SLOTS, sizeof(double))};
    if (all.tables == NULL || all.predicted == NULL || all.measured == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(wsr__path_new(&path, &s->arch));
    for (size_t k = 0; k < n; k++) {
        WSR_TRY(evaluate(&all, s, &path, k));
        WSR_TRY(wsr__run_progress(run, wsr__phase_names[s->phase], k + 1, n,
                                  "evaluating held-out architectures"));
    }
    WSR_TRY(correlate(s, &all));
    WSR_TRY(wsr__rivals_compare(s, run, &all));
    s->counted = counted; // they are not the searcher's work
out:
    wsr__path_free(&path);
    wsr__free(all.tables);
    wsr__free(all.predicted);
    wsr__free(all.measured);
    return status;
}
