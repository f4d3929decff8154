// SPDX-License-Identifier: Apache-2.0
//
// The folder of a run:
//
//   config.yaml              every option in force, written first
//   log.jsonl                what happened
//   checkpoint.safetensors   where it stands; .old is the one before
//
// A checkpoint names how many lines of the log belong to it, so that both
// always tell the same story.

#include "train/train.h"

static const char config_name[] = "config.yaml";
static const char log_name[] = "log.jsonl";
static const char checkpoint_name[] = "checkpoint.safetensors";
static const char lines_name[] = "log.lines";

wsr_status wsr__job_path(char **path, const wsr__job *job, const char *name)
{
    *path = wsr__path_join(job->dir, name);
    return *path != NULL ? WSR_OK : WSR_NOMEM;
}

static wsr_status has(bool *there, const wsr__job *job, const char *name)
{
    char *path = NULL;
    const wsr_status status = wsr__job_path(&path, job, name);
    *there = status == WSR_OK && wsr__file_exists(path);
    wsr__free(path);
    return status;
}

static wsr_status check_folder(const wsr__job *job, bool resume)
{
    wsr_status status = WSR_OK;
    bool configured = false;
    bool begun = false;
    WSR_TRY(has(&configured, job, config_name));
    WSR_TRY(has(&begun, job, checkpoint_name));
    if (resume && !configured) {
        status = WSR_FAIL(WSR_NOTFOUND,
                          "%s: is no folder of a run: it has no %s", job->dir,
                          config_name);
    } else if (!resume && begun) {
        status = WSR_FAIL(WSR_ARG,
                          "%s: holds the checkpoint of a run: resume it, or "
                          "take another folder",
                          job->dir);
    }
out:
    return status;
}

wsr_status wsr__job_open(wsr__job **out, const char *dir, bool resume,
                         wsr_progress_hook hook, void *user)
{
    wsr_status status = WSR_OK;
    wsr__job *job = wsr__alloc(1, sizeof(*job));
    *out = NULL;
    if (job == NULL) {
        return WSR_NOMEM;
    }
    job->hook = hook;
    job->user = user;
    job->dir = wsr__strdup(dir);
    if (job->dir == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(check_folder(job, resume));
    WSR_TRY(wsr__make_directory(dir));
    *out = job;
    job = NULL;
out:
    wsr__job_close(job);
    return status;
}

void wsr__job_close(wsr__job *job)
{
    if (job != NULL) {
        wsr__journal_close(job->journal);
        wsr__free(job->dir);
        wsr__free(job);
    }
}

wsr_status wsr__job_write(const wsr__job *job, const char *name,
                          const char *text)
{
    wsr_status status = WSR_OK;
    char *path = NULL;
    wsr__str content = {0};
    wsr__str_add(&content, text);
    WSR_TRY(wsr__str_status(&content));
    WSR_TRY(wsr__job_path(&path, job, name));
    WSR_TRY(
        wsr__file_write(path, content.s == NULL ? "" : content.s, content.len));
out:
    wsr__str_free(&content);
    wsr__free(path);
    return status;
}

wsr_status wsr__job_load(wsr__st **out, const wsr__job *job)
{
    wsr_status status = WSR_OK;
    char *path = NULL;
    *out = NULL;
    WSR_TRY(wsr__job_path(&path, job, checkpoint_name));
    status = wsr__checkpoint_load(out, path);
    // A run may have ended before its first checkpoint.
    status = status == WSR_NOTFOUND ? WSR_OK : status;
out:
    wsr__free(path);
    return status;
}

wsr_status wsr__job_begin(wsr__job *job, const wsr__st *checkpoint)
{
    wsr_status status = WSR_OK;
    char *path = NULL;
    uint64_t lines = 0;
    if (checkpoint != NULL) {
        WSR_TRY(wsr__st_read_u64(&lines, checkpoint, lines_name, 1));
    }
    WSR_TRY(wsr__job_path(&path, job, log_name));
    wsr__journal_close(job->journal);
    job->journal = NULL;
    WSR_TRY(wsr__journal_open(&job->journal, path, lines));
out:
    wsr__free(path);
    return status;
}

wsr_status wsr__job_checkpoint(wsr__job *job)
{
    wsr_status status = WSR_OK;
    char *path = NULL;
    wsr__st_builder *builder = NULL;
    if (job->state == NULL) {
        return WSR_OK;
    }
    const uint64_t lines = wsr__journal_lines(job->journal);
    WSR_TRY(wsr__st_builder_new(&builder));
    WSR_TRY(wsr__st_add_u64(builder, lines_name, &lines, 1));
    WSR_TRY(job->state(builder, job->ctx));
    WSR_TRY(wsr__job_path(&path, job, checkpoint_name));
    // The lines must not come to the disk after the checkpoint that counts
    // them.
    WSR_TRY(wsr__journal_sync(job->journal));
    WSR_TRY(wsr__checkpoint_save(builder, path));
out:
    wsr__st_builder_free(builder);
    wsr__free(path);
    return status;
}

wsr_status wsr__job_progress(wsr__job *job, const char *phase, size_t done,
                             size_t total, const char *note)
{
    if (job->hook != NULL && !job->hook(phase, done, total, note, job->user)) {
        job->canceled = true;
    }
    return job->canceled ? WSR_FAIL(WSR_CANCELED,
                                    "stopped in phase %s after step %zu of %zu",
                                    phase, done, total)
                         : WSR_OK;
}
