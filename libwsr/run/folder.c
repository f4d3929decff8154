// SPDX-License-Identifier: Apache-2.0
//
// The folder of a run:
//
//   lock                     says which process works there (lock.c)
//   config.yaml              every option in force
//   log.jsonl                what happened
//   checkpoint.safetensors   where it stands; .old is the one before
//
// A checkpoint names how many lines of the log belong to it, so that both
// always tell the same story.

#include "run/run.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char config_name[] = "config.yaml";
static const char log_name[] = "log.jsonl";
static const char checkpoint_name[] = "checkpoint.safetensors";
static const char lines_name[] = "log.lines";

wsr_status wsr__run_path(char **path, const wsr__run *run, const char *name)
{
    *path = wsr__path_join(run->dir, name);
    return *path != NULL ? WSR_OK : WSR_NOMEM;
}

static wsr_status has(bool *there, const wsr__run *run, const char *name)
{
    char *path = NULL;
    const wsr_status status = wsr__run_path(&path, run, name);
    *there = status == WSR_OK && wsr__file_exists(path);
    wsr__free(path);
    return status;
}

static wsr_status check_resumed(const wsr__run *run)
{
    bool configured = false;
    const wsr_status status = has(&configured, run, config_name);
    if (status != WSR_OK || configured) {
        return status;
    }
    return WSR_FAIL(WSR_NOTFOUND, "%s: is no folder of a run: it has no %s",
                    run->dir, config_name);
}

// What a start that was cut short leaves behind; the configuration is written
// last, so that a folder without one holds nothing worth keeping.
static bool is_leftover(const char *name)
{
    static const char *const names[] = {
        ".", "..", "lock", "genotype.yaml", "codes.yaml", "init.safetensors",
        NULL};
    const char *const suffix = strrchr(name, '.');
    for (size_t i = 0; names[i] != NULL; i++) {
        if (wsr__streq(name, names[i])) {
            return true;
        }
    }
    return suffix != NULL && wsr__streq(suffix, ".tmp");
}

static wsr_status check_entries(const wsr__run *run, DIR *folder)
{
    for (const struct dirent *e = readdir(folder); e != NULL;
         e = readdir(folder)) {
        if (!is_leftover(e->d_name)) {
            return WSR_FAIL(WSR_ARG,
                            "%s: is not empty: it holds %.80s; resume the run "
                            "that is there, or take another folder",
                            run->dir, e->d_name);
        }
    }
    return WSR_OK;
}

// The nearest folder above a path that exists must take new ones.
static wsr_status check_parent(const wsr__run *run)
{
    wsr_status status = WSR_OK;
    struct stat info;
    char *const path = wsr__strdup(run->dir);
    if (path == NULL) {
        return WSR_NOMEM;
    }
    const char *at = path;
    while (stat(at, &info) != 0) {
        char *const end = strrchr(path, '/');
        if (errno != ENOENT) {
            status = wsr__fail_errno(run->dir, errno);
            goto out;
        }
        at = end == NULL ? "." : end == path ? "/" : path;
        if (end != NULL) {
            *end = '\0';
        }
    }
    if (!S_ISDIR(info.st_mode)) {
        status = wsr__fail_errno(at, ENOTDIR);
    } else if (access(at, W_OK | X_OK) != 0) {
        status = wsr__fail_errno(at, errno);
    }
out:
    wsr__free(path);
    return status;
}

static wsr_status check_fresh(const wsr__run *run)
{
    DIR *const folder = opendir(run->dir);
    if (folder == NULL) {
        return errno == ENOENT ? check_parent(run)
                               : wsr__fail_errno(run->dir, errno);
    }
    wsr_status status = check_entries(run, folder);
    (void)closedir(folder);
    if (status == WSR_OK && access(run->dir, W_OK | X_OK) != 0) {
        status = wsr__fail_errno(run->dir, errno);
    }
    return status;
}

wsr_status wsr__run_open(wsr__run **out, const char *dir, bool resume,
                         wsr_progress_hook hook, void *user)
{
    wsr_status status = WSR_OK;
    wsr__run *run = wsr__alloc(1, sizeof(*run));
    *out = NULL;
    if (run == NULL) {
        return WSR_NOMEM;
    }
    run->lock.fd = -1;
    run->hook = hook;
    run->user = user;
    run->dir = wsr__strdup(dir);
    if (run->dir == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    if (resume) {
        WSR_TRY(check_resumed(run));
        WSR_TRY(wsr__lock_take(&run->lock, dir));
    } else {
        WSR_TRY(check_fresh(run));
    }
    *out = run;
    run = NULL;
out:
    wsr__run_close(run);
    return status;
}

wsr_status wsr__run_make(wsr__run *run)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__make_directory(run->dir));
    WSR_TRY(wsr__lock_take(&run->lock, run->dir));
    // Somebody may have begun a run there since it was opened.
    WSR_TRY(check_fresh(run));
out:
    return status;
}

void wsr__run_close(wsr__run *run)
{
    if (run != NULL) {
        wsr__run_log_close(run->log);
        wsr__lock_release(&run->lock);
        wsr__free(run->dir);
        wsr__free(run);
    }
}

wsr_status wsr__run_check_files(const wsr__run *run, const char *const *files)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; files != NULL && files[i] != NULL; i++) {
        char *path = NULL;
        WSR_TRY(wsr__run_path(&path, run, files[i]));
        status = wsr__file_check_place(path);
        wsr__free(path);
        WSR_TRY(status);
    }
out:
    return status;
}

wsr_status wsr__run_write(const wsr__run *run, const char *name,
                          const char *text)
{
    wsr_status status = WSR_OK;
    char *path = NULL;
    wsr__str content = {0};
    wsr__str_add(&content, text);
    WSR_TRY(wsr__str_status(&content));
    WSR_TRY(wsr__run_path(&path, run, name));
    WSR_TRY(
        wsr__file_write(path, content.s == NULL ? "" : content.s, content.len));
out:
    wsr__str_free(&content);
    wsr__free(path);
    return status;
}

wsr_status wsr__run_load(wsr__st **out, const wsr__run *run)
{
    wsr_status status = WSR_OK;
    char *path = NULL;
    *out = NULL;
    WSR_TRY(wsr__run_path(&path, run, checkpoint_name));
    status = wsr__checkpoint_load(out, path);
    // A run may have ended before its first checkpoint.
    status = status == WSR_NOTFOUND ? WSR_OK : status;
out:
    wsr__free(path);
    return status;
}

wsr_status wsr__run_begin(wsr__run *run, const wsr__st *checkpoint)
{
    wsr_status status = WSR_OK;
    char *path = NULL;
    uint64_t lines = 0;
    if (checkpoint != NULL) {
        WSR_TRY(wsr__st_read_u64(&lines, checkpoint, lines_name, 1));
    }
    WSR_TRY(wsr__run_path(&path, run, log_name));
    wsr__run_log_close(run->log);
    run->log = NULL;
    WSR_TRY(wsr__run_log_open(&run->log, path, lines));
out:
    wsr__free(path);
    return status;
}

wsr_status wsr__run_checkpoint(wsr__run *run)
{
    wsr_status status = WSR_OK;
    char *path = NULL;
    wsr__st_builder *builder = NULL;
    if (run->state == NULL) {
        return WSR_OK;
    }
    const uint64_t lines = wsr__run_log_lines(run->log);
    WSR_TRY(wsr__st_builder_new(&builder));
    WSR_TRY(wsr__st_add_u64(builder, lines_name, &lines, 1));
    WSR_TRY(run->state(builder, run->ctx));
    WSR_TRY(wsr__run_path(&path, run, checkpoint_name));
    // The lines must not come to the disk after the checkpoint that counts
    // them.
    WSR_TRY(wsr__run_log_sync(run->log));
    WSR_TRY(wsr__checkpoint_save(builder, path));
out:
    wsr__st_builder_free(builder);
    wsr__free(path);
    return status;
}

wsr_status wsr__run_progress(wsr__run *run, const char *phase, size_t done,
                             size_t total, const char *note)
{
    if (run->hook != NULL && !run->hook(phase, done, total, note, run->user)) {
        run->canceled = true;
    }
    return run->canceled ? WSR_FAIL(WSR_CANCELED,
                                    "stopped in phase %s after step %zu of %zu",
                                    phase, done, total)
                         : WSR_OK;
}
