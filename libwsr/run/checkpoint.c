// SPDX-License-Identifier: Apache-2.0
//
// A running run: its folder, log, checkpoint and progress hook.
//
// A checkpoint records how many lines of the log belong to it. A resumed run
// cuts the log to these lines, so that log and checkpoint agree.

#include "run/run.h"

static const char log_name[] = "log.jsonl";
static const char checkpoint_name[] = "checkpoint.safetensors";
static const char lines_name[] = "log.lines";

// `dir` NULL is a run without a folder. A stage and its span begin as the
// whole run, for methods that never divide it.
wsr_status wsr__run_open(wsr__run **out, const char *dir, bool resume,
                         wsr_progress_hook hook, void *user)
{
    wsr_status status = WSR_OK;
    wsr__run *run = wsr__alloc(1, sizeof(*run));
    *out = NULL;
    if (run == NULL) {
        return WSR_NOMEM;
    }
    run->hook = hook;
    run->user = user;
    run->stage[1] = 1;
    run->span[1] = 1;
    if (dir != NULL) {
        run->dir = wsr__strdup(dir);
        if (run->dir == NULL) {
            status = WSR_NOMEM;
            goto out;
        }
    }
    if (dir != NULL && wsr_comm_rank() == 0) {
        WSR_TRY(wsr_folder_open(&run->folder, dir, resume));
    }
    *out = run;
    run = NULL;
out:
    wsr__run_close(run);
    return status;
}

wsr_status wsr__run_make(wsr__run *run)
{
    return run->folder == NULL ? WSR_OK : wsr_folder_make(run->folder);
}

void wsr__run_close(wsr__run *run)
{
    if (run != NULL) {
        wsr__run_log_close(run->log);
        wsr_folder_close(run->folder);
        wsr__free(run->dir);
        wsr__free(run);
    }
}

wsr_status wsr__run_path(char **path, const wsr__run *run, const char *name)
{
    *path = wsr__path_join(run->dir, name);
    return *path != NULL ? WSR_OK : WSR_NOMEM;
}

wsr_status wsr__run_write(const wsr__run *run, const char *name,
                          const char *text)
{
    return run->folder == NULL ? WSR_OK
                               : wsr_folder_write(run->folder, name, text);
}

// A run may have ended before its first checkpoint, so a missing one is not an
// error.
wsr_status wsr__run_load(wsr__st **out, const wsr__run *run)
{
    wsr_status status = WSR_OK;
    char *path = NULL;
    *out = NULL;
    if (run->dir == NULL) {
        return WSR_OK;
    }
    WSR_TRY(wsr__run_path(&path, run, checkpoint_name));
    status = wsr__checkpoint_load(out, path);
    // A run may have ended before its first checkpoint.
    status = status == WSR_NOTFOUND ? WSR_OK : status;
out:
    wsr__free(path);
    return status;
}

// Hands a line of the log to the progress hook. The log cannot be stopped in
// the middle of a line, so the next progress call does that.
static void on_line(const char *line, void *ctx)
{
    wsr__run *const run = ctx;
    const wsr_progress progress = {.phase = "", .note = "", .line = line};
    if (!run->hook(&progress, run->user)) {
        run->canceled = true; // the next call of wsr__run_tell() says so
    }
}

// Opens the log, after the last line that the checkpoint counts.
wsr_status wsr__run_begin(wsr__run *run, const wsr__st *checkpoint)
{
    wsr_status status = WSR_OK;
    char *path = NULL;
    uint64_t lines = 0;
    if (checkpoint != NULL) {
        WSR_TRY(wsr__st_read_u64(&lines, checkpoint, lines_name, 1));
    }
    if (run->folder != NULL) {
        WSR_TRY(wsr__run_path(&path, run, log_name));
    }
    wsr__run_log_close(run->log);
    run->log = NULL;
    WSR_TRY(wsr__run_log_open(&run->log, path, lines));
    WSR_TRY(
        wsr__run_log_watch(run->log, run->hook == NULL ? NULL : on_line, run));
out:
    wsr__free(path);
    return status;
}

// The log is synced before the checkpoint is written: otherwise a power
// failure could leave a checkpoint that counts lines which are lost.
static wsr_status write_checkpoint(wsr__run *run, wsr__st_builder *builder)
{
    wsr_status status = WSR_OK;
    char *path = NULL;
    WSR_TRY(wsr__run_path(&path, run, checkpoint_name));
    // The lines must not come to the disk after the checkpoint that counts
    // them.
    WSR_TRY(wsr__run_log_sync(run->log));
    WSR_TRY(wsr__checkpoint_save(builder, path));
out:
    wsr__free(path);
    return status;
}

// Processes without the folder take part, since the state may lie in all.
static wsr_status checkpoint(wsr__run *run)
{
    wsr_status status = WSR_OK;
    wsr__st_builder *builder = NULL;
    const uint64_t lines = wsr__run_log_lines(run->log);
    WSR_TRY(wsr__st_builder_new(&builder));
    WSR_TRY(wsr__st_add_u64(builder, lines_name, &lines, 1));
    WSR_TRY(run->state(builder, run->ctx));
    if (run->folder != NULL) {
        WSR_TRY(write_checkpoint(run, builder));
    }
out:
    wsr__st_builder_free(builder);
    return status;
}

wsr_status wsr__run_checkpoint(wsr__run *run)
{
    if (run->state == NULL || run->dir == NULL ||
        (run->folder == NULL && run->alone)) {
        return WSR_OK;
    }
    const wsr_status status = checkpoint(run);
    return run->alone ? status : wsr__comm_agree(status);
}

wsr_status wsr__run_checkpoint_now_and_then(wsr__run *run, double *saved)
{
    const double apart = 15; // seconds
    wsr_status status = WSR_OK;
    bool due = wsr__seconds() - *saved >= apart;
    if (!run->alone) { // no two processes look at their clocks at one time
        WSR_TRY(wsr__comm_broadcast(&due, sizeof(due), 0));
    }
    if (due) {
        WSR_TRY(wsr__run_checkpoint(run));
        *saved = wsr__seconds();
    }
out:
    return status;
}

void wsr__run_span(wsr__run *run, double begin, double end)
{
    run->span[0] = begin;
    run->span[1] = end;
}

// Position in an interval of a fraction in [0, 1].
static double between(const double ends[2], double part)
{
    return ends[0] + (ends[1] - ends[0]) * part;
}

// `part` nests three intervals: the stage in the run, the span in the stage,
// the step in the span. It never decreases, although estimates may be
// corrected.
wsr_status wsr__run_tell(wsr__run *run, const wsr_progress *progress)
{
    wsr_progress told = *progress;
    told.part = between(run->stage, between(run->span, progress->done));
    told.part = told.part > run->part ? told.part : run->part;
    run->part = told.part;
    wsr_status status = WSR_OK;
    if (run->hook != NULL && !run->hook(&told, run->user)) {
        run->canceled = true;
    }
    if (!run->alone) {
        status = wsr__comm_any(&run->canceled);
    }
    if (status != WSR_OK || !run->canceled) {
        return status;
    }
    return WSR_FAIL(WSR_CANCELED, "stopped in phase %s after step %zu of %zu",
                    progress->phase, progress->step, progress->steps);
}

wsr_status wsr__run_progress(wsr__run *run, const char *phase, size_t done,
                             size_t total, const char *note)
{
    const wsr_progress progress = {.phase = phase,
                                   .step = done,
                                   .steps = total,
                                   .done = (double)done / (double)total,
                                   .note = note};
    return wsr__run_tell(run, &progress);
}
