// SPDX-License-Identifier: Apache-2.0
//
// The folder of a run:
//
//   lock                     the process that works there (lock.c)
//   config.yaml              the values of all options
//   log.jsonl                the log
//   checkpoint.safetensors   the state; .old is the one before
//
// config.yaml is written last when a run begins. So a folder without it holds
// no run and can be used again.

#include "run/run.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char config_name[] = "config.yaml";

wsr_status wsr_folder_path(char **path, const wsr_folder *folder,
                           const char *name)
{
    *path = wsr__path_join(folder->dir, name);
    return *path != NULL ? WSR_OK : WSR_NOMEM;
}

// Whether the folder holds a file of this name.
static wsr_status has(bool *there, const wsr_folder *folder, const char *name)
{
    char *path = NULL;
    const wsr_status status = wsr_folder_path(&path, folder, name);
    *there = status == WSR_OK && wsr__file_exists(path);
    wsr__free(path);
    return status;
}

// Only a folder with a configuration can be resumed.
static wsr_status check_resumed(const wsr_folder *folder)
{
    bool configured = false;
    const wsr_status status = has(&configured, folder, config_name);
    if (status != WSR_OK || configured) {
        return status;
    }
    return WSR_FAIL(WSR_NOTFOUND, "%s: is no folder of a run: it has no %s",
                    folder->dir, config_name);
}

// What a start that was cut short leaves behind; the configuration is written
// last, so that a folder without one holds nothing worth keeping.
static bool is_leftover(const char *name)
{
    static const char *const names[] = {
        ".", "..", "lock", "init.safetensors", "cells.txt", NULL};
    // Networks that a bench of estimators copies (estimate/networks.c).
    static const char *const copies[] = {"genotype-", "network-", NULL};
    const char *const suffix = strrchr(name, '.');
    for (size_t i = 0; names[i] != NULL; i++) {
        if (wsr__streq(name, names[i])) {
            return true;
        }
    }
    for (size_t i = 0; copies[i] != NULL; i++) {
        if (strncmp(name, copies[i], strlen(copies[i])) == 0) {
            return true;
        }
    }
    return wsr__is_cells_file(name) ||
           (suffix != NULL && wsr__streq(suffix, ".tmp"));
}

static wsr_status check_entries(const wsr_folder *folder, DIR *entries)
{
    for (const struct dirent *e = readdir(entries); e != NULL;
         e = readdir(entries)) {
        if (!is_leftover(e->d_name)) {
            return WSR_FAIL(WSR_ARG,
                            "%s: is not empty: it holds %.80s; resume the run "
                            "that is there, or take another folder",
                            folder->dir, e->d_name);
        }
    }
    return WSR_OK;
}

// The nearest folder above a path that exists must take new ones.
static wsr_status check_parent(const wsr_folder *folder)
{
    wsr_status status = WSR_OK;
    struct stat info;
    char *const path = wsr__strdup(folder->dir);
    if (path == NULL) {
        return WSR_NOMEM;
    }
    const char *at = path;
    while (stat(at, &info) != 0) {
        char *const end = strrchr(path, '/');
        if (errno != ENOENT) {
            status = wsr__fail_errno(folder->dir, errno);
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

// A new folder may exist if it is empty, or must have a parent that takes it.
static wsr_status check_fresh(const wsr_folder *folder)
{
    DIR *const entries = opendir(folder->dir);
    if (entries == NULL) {
        return errno == ENOENT ? check_parent(folder)
                               : wsr__fail_errno(folder->dir, errno);
    }
    wsr_status status = check_entries(folder, entries);
    (void)closedir(entries);
    if (status == WSR_OK && access(folder->dir, W_OK | X_OK) != 0) {
        status = wsr__fail_errno(folder->dir, errno);
    }
    return status;
}

wsr_status wsr_folder_open(wsr_folder **out, const char *dir, bool resume)
{
    wsr_status status = WSR_OK;
    wsr_folder *folder = wsr__alloc(1, sizeof(*folder));
    *out = NULL;
    if (folder == NULL) {
        return WSR_NOMEM;
    }
    folder->lock.fd = -1;
    folder->dir = wsr__strdup(dir);
    if (folder->dir == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    if (resume) {
        WSR_TRY(check_resumed(folder));
        WSR_TRY(wsr__lock_take(&folder->lock, dir));
    } else {
        WSR_TRY(check_fresh(folder));
    }
    *out = folder;
    folder = NULL;
out:
    wsr_folder_close(folder);
    return status;
}

// The lock decides between two processes that begin at once; what the folder
// holds is checked again under it.
wsr_status wsr_folder_make(wsr_folder *folder)
{
    wsr_status status = WSR_OK;
    folder->made = !wsr__file_exists(folder->dir);
    WSR_TRY(wsr__make_directory(folder->dir));
    WSR_TRY(wsr__lock_take(&folder->lock, folder->dir));
    // Somebody may have begun a run there since it was opened.
    WSR_TRY(check_fresh(folder));
out:
    return status;
}

void wsr_folder_close(wsr_folder *folder)
{
    if (folder != NULL) {
        wsr__lock_release(&folder->lock);
        if (folder->made) {
            (void)rmdir(folder->dir); // of a start that failed: it is empty
        }
        wsr__free(folder->dir);
        wsr__free(folder);
    }
}

// A resumed run must be able to replace all of its files before it starts.
wsr_status wsr__folder_check_files(const wsr_folder *folder,
                                   const char *const *files)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; files != NULL && files[i] != NULL; i++) {
        char *path = NULL;
        WSR_TRY(wsr_folder_path(&path, folder, files[i]));
        status = wsr__file_check_place(path);
        wsr__free(path);
        WSR_TRY(status);
    }
out:
    return status;
}

wsr_status wsr_folder_write(const wsr_folder *folder, const char *name,
                            const char *text)
{
    wsr_status status = WSR_OK;
    char *path = NULL;
    wsr__str content = {0};
    wsr__str_add(&content, text);
    WSR_TRY(wsr__str_status(&content));
    WSR_TRY(wsr_folder_path(&path, folder, name));
    WSR_TRY(
        wsr__file_write(path, content.s == NULL ? "" : content.s, content.len));
out:
    wsr__str_free(&content);
    wsr__free(path);
    return status;
}
