// SPDX-License-Identifier: Apache-2.0
//
// The loop of a search over phases, epochs and the three stages of an epoch:
// train the supernet, evaluate architectures, update the alphas.
//
// A checkpoint is written after every stage, and inside the training of the
// supernet when the caller stops the run. An interrupted stage of another kind
// starts again. So results do not depend on where a run was interrupted.

#include "search/search.h"

#include <string.h>

size_t wsr__phase_epochs(const wsr_search *s, wsr_phase phase)
{
    const int64_t epochs[] = {s->params.warm_up, s->params.population,
                              s->params.epochs, 0};
    return (size_t)epochs[phase];
}

// Number of an epoch over all phases, a counter for random numbers.
uint64_t wsr__search_serial(const wsr_search *s)
{
    uint64_t serial = s->epoch;
    for (int p = 0; p < (int)s->phase; p++) {
        serial += wsr__phase_epochs(s, (wsr_phase)p);
    }
    return serial;
}

// In the released code the population phase samples the same paths as the
// warm-up.
uint64_t wsr__search_path_serial(const wsr_search *s)
{
    return s->phase == WSR_PHASE_POPULATION ? s->epoch : wsr__search_serial(s);
}

// A resumed epoch keeps the sums of the batches that were done, but not their
// times.
static wsr_status begin_epoch(wsr_search *s)
{
    if (s->quirks.path_per_epoch) {
        const wsr_status status = wsr__search_sample_path(
            s, wsr__search_path_serial(s), wsr__search_serial(s));
        if (status != WSR_OK) {
            return status;
        }
    }
    if (s->stage == WSR__STAGE_TRAIN && s->batch == 0) {
        s->loss = 0;
        s->correct = 0;
        s->seen = 0;
    }
    memset(s->seconds, 0, sizeof(s->seconds));
    s->counted = (wsr__passes){0, 0};
    return WSR_OK;
}

// Shares of the epoch's time, in the order of WSR__TIME_SUPERNET and the
// others.
static void add_times(const wsr_search *s, wsr__json *line)
{
    static const char *const names[WSR__TIMES] = {
        "time_supernet",  "time_plans",     "time_attack",
        "time_estimator", "time_predictor", "time_evaluation"};
    for (size_t i = 0; i < WSR__TIMES; i++) {
        wsr__json_number(line, names[i], s->seconds[i]);
    }
}

// Losses by strength, and the objective that the alphas minimise; `what`
// begins the keys.
static void add_losses(const wsr_search *s, wsr__json *line, const char *what,
                       const double *losses)
{
    char key[48];
    snprintf(key, sizeof(key), "%s_clean", what);
    wsr__json_number(line, key, losses[0]);
    for (size_t i = 0; i < wsr__search_slots(s); i++) {
        snprintf(key, sizeof(key), "%s_eps_%g", what,
                 wsr__search_slot_eps(s, i));
        wsr__json_number(line, key, losses[1 + i]);
    }
    snprintf(key, sizeof(key), "%s_objective", what);
    wsr__json_number(line, key, wsr_search_objective(s, losses));
}

// Rank correlation of each loss on held-out architectures, and its interval.
static void add_holdout(const wsr_search *s, wsr__json *line)
{
    for (size_t i = 0; i <= wsr__search_slots(s); i++) {
        wsr__holdout_log(line, s, i, s->holdout[i]);
    }
}

// Results of the epoch's evaluation. In the warm-up there is none.
static void add_evaluation(const wsr_search *s, wsr__json *line)
{
    if (s->phase == WSR_PHASE_WARM_UP || s->cls->untrained) {
        return;
    }
    add_losses(s, line, "loss", s->losses);
    if (s->params.random_baseline > 0) {
        add_losses(s, line, "random_baseline", s->baseline_losses);
    }
    if (!s->cls->estimates) {
        return;
    }
    wsr__json_number(line, "estimator_loss", s->estimator_loss);
    wsr__json_number(line, "predictor_loss", s->predictor_loss);
    wsr__json_number(line, "rank_correlation", s->correlation);
    if (s->params.holdout_architectures > 0) {
        add_holdout(s, line);
    }
}

// The work up to the end of this epoch, and whether the cells collapse.
static wsr_status add_course(const wsr_search *s, wsr__json *line)
{
    wsr_status status = WSR_OK;
    wsr__skips skips;
    const wsr__passes passes = wsr__search_passes_until(s, s->epoch + 1);
    wsr__json_number(line, "passes", passes.gradient);
    wsr__json_number(line, "forward_passes", passes.forward);
    WSR_TRY(wsr__search_skips(&skips, s));
    wsr__json_number(line, "skip_share", skips.genotype);
    wsr__json_number(line, "edges_skip_share", skips.edges);
    wsr__json_number(line, "edges_without_parameters_share",
                     skips.parameterless);
out:
    return status;
}

static wsr_status log_epoch(const wsr_search *s, wsr__run *run, double start)
{
    wsr_status status = WSR_OK;
    wsr__json *line = NULL;
    WSR_TRY(wsr__run_log_begin(&line, run->log, "epoch"));
    wsr__json_text(line, "phase", wsr__phase_names[s->phase]);
    wsr__json_integer(line, "epoch", (int64_t)s->epoch);
    wsr__json_number(line, "loss", s->seen > 0 ? s->loss / s->seen : 0);
    wsr__json_number(line, "accuracy", s->seen > 0 ? s->correct / s->seen : 0);
    wsr__json_number(line, "seconds", wsr__seconds() - start);
    add_times(s, line);
    add_evaluation(s, line);
    WSR_TRY(add_course(s, line));
    if (wsr__comm_many()) {
        const wsr__comm_cost cost = wsr__comm_spent();
        wsr__json_integer(line, "ranks", (int64_t)wsr_comm_size());
        wsr__json_number(line, "comm_seconds", cost.seconds);
        wsr__json_number(line, "comm_bytes", cost.bytes);
    }
    WSR_TRY(wsr__run_log_end(run->log));
out:
    return status;
}

// The genotype of the current alphas, so that a log shows how the cells
// change.
static wsr_status log_genotype(const wsr_search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    wsr_genotype *genotype = NULL;
    char *text = NULL;
    wsr__json *line = NULL;
    WSR_TRY(wsr_search_genotype(&genotype, s, "found"));
    WSR_TRY(wsr_genotype_print(&text, genotype));
    WSR_TRY(wsr__run_log_begin(&line, run->log, "genotype"));
    wsr__json_integer(line, "epoch", (int64_t)s->epoch);
    wsr__json_text(line, "text", text);
    WSR_TRY(wsr__run_log_end(run->log));
out:
    wsr_text_free(text);
    wsr_genotype_free(genotype);
    return status;
}

// Work of an epoch of a phase, up to a stage.
static double work_before(const wsr_search *s, wsr_phase phase, int stage)
{
    double sum = 0;
    for (int i = 0; i < stage; i++) {
        sum += wsr__stage_work(s, phase, (wsr__search_stage)i);
    }
    return sum;
}

// The fraction of the whole search that the current stage is, for progress.
static void span_stage(const wsr_search *s, wsr__run *run)
{
    enum { ALL = (int)WSR__STAGE_UPDATE + 1 };
    const double all = wsr__search_work(s);
    double done = (double)s->epoch * work_before(s, s->phase, ALL) +
                  work_before(s, s->phase, (int)s->stage);
    for (int p = 0; p < (int)s->phase; p++) {
        done += (double)wsr__phase_epochs(s, (wsr_phase)p) *
                work_before(s, (wsr_phase)p, ALL);
    }
    const double stage = wsr__stage_work(s, s->phase, s->stage);
    if (all > 0) {
        wsr__run_span(run, done / all, (done + stage) / all);
    }
}

// Searchers (the family) choose how to evaluate and to update.
static wsr_status run_stage(wsr_search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    span_stage(s, run);
    switch (s->stage) {
    case WSR__STAGE_TRAIN:
        return wsr__search_train_supernet(s, run);
    case WSR__STAGE_EVALUATE:
        return s->cls->evaluate(s, run);
    default:
        WSR_TRY(wsr__search_baseline(s, run));
        WSR_TRY(s->cls->update_alphas(s, run));
        if (s->phase == WSR_PHASE_SEARCH) {
            WSR_TRY(wsr__search_choose_best(s));
            WSR_TRY(wsr__search_measure_best(s, run));
        }
    }
out:
    return status;
}

// The stages in turn, from the one at which a resumed run stands. A search
// without a log is one in the hands of a program.
static wsr_status run_epoch(wsr_search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    const double start = wsr__seconds();
    WSR_TRY(begin_epoch(s));
    while (s->stage < WSR__STAGE_UPDATE ||
           wsr__search_has_stage(s, s->phase, s->stage)) {
        if (wsr__search_has_stage(s, s->phase, s->stage)) {
            WSR_TRY(run_stage(s, run));
        }
        if (s->stage == WSR__STAGE_UPDATE) {
            break;
        }
        s->stage++;
        s->batch = 0;
        if (wsr__search_has_stage(s, s->phase, s->stage)) {
            WSR_TRY(wsr__run_checkpoint(run));
        }
    }
    if (run->log != NULL) {
        WSR_TRY(log_epoch(s, run, start));
        if (s->phase == WSR_PHASE_SEARCH) {
            WSR_TRY(log_genotype(s, run));
        }
        WSR_TRY(wsr__search_rank(s, run));
    }
out:
    return status;
}

// Goes to the next phase with epochs, or to the end.
void wsr__search_advance(wsr_search *s)
{
    while (s->phase != WSR_PHASE_DONE &&
           s->epoch >= wsr__phase_epochs(s, s->phase)) {
        s->phase++;
        s->epoch = 0;
    }
}

wsr_status wsr__search_run_epoch(wsr_search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    wsr__search_advance(s);
    if (s->phase == WSR_PHASE_DONE) {
        return WSR_OK;
    }
    WSR_TRY(run_epoch(s, run));
    s->epoch++;
    s->stage = WSR__STAGE_TRAIN;
    s->batch = 0;
    WSR_TRY(wsr__run_checkpoint(run));
out:
    return status;
}

wsr_status wsr__search_loop(wsr_search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    while (s->phase != WSR_PHASE_DONE) {
        WSR_TRY(wsr__search_run_epoch(s, run));
        wsr__search_advance(s);
    }
out:
    return status;
}
