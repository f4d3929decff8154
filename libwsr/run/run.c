// SPDX-License-Identifier: Apache-2.0
//
// The course of every run. A new run is decoded, prepared and checked before
// its folder is made, so that an error leaves nothing on the disk. A resumed
// run takes its configuration from the folder. Both then go through the stages
// of the method; a stage skips what the checkpoint says is done.

#include "run/run.h"

#include <string.h>

enum { COMMON, HELP_WIDTH = 80 };

#define AT(field) offsetof(wsr__run_common, field)

const wsr__option wsr__run_common_schema[] = {
    {"seed", WSR__INT, AT(seed), "0", 0, 9007199254740991.0, "",
     "of all random numbers", NULL},
    {"threads", WSR__INT, AT(threads), "0", 0, 1024, "",
     "of the kernels, 0: as set before, by default all processors", NULL},
    {0},
};

// The state of a run from its configuration to its result. `self` is the
// method's own struct, which begins with wsr__run_self.
typedef struct course {
    const wsr__run_class *cls;
    wsr__run_self *self;
    wsr__section sections[WSR__RUN_SECTIONS];
    size_t n;
    wsr__run *run;
    wsr__st *checkpoint;
    uint64_t done; // 1: nothing is left to do
    bool begun;    // with the stages
} course;

// Allocates the method's struct and sets the defaults of all sections.
static wsr_status begin_course(course *c, const wsr__run_class *cls)
{
    *c = (course){.cls = cls, .self = wsr__alloc(1, cls->size)};
    if (c->self == NULL) {
        return WSR_NOMEM;
    }
    c->sections[COMMON] = (wsr__section){.prefix = "",
                                         .schema = wsr__run_common_schema,
                                         .params = &c->self->common};
    c->n = 1 + cls->n_sections;
    cls->sections(c->self, c->sections + 1);
    for (size_t i = 0; i < c->n; i++) {
        if (c->sections[i].schema != NULL) {
            wsr__params_default(c->sections[i].params, c->sections[i].schema);
        }
    }
    return WSR_OK;
}

// The method is freed first: it may borrow from the run.
static void end_course(course *c)
{
    if (c->self != NULL && c->cls->free != NULL) {
        c->cls->free(c->self);
    }
    wsr__st_free(c->checkpoint);
    wsr__run_close(c->run);
    wsr__sections_free(c->sections, c->n);
    wsr__free(c->self);
}

// Help needs the sections only, so no folder is opened.
wsr_status wsr__run_help(char **out, const wsr__run_class *cls,
                         const char *topic)
{
    course c;
    size_t n = 0;
    wsr_status status = WSR_OK;
    *out = NULL;
    WSR_TRY(begin_course(&c, cls));
    while (cls->families[n] != NULL) {
        n++;
    }
    const wsr__help help = {c.sections, c.n, cls->families, n, HELP_WIDTH};
    WSR_TRY(wsr__config_help_text(out, &help, topic));
out:
    end_course(&c);
    return status;
}

// ------------------------------------------------------------- checkpoints

// The checkpoint of the method, with a mark for a run that is complete.
static wsr_status save(wsr__st_builder *builder, void *ctx)
{
    const course *const c = ctx;
    const wsr_status status = wsr__st_add_u64(builder, "done", &c->done, 1);
    return status == WSR_OK ? c->cls->save(c->self, builder) : status;
}

static wsr_status load(course *c)
{
    const wsr_status status =
        wsr__st_read_u64(&c->done, c->checkpoint, "done", 1);
    return status == WSR_OK ? c->cls->load(c->self, c->checkpoint) : status;
}

// ----------------------------------------------------------------- starting

// Results depend on the number of threads in the last bits, so the number in
// force is written down.
static void adopt_threads(wsr__run_common *common)
{
    if (common->threads > 0) {
        wsr_set_threads((size_t)common->threads);
    }
    common->threads = (int64_t)wsr_threads();
}

static wsr_status decode(course *c, const wsr_config *config)
{
    wsr_status status = WSR_OK;
    if (config == NULL) {
        return WSR_FAIL(WSR_ARG, "config: is missing for a new run");
    }
    WSR_TRY(wsr__config_decode(config, c->sections, c->n));
    if (c->cls->decoded != NULL) {
        WSR_TRY(c->cls->decoded(c->self, config));
    }
out:
    return status;
}

// A run that needs a quarter of the memory or more says so in the log.
static void tell_needs(const wsr__needs *needs)
{
    const double gib = 1024.0 * 1024 * 1024;
    const double sum = wsr__needs_sum(needs);
    const double have = wsr__memory_available();
    const wsr__need *const most = wsr__needs_largest(needs);
    if (most != NULL && sum > have / 4) {
        wsr__log(WSR_LOG_INFO,
                 "memory: the run needs %.1f GiB, most of it (%.1f) for %s; "
                 "%.1f GiB are available",
                 sum / gib, most->bytes / gib, most->what, have / gib);
    }
}

static wsr_status check_needs(wsr__needs *needs, const course *c)
{
    *needs = (wsr__needs){0};
    if (c->cls->needs != NULL) {
        c->cls->needs(c->self, needs);
    }
    const wsr_folder *const folder = c->run->folder;
    const wsr_status status =
        wsr__needs_check(needs, folder == NULL ? NULL : folder->dir);
    if (status == WSR_OK) {
        tell_needs(needs);
    }
    return status;
}

static wsr_status log_start(const course *c, const wsr__needs *needs)
{
    wsr_status status = WSR_OK;
    wsr__json *line = NULL;
    WSR_TRY(wsr__run_log_begin(&line, c->run->log, "start"));
    wsr__json_text(line, "tool", c->cls->tool);
    wsr__json_text(line, "version", wsr_version());
    wsr__json_text(line, "build", wsr_build_info());
    wsr__json_integer(line, "threads", c->self->common.threads);
    if (wsr__comm_many()) {
        wsr__json_integer(line, "ranks", (int64_t)wsr_comm_size());
    }
    wsr__json_integer(line, "seed", c->self->common.seed);
    WSR_TRY(c->cls->describe(c->self, line));
    wsr__json_integer(line, "memory_bytes", (int64_t)wsr__needs_sum(needs));
    wsr__json_integer(line, "disk_bytes", (int64_t)needs->disk);
    WSR_TRY(wsr__run_log_end(c->run->log));
out:
    return status;
}

// config.yaml is written last: it marks a folder that can be resumed.
static wsr_status make_folder(const course *c)
{
    wsr_status status = WSR_OK;
    if (c->run->folder == NULL) {
        return WSR_OK;
    }
    WSR_TRY(wsr__run_make(c->run));
    if (c->cls->store != NULL) {
        WSR_TRY(c->cls->store(c->self, c->run));
    }
    WSR_TRY(wsr__run_store(c->run, c->sections, c->n));
out:
    return status;
}

// From the configuration to the first stage. The order matters: a new folder
// is made when everything else has worked.
static wsr_status start(course *c, const wsr_config *config, bool resume)
{
    wsr_status status = WSR_OK;
    wsr__needs needs;
    if (resume) {
        WSR_TRY(c->run->folder == NULL
                    ? WSR_OK
                    : wsr__folder_check_files(c->run->folder, c->cls->files));
        WSR_TRY(wsr__run_stored(c->run, c->sections, c->n, config));
    }
    adopt_threads(&c->self->common);
    WSR_TRY(c->cls->prepare(c->self, c->run, resume));
    WSR_TRY(check_needs(&needs, c));
    if (resume) {
        WSR_TRY(wsr__run_load(&c->checkpoint, c->run));
    } else {
        WSR_TRY(make_folder(c));
    }
    c->run->state = save;
    c->run->ctx = c;
    WSR_TRY(wsr__run_begin(c->run, c->checkpoint));
    if (c->checkpoint != NULL) {
        WSR_TRY(load(c));
    } else {
        WSR_TRY(log_start(c, &needs));
    }
out:
    return status;
}

// ------------------------------------------------------------------ working

static wsr_status log_done(const course *c, double seconds)
{
    wsr_status status = WSR_OK;
    wsr__json *line = NULL;
    WSR_TRY(wsr__run_log_begin(&line, c->run->log, "done"));
    wsr__json_float(line, "seconds", (float)seconds);
    WSR_TRY(wsr__run_log_end(c->run->log));
out:
    return status;
}

// Fractions of the run at which its stages begin and end, from the method's
// estimate of their work; equal without one.
static void divide(double ends[WSR__RUN_STAGES + 1], const course *c)
{
    double work[WSR__RUN_STAGES] = {0};
    double sum = 0;
    size_t n = 0;
    while (c->cls->stages[n] != NULL) {
        work[n++] = 1;
    }
    if (c->cls->work != NULL) {
        c->cls->work(c->self, work);
    }
    for (size_t i = 0; i < n; i++) {
        sum += work[i];
    }
    ends[0] = 0;
    for (size_t i = 0; i < n; i++) {
        ends[i + 1] = ends[i] + (sum > 0 ? work[i] / sum : 0);
    }
}

// A run that is complete restores its result instead of working. `done` is set
// before the last checkpoint, so that it is part of it.
static wsr_status work(course *c)
{
    wsr_status status = WSR_OK;
    const double begun = wsr__seconds();
    c->begun = true;
    if (c->done != 0) {
        return c->cls->restore != NULL ? c->cls->restore(c->self, c->run)
                                       : WSR_OK;
    }
    double ends[WSR__RUN_STAGES + 1];
    divide(ends, c);
    for (size_t i = 0; c->cls->stages[i] != NULL; i++) {
        c->run->stage[0] = ends[i];
        c->run->stage[1] = ends[i + 1];
        wsr__run_span(c->run, 0, 1);
        WSR_TRY(c->cls->stages[i](c->self, c->run));
    }
    WSR_TRY(wsr__comm_agree(log_done(c, wsr__seconds() - begun)));
    c->done = 1;
    WSR_TRY(wsr__run_checkpoint(c->run));
out:
    return status;
}

// A failed run may have a partial result. Making it must not replace the error
// line of the failure.
static wsr_status take_result(wsr_result **result, const course *c,
                              wsr_status run)
{
    char reason[512];
    if (result == NULL || !c->begun) {
        return run;
    }
    (void)snprintf(reason, sizeof(reason), "%s",
                   run == WSR_OK ? "" : wsr_error_detail());
    const wsr_status status = c->cls->result(result, c->self, run != WSR_OK);
    return run == WSR_OK ? status : WSR_FAIL(run, "%s", reason);
}

static wsr_status check_request(const wsr__run_class *cls,
                                const wsr__run_request *request)
{
    return request->dir != NULL || (cls->no_folder && !request->resume)
               ? WSR_OK
               : WSR_FAIL(WSR_ARG, "dir: a folder for the run is missing");
}

// Errors in the configuration come before errors about the folder, so that a
// caller can check a configuration without one.
static wsr_status open_course(course *c, const wsr__run_class *cls,
                              const wsr__run_request *request)
{
    wsr_status status = WSR_OK;
    WSR_TRY(begin_course(c, cls));
    if (!request->resume) {
        WSR_TRY(decode(c, request->config));
    }
    WSR_TRY(check_request(cls, request));
    WSR_TRY(wsr__run_open(&c->run, request->dir, request->resume, request->hook,
                          request->user));
    c->run->more = request->more;
out:
    return status;
}

// Of several processes all agree on how it begins: the folder is read after
// rank 0 has locked it, and a failure is that of all.
wsr_status wsr__run_execute(wsr_result **result, const wsr__run_class *cls,
                            const wsr__run_request *request)
{
    wsr_status status = WSR_OK;
    course c;
    if (result != NULL) {
        *result = NULL;
    }
    WSR_TRY(wsr__comm_agree(open_course(&c, cls, request)));
    WSR_TRY(wsr__comm_agree(start(&c, request->config, request->resume)));
    WSR_TRY(work(&c));
out:
    status = take_result(result, &c, status);
    end_course(&c);
    return status;
}

// --------------------------------------------------------------------- cost

// Steps of a stage are timed for so long, and for at least so many steps.
static const double trial_seconds = 3;
static const double trial_limit = 20; // for a stage of long steps
enum { TRIAL_STEPS = 3 };

// Observes a stage until its speed is known. The first step is left out: it
// makes plans and warms caches.
typedef struct trial {
    wsr_progress_hook hook; // of the caller, NULL: none
    void *user;
    size_t calls;
    double begin[2]; // seconds and part of the run after the first step
    double end[2];   // and after the last one
    bool stopped;    // by the caller
} trial;

static bool on_step(const wsr_progress *progress, void *user)
{
    static const wsr_progress timing = {.phase = "timing", .note = ""};
    trial *const t = user;
    t->stopped = t->hook != NULL && !t->hook(&timing, t->user);
    if (progress->line != NULL || t->stopped) {
        return !t->stopped;
    }
    t->end[0] = wsr__seconds();
    t->end[1] = progress->part;
    if (t->calls == 0) {
        memcpy(t->begin, t->end, sizeof(t->begin));
    }
    const size_t steps = t->calls++;
    const double seconds = t->end[0] - t->begin[0];
    return t->end[1] <= t->begin[1] || seconds < trial_seconds ||
           (steps < TRIAL_STEPS && seconds < trial_limit);
}

// A stage that ends within the trial took as long as it takes.
static wsr_status time_stage(double *seconds, course *c, trial *t, size_t i)
{
    const double begin = wsr__seconds();
    const double part = c->run->stage[1] - c->run->stage[0];
    *t = (trial){.hook = t->hook, .user = t->user};
    c->run->part = c->run->stage[0];
    c->run->canceled = false;
    wsr__run_span(c->run, 0, 1);
    const wsr_status status = c->cls->stages[i](c->self, c->run);
    const double done = t->end[1] - t->begin[1];
    *seconds = status == WSR_CANCELED && done > 0
                   ? (t->end[0] - t->begin[0]) / done * part
                   : wsr__seconds() - begin;
    return status == WSR_CANCELED && !t->stopped ? WSR_OK : status;
}

// A stage that has no work by the method's own estimate is left out.
static wsr_status time_stages(wsr_cost *cost, course *c, trial *t)
{
    wsr_status status = WSR_OK;
    double ends[WSR__RUN_STAGES + 1];
    divide(ends, c);
    for (size_t i = 0; c->cls->stages[i] != NULL; i++) {
        const size_t n = cost->stages;
        double seconds = -1;
        if (c->cls->work != NULL && !(ends[i + 1] > ends[i])) {
            continue;
        }
        c->run->stage[0] = ends[i];
        c->run->stage[1] = ends[i + 1];
        if (c->cls->seconds != NULL) {
            WSR_TRY(c->cls->seconds(&seconds, c->self, i));
        }
        if (seconds < 0) {
            WSR_TRY(time_stage(&seconds, c, t, i));
        }
        cost->stage[n] = c->cls->stage_names[i];
        cost->stage_seconds[n] = seconds;
        cost->seconds += seconds;
        cost->stages = n + 1;
    }
out:
    return status;
}

wsr_status wsr__run_cost(wsr_cost *cost, const wsr__run_class *cls,
                         const wsr_config *config, wsr_progress_hook hook,
                         void *user)
{
    wsr_status status = WSR_OK;
    course c;
    wsr__needs needs;
    trial t = {.hook = hook, .user = user};
    *cost = (wsr_cost){0};
    WSR_TRY(begin_course(&c, cls));
    WSR_TRY(decode(&c, config));
    WSR_TRY(wsr__run_open(&c.run, NULL, false, on_step, &t));
    adopt_threads(&c.self->common);
    WSR_TRY(cls->prepare(c.self, c.run, false));
    WSR_TRY(check_needs(&needs, &c));
    WSR_TRY(wsr__run_begin(c.run, NULL));
    cost->memory_bytes = wsr__needs_sum(&needs);
    cost->disk_bytes = needs.disk;
    WSR_TRY(time_stages(cost, &c, &t));
out:
    end_course(&c);
    return status;
}
