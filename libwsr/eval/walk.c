// SPDX-License-Identifier: Apache-2.0
//
// Takes an evaluation step by step to its end inside a run: tells the run's
// hook how far it is before every pass through the model, logs what every
// member of a combination left robust, and saves what is done. Evaluations as
// runs and the evaluations at the end of other runs share it.

#include "eval/eval.h"

#include <string.h>

// AutoAttack prints the same after each of its members.
static wsr_status log_member(wsr__run *run, const wsr_attack_progress *p)
{
    wsr_status status = WSR_OK;
    wsr__json *line = NULL;
    wsr__log(
        WSR_LOG_INFO, "%s at %.4g, images %llu to %llu: %zu robust after %s",
        p->attack, (double)p->eps, (unsigned long long)p->first,
        (unsigned long long)(p->first + p->images - 1), p->robust, p->member);
    WSR_TRY(wsr__run_log_begin(&line, run->log, "member"));
    wsr__json_text(line, "attack", p->attack);
    wsr__json_text(line, "member", p->member);
    wsr__json_float(line, "eps", p->eps);
    wsr__json_integer(line, "first", (int64_t)p->first);
    wsr__json_integer(line, "count", (int64_t)p->images);
    wsr__json_integer(line, "robust", (int64_t)p->robust);
    WSR_TRY(wsr__run_log_end(run->log));
out:
    return status;
}

// Saves when there is something new and 15 seconds have passed.
static wsr_status save_now_and_then(wsr__eval_watch *w, size_t savepoints)
{
    const double apart = 15; // seconds
    if (savepoints == w->savepoints || wsr__seconds() - w->saved < apart) {
        return WSR_OK;
    }
    w->saved = wsr__seconds();
    w->savepoints = savepoints;
    return w->save(w->ctx);
}

// Progress of the run from the progress of the evaluation.
static wsr_status tell(const wsr__eval_watch *w,
                       const wsr_eval_progress *progress)
{
    char note[96];
    const wsr_attack_progress *const p = progress->attack;
    (void)snprintf(note, sizeof(note), "%s at %.4g",
                   p->member != NULL ? p->member : p->attack, (double)p->eps);
    const wsr_progress told = {.phase = "eval",
                               .step = progress->step,
                               .steps = progress->steps,
                               .done = progress->done,
                               .note = note};
    return wsr__run_tell(w->run, &told);
}

static wsr_status observe(wsr__eval_watch *w, const wsr_eval_progress *progress)
{
    wsr_status status = WSR_OK;
    if (progress->attack->member_done) {
        WSR_TRY(log_member(w->run, progress->attack));
    }
    WSR_TRY(tell(w, progress));
    if (w->between != NULL) {
        WSR_TRY(w->between(w->ctx));
    }
    WSR_TRY(save_now_and_then(w, progress->savepoints));
out:
    return status;
}

// The error line is copied, since the code between here and step() may write
// another.
static bool on_pass(const wsr_eval_progress *progress, void *user)
{
    wsr__eval_watch *const w = user;
    w->status = observe(w, progress);
    if (w->status != WSR_OK) {
        (void)snprintf(w->detail, sizeof(w->detail), "%s", wsr_error_detail());
    }
    return w->status == WSR_OK;
}

// An evaluation that is stopped returns WSR_CANCELED; the reason is the status
// of the hook.
static wsr_status step(const wsr__eval_watch *w)
{
    const wsr_status status = wsr_eval_step(w->eval);
    return w->status == WSR_OK ? status : WSR_FAIL(w->status, "%s", w->detail);
}

wsr_status wsr__eval_watched_step(wsr__eval_watch *w)
{
    wsr_status status = WSR_OK;
    wsr_eval_set_hook(w->eval, on_pass, w);
    WSR_TRY(step(w));
    const wsr_progress told = {.phase = "eval",
                               .step = wsr_eval_position(w->eval),
                               .steps = wsr_eval_steps(w->eval),
                               .done = wsr__eval_part_done(w->eval),
                               .note = ""};
    WSR_TRY(wsr__run_tell(w->run, &told));
out:
    return status;
}

void wsr__eval_unwatch(wsr__eval_watch *watch)
{
    wsr_eval_set_hook(watch->eval, NULL, NULL);
}

wsr_status wsr__eval_walk(wsr_eval *eval, wsr__run *run, wsr__eval_saver save,
                          void *ctx)
{
    wsr_status status = WSR_OK;
    wsr__eval_watch w = {.eval = eval,
                         .run = run,
                         .save = save,
                         .ctx = ctx,
                         .saved = wsr__seconds()};
    if (wsr__comm_many()) {
        return wsr__eval_walk_ranks(eval, run, save, ctx);
    }
    while (wsr_eval_position(eval) < wsr_eval_steps(eval)) {
        WSR_TRY(wsr__eval_watched_step(&w));
    }
out:
    wsr__eval_unwatch(&w);
    return status;
}
