// SPDX-License-Identifier: Apache-2.0
//
// Random architectures beside those of a searcher, with the same shared
// weights on the same images: in every epoch, and once for the genotype that
// was found (Li and Talwalkar, arXiv:1902.07638). Both are for the log alone.

#include "search/search.h"

#include <math.h>
#include <string.h>

// A random architecture of the kind that the searcher evaluates.
static void draw(wsr__path *path, const wsr_search *s, size_t k)
{
    const uint64_t key = wsr__search_serial(s) << 32 | k;
    if (!s->cls->pairs) {
        wsr__path_uniform(path, s, key);
        return;
    }
    wsr__pairs pairs;
    wsr__rng rng =
        wsr__rng_at(s->seed, WSR__RNG_GUMBEL, key, WSR__SAMPLE_BASELINE);
    wsr__pairs_random(&pairs, wsr__search_space(s), &rng);
    wsr__pairs_path(path, &pairs, wsr__search_space(s));
}

wsr_status wsr__search_baseline(wsr_search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    const size_t n = (size_t)s->params.random_baseline;
    wsr__path path = {0};
    const wsr__passes counted = s->counted;
    WSR_TRY(wsr__path_new(&path, &s->arch));
    memset(s->baseline_losses, 0, sizeof(s->baseline_losses));
    for (size_t k = 0; k < n && !s->cls->untrained; k++) {
        double losses[WSR__SLOTS];
        draw(&path, s, k);
        WSR_TRY(s->evaluator(losses, s, &path, WSR__EVALUATE_FIXED_STATS));
        for (size_t i = 0; i <= wsr__search_slots(s); i++) {
            s->baseline_losses[i] += losses[i] / (double)n;
        }
        WSR_TRY(wsr__run_progress(run, wsr__phase_names[s->phase], k + 1, n,
                                  "evaluating random architectures"));
    }
    s->counted = counted; // they are not the searcher's work
out:
    wsr__path_free(&path);
    return status;
}

// ------------------------------------------------------- what was found

// Objectives of the found architecture and of n random ones.
typedef struct measured {
    double found;
    double mean;  // of the random ones
    double error; // standard error of the mean
    double lower; // how many of them are better than the found one
} measured;

// Every strength is attacked, also where the searcher estimates: otherwise
// searchers could not be compared.
static wsr_status objective_of(double *objective, wsr_search *s,
                               wsr__path *path, const wsr__pairs *pairs)
{
    wsr_status status = WSR_OK;
    double losses[WSR__SLOTS];
    wsr__pairs_path(path, pairs, wsr__search_space(s));
    WSR_TRY(s->evaluator(losses, s, path, WSR__EVALUATE_BY_ATTACKS));
    *objective = wsr_search_objective(s, losses);
out:
    return status;
}

// The deviation is that of the random architectures (n - 1).
static wsr_status measure(measured *m, wsr_search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    const size_t n = (size_t)s->params.random_baseline;
    wsr__path path = {0};
    wsr__pairs pairs;
    double squares = 0;
    *m = (measured){0};
    WSR_TRY(wsr__path_new(&path, &s->arch));
    WSR_TRY(
        wsr__pairs_derive(&pairs, wsr__search_space(s), wsr__search_table(s)));
    WSR_TRY(objective_of(&m->found, s, &path, &pairs));
    for (size_t k = 0; k < n; k++) {
        double objective = 0;
        wsr__rng rng = wsr__rng_at(s->seed, WSR__RNG_GUMBEL,
                                   wsr__search_serial(s) << 32 | k,
                                   WSR__SAMPLE_BASELINE);
        wsr__pairs_random(&pairs, wsr__search_space(s), &rng);
        WSR_TRY(objective_of(&objective, s, &path, &pairs));
        const double change = objective - m->mean;
        m->mean += change / (double)(k + 1);
        squares += change * (objective - m->mean);
        m->lower += objective < m->found ? 1 : 0;
        WSR_TRY(wsr__run_progress(run, "found", k + 1, n,
                                  "evaluating random genotypes"));
    }
    m->error = n > 1 ? sqrt(squares / (double)(n - 1) / (double)n)
                     : (double)NAN;
out:
    wsr__path_free(&path);
    return status;
}

static wsr_status log_rank(wsr_search *s, wsr__json *line)
{
    static const char *const names[WSR__LOOKUP_RANK] = {
        "table_clean", "table_robust", "table_percentile", "table_best"};
    double values[WSR__LOOKUP_RANK];
    const wsr_status status = wsr__lookup_rank(values, s);
    for (size_t i = 0; status == WSR_OK && i < WSR__LOOKUP_RANK; i++) {
        wsr__json_number(line, names[i], values[i]);
    }
    return status;
}

wsr_status wsr__search_compare_found(wsr_search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    const wsr__passes passes = wsr__search_passes_until(s, s->epoch);
    measured m = {0};
    wsr__json *line = NULL;
    if (s->params.random_baseline > 0 && !s->cls->untrained) {
        WSR_TRY(measure(&m, s, run));
    }
    WSR_TRY(wsr__run_log_begin(&line, run->log, "found"));
    wsr__json_text(line, "searcher", s->cls->super.name);
    if (s->params.random_baseline > 0 && !s->cls->untrained) {
        wsr__json_number(line, "objective", m.found);
        wsr__json_number(line, "random_baseline_objective", m.mean);
        wsr__json_number(line, "random_baseline_error", m.error);
        wsr__json_integer(line, "random_baseline_better", (int64_t)m.lower);
    }
    if (s->lookup != NULL) {
        WSR_TRY(log_rank(s, line));
    }
    wsr__json_number(line, "passes", passes.gradient);
    wsr__json_number(line, "forward_passes", passes.forward);
    WSR_TRY(wsr__run_log_end(run->log));
out:
    return status;
}
