// SPDX-License-Identifier: Apache-2.0
//
// Takes a measure of an evaluation run to its end: progress before each step, a
// checkpoint now and then, and the results in the log. What is complete is also
// logged when the run is stopped.

#include "eval/measure.h"

// ---------------------------------------------------------------- measures

static size_t corruption_steps(const void *self)
{
    return wsr_corruption_eval_steps(self);
}

static size_t corruption_position(const void *self)
{
    return wsr_corruption_eval_position(self);
}

static wsr_status corruption_step(void *self)
{
    return wsr_corruption_eval_step(self);
}

static void corruption_note(char out[WSR__MEASURE_NOTE], const void *self)
{
    wsr__corruption_eval_note(out, self);
}

static wsr_status corruption_json(char **out, const void *self)
{
    return wsr_corruption_eval_json(out, self);
}

static wsr_status corruption_save(wsr__st_builder *builder, const void *self)
{
    return wsr__corruption_eval_save(builder, self);
}

static wsr_status corruption_load(void *self, const wsr__st *checkpoint)
{
    return wsr__corruption_eval_load(self, checkpoint);
}

static double corruption_bytes(const void *self)
{
    return wsr__corruption_eval_bytes(self);
}

static double corruption_passes(const void *self)
{
    return wsr__corruption_eval_passes(self);
}

static void corruption_free(void *self)
{
    wsr_corruption_eval_free(self);
}

const wsr__measure_class wsr__measure_corruption = {
    .phase = "corruption",
    .steps = corruption_steps,
    .position = corruption_position,
    .step = corruption_step,
    .note = corruption_note,
    .json = corruption_json,
    .save = corruption_save,
    .load = corruption_load,
    .bytes = corruption_bytes,
    .passes = corruption_passes,
    .free = corruption_free,
};

static size_t hessian_steps(const void *self)
{
    return wsr_hessian_steps(self);
}

static size_t hessian_position(const void *self)
{
    return wsr_hessian_position(self);
}

static wsr_status hessian_step(void *self)
{
    return wsr_hessian_step(self);
}

static void hessian_watch(void *self, wsr_status (*watch)(void *ctx), void *ctx)
{
    wsr__hessian_set_watch(self, watch, ctx);
}

static void hessian_note(char out[WSR__MEASURE_NOTE], const void *self)
{
    wsr__hessian_note(out, self);
}

static wsr_status hessian_json(char **out, const void *self)
{
    return wsr_hessian_json(out, self);
}

static wsr_status hessian_save(wsr__st_builder *builder, const void *self)
{
    return wsr__hessian_save(builder, self);
}

static wsr_status hessian_load(void *self, const wsr__st *checkpoint)
{
    return wsr__hessian_restore(self, checkpoint);
}

static double hessian_bytes(const void *self)
{
    return wsr__hessian_bytes(self);
}

static double hessian_passes(const void *self)
{
    return wsr__hessian_passes(self);
}

static void hessian_free(void *self)
{
    wsr_hessian_free(self);
}

const wsr__measure_class wsr__measure_hessian = {
    .phase = "hessian",
    .steps = hessian_steps,
    .position = hessian_position,
    .step = hessian_step,
    .watch = hessian_watch,
    .note = hessian_note,
    .json = hessian_json,
    .save = hessian_save,
    .load = hessian_load,
    .bytes = hessian_bytes,
    .passes = hessian_passes,
    .free = hessian_free,
};

// ------------------------------------------------------------------ working

// A measure and the run in which it is made.
typedef struct scene {
    const wsr__measure *measure;
    wsr__run *run;
} scene;

// Also the watch inside of a step.
static wsr_status tell(void *ctx)
{
    const scene *const s = ctx;
    const wsr__measure *const m = s->measure;
    char note[WSR__MEASURE_NOTE] = "";
    const size_t steps = m->cls->steps(m->self);
    const size_t position = m->cls->position(m->self);
    if (position < steps) {
        m->cls->note(note, m->self);
    }
    const wsr_progress told = {.phase = m->cls->phase,
                               .step = position,
                               .steps = steps,
                               .done = (double)position / (double)steps,
                               .note = note};
    return wsr__run_tell(s->run, &told);
}

static wsr_status log_results(wsr__run *run, const wsr__measure *m)
{
    char *lines = NULL;
    wsr_status status = m->cls->json(&lines, m->self);
    if (status == WSR_OK) {
        status = wsr__run_log_text(run->log, lines);
    }
    wsr_text_free(lines);
    return status;
}

static wsr_status walk(const wsr__measure *m, wsr__run *run)
{
    wsr_status status = WSR_OK;
    const size_t steps = m->cls->steps(m->self);
    double saved = wsr__seconds();
    scene s = {m, run};
    if (m->cls->watch != NULL) {
        m->cls->watch(m->self, tell, &s);
    }
    while (m->cls->position(m->self) < steps) {
        WSR_TRY(tell(&s));
        WSR_TRY(m->cls->step(m->self));
        WSR_TRY(wsr__run_checkpoint_now_and_then(run, &saved));
    }
    WSR_TRY(tell(&s));
out:
    if (m->cls->watch != NULL) {
        m->cls->watch(m->self, NULL, NULL);
    }
    return status;
}

// The checkpoint comes first, so that a resumed run drops the lines of partial
// results.
static wsr_status keep_part(wsr_status failure, const wsr__measure *m,
                            wsr__run *run)
{
    wsr_status status = WSR_OK;
    char reason[512];
    (void)snprintf(reason, sizeof(reason), "%s", wsr_error_detail());
    WSR_TRY(wsr__run_checkpoint(run));
    WSR_TRY(log_results(run, m));
out:
    return status == WSR_OK
               ? WSR_FAIL(failure, "%s", reason)
               : WSR_FAIL(failure, "%s (and its results could not be kept)",
                          reason);
}

wsr_status wsr__measure_run(const wsr__measure *measure, wsr__run *run)
{
    const wsr_status status = walk(measure, run);
    return status == WSR_OK ? log_results(run, measure)
                            : keep_part(status, measure, run);
}
