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
static uint64_t path_serial(const wsr_search *s)
{
    return s->phase == WSR_PHASE_POPULATION ? s->epoch : wsr__search_serial(s);
}

// A resumed epoch keeps the sums of the batches that were done, but not their
// times.
static wsr_status begin_epoch(wsr_search *s)
{
    if (s->quirks.path_per_epoch) {
        wsr__path_sample(&s->path, s, path_serial(s), WSR__SAMPLE_TRAIN);
    }
    if (s->stage == WSR__STAGE_TRAIN && s->batch == 0) {
        s->loss = 0;
        s->correct = 0;
        s->seen = 0;
    }
    memset(s->seconds, 0, sizeof(s->seconds));
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

// Results of the epoch's evaluation. In the warm-up there is none.
static void add_evaluation(const wsr_search *s, wsr__json *line)
{
    if (s->phase == WSR_PHASE_WARM_UP || s->cls->untrained) {
        return;
    }
    add_losses(s, line, "loss", s->losses);
    if (!s->cls->estimates) {
        return;
    }
    if (s->params.random_baseline > 0) {
        add_losses(s, line, "random_baseline", s->baseline_losses);
    }
    wsr__json_number(line, "estimator_loss", s->estimator_loss);
    wsr__json_number(line, "predictor_loss", s->predictor_loss);
    wsr__json_number(line, "rank_correlation", s->correlation);
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

// Whether a stage has anything to do in a phase.
static bool has_stage(const wsr_search *s, wsr_phase phase,
                      wsr__search_stage stage)
{
    switch (stage) {
    case WSR__STAGE_TRAIN:
        return !s->cls->untrained;
    case WSR__STAGE_EVALUATE:
        return phase != WSR_PHASE_WARM_UP && s->cls->evaluate != NULL;
    default:
        return phase != WSR_PHASE_WARM_UP;
    }
}

// Passes of images through paths of the supernet in a stage of an epoch. What
// is no pass, the training of estimator and predictor, is not counted.
static double stage_passes(const wsr_search *s, wsr_phase phase,
                           wsr__search_stage stage)
{
    const wsr__search_params *const p = &s->params;
    const double batch = (double)p->batch;
    const double attack = (double)p->attack_steps;
    const double sources = (double)p->sources.n;
    const double held_out = batch * (double)wsr__search_batches(s);
    const double slots = (double)wsr__search_slots(s);
    if (!has_stage(s, phase, stage)) {
        return 0;
    }
    if (stage == WSR__STAGE_TRAIN) {
        return batch * (double)wsr__search_train_batches(s) * (attack + 1);
    }
    if (stage == WSR__STAGE_EVALUATE) {
        const double stored = batch * (double)p->estimator_batches;
        const double paths = (double)(p->architectures + p->random_baseline);
        return paths * held_out * (1 + sources * attack + slots) +
               (double)p->architectures * stored * (sources + 1) * attack;
    }
    return s->cls->estimates || phase != WSR_PHASE_SEARCH
               ? 0
               : held_out * (1 + slots * (attack + 1));
}

// Passes of all stages of an epoch in a phase.
static double epoch_passes(const wsr_search *s, wsr_phase phase)
{
    double sum = 0;
    for (int i = 0; i <= (int)WSR__STAGE_UPDATE; i++) {
        sum += stage_passes(s, phase, (wsr__search_stage)i);
    }
    return sum;
}

double wsr__search_passes(const wsr_search *s)
{
    double sum = 0;
    for (int p = 0; p < (int)WSR_PHASE_DONE; p++) {
        sum += (double)wsr__phase_epochs(s, (wsr_phase)p) *
               epoch_passes(s, (wsr_phase)p);
    }
    return sum;
}

// The fraction of the whole search that the current stage is, for progress.
static void span_stage(const wsr_search *s, wsr__run *run)
{
    const double all = wsr__search_passes(s);
    double done = (double)s->epoch * epoch_passes(s, s->phase);
    for (int p = 0; p < (int)s->phase; p++) {
        done += (double)wsr__phase_epochs(s, (wsr_phase)p) *
                epoch_passes(s, (wsr_phase)p);
    }
    for (int i = 0; i < (int)s->stage; i++) {
        done += stage_passes(s, s->phase, (wsr__search_stage)i);
    }
    const double stage = stage_passes(s, s->phase, s->stage);
    if (all > 0) {
        wsr__run_span(run, done / all, (done + stage) / all);
    }
}

// Searchers (the family) choose how to evaluate and to update.
static wsr_status run_stage(wsr_search *s, wsr__run *run)
{
    span_stage(s, run);
    switch (s->stage) {
    case WSR__STAGE_TRAIN:
        return wsr__search_train_supernet(s, run);
    case WSR__STAGE_EVALUATE:
        return s->cls->evaluate(s, run);
    default:
        return s->cls->update_alphas(s, run);
    }
}

// The stages in turn, from the one at which a resumed run stands. A search
// without a log is one in the hands of a program.
static wsr_status run_epoch(wsr_search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    const double start = wsr__seconds();
    WSR_TRY(begin_epoch(s));
    while (s->stage < WSR__STAGE_UPDATE || has_stage(s, s->phase, s->stage)) {
        if (has_stage(s, s->phase, s->stage)) {
            WSR_TRY(run_stage(s, run));
        }
        if (s->stage == WSR__STAGE_UPDATE) {
            break;
        }
        s->stage++;
        s->batch = 0;
        if (has_stage(s, s->phase, s->stage)) {
            WSR_TRY(wsr__run_checkpoint(run));
        }
    }
    if (run->log != NULL) {
        WSR_TRY(log_epoch(s, run, start));
        if (s->phase == WSR_PHASE_SEARCH) {
            WSR_TRY(log_genotype(s, run));
        }
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
