// SPDX-License-Identifier: Apache-2.0
//
// Files that are either old or new, never half-written: the content goes to
// "path.tmp", is synced, and renamed over the path. The temporary name is
// fixed, so that what a killed process leaves is overwritten by the next one
// instead of piling up. What is not a regular file (a device, a pipe) cannot
// be replaced and is written in place.

#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// NULL when memory is short.
static char *with_suffix(const char *path, const char *suffix)
{
    wsr__str text = {0};
    wsr__str_addf(&text, "%s%s", path, suffix);
    if (text.failed) {
        wsr__str_free(&text);
    }
    return text.s;
}

// Renaming over /dev/stdout or a named pipe would replace it by a file.
static bool is_special(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

// The file appears at `path` at commit and not before; the permissions are
// those that the umask leaves of 0666.
wsr_status wsr__atomic_open(wsr__atomic_file *file, const char *path)
{
    wsr_status status = WSR_OK;
    *file = (wsr__atomic_file){0};
    const bool in_place = is_special(path);
    file->path = wsr__strdup(path);
    if (file->path == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    if (!in_place) {
        file->temporary = with_suffix(path, ".tmp");
        if (file->temporary == NULL) {
            status = WSR_NOMEM;
            goto out;
        }
    }
    const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
    const int fd = open(in_place ? path : file->temporary, flags, 0666);
    if (fd < 0) {
        status = wsr__fail_errno(path, errno);
        goto out;
    }
    file->stream = fdopen(fd, "wb");
    if (file->stream == NULL) {
        status = wsr__fail_errno(path, errno);
        (void)close(fd);
    }
out:
    if (status != WSR_OK) {
        wsr__atomic_discard(file);
    }
    return status;
}

wsr_status wsr__atomic_write(wsr__atomic_file *file, const void *data,
                             size_t size)
{
    if (size != 0 && fwrite(data, 1, size, file->stream) != size) {
        return wsr__fail_errno(file->path, errno);
    }
    return WSR_OK;
}

// A second name for the old content instead of moving it: the path itself
// then exists at every instant. Some file systems have no second names.
static wsr_status keep_old(const char *path)
{
    if (!wsr__file_exists(path)) {
        return WSR_OK;
    }
    wsr_status status = WSR_OK;
    char *const old = with_suffix(path, ".old");
    if (old == NULL) {
        return WSR_NOMEM;
    }
    if ((unlink(old) != 0 && errno != ENOENT) ||
        (link(path, old) != 0 && rename(path, old) != 0)) {
        status = wsr__fail_errno(old, errno);
    }
    wsr__free(old);
    return status;
}

// A rename is on disk only when the directory is. Some file systems refuse to
// sync directories; the file itself is safe then.
static wsr_status sync_directory(const char *path)
{
    char *const dir = wsr__strdup(path);
    if (dir == NULL) {
        return WSR_NOMEM;
    }
    char *const slash = strrchr(dir, '/');
    const char *name = ".";
    if (slash == dir) {
        name = "/";
    } else if (slash != NULL) {
        *slash = '\0';
        name = dir;
    }
    const int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
    wsr__free(dir);
    return WSR_OK;
}

// fclose() reports what the file system only noticed late (a full disk).
static wsr_status close_synced(wsr__atomic_file *file)
{
    FILE *const stream = file->stream;
    file->stream = NULL;
    int error = 0;
    if (fflush(stream) != 0 ||
        (file->temporary != NULL && fsync(fileno(stream)) != 0)) {
        error = errno;
    }
    if (fclose(stream) != 0 && error == 0) {
        error = errno;
    }
    return error == 0 ? WSR_OK : wsr__fail_errno(file->path, error);
}

// The order is what makes it safe: content on disk, then the rename, then the
// directory. A crash in between leaves the old file or the new one.
wsr_status wsr__atomic_commit(wsr__atomic_file *file, bool keep_previous)
{
    wsr_status status = WSR_OK;
    WSR_TRY(close_synced(file));
    if (file->temporary == NULL) {
        goto out;
    }
    if (keep_previous) {
        WSR_TRY(keep_old(file->path));
    }
    if (rename(file->temporary, file->path) != 0) {
        status = wsr__fail_errno(file->path, errno);
        goto out;
    }
    wsr__free(file->temporary);
    file->temporary = NULL;
    WSR_TRY(sync_directory(file->path));
out:
    wsr__atomic_discard(file);
    return status;
}

void wsr__atomic_discard(wsr__atomic_file *file)
{
    if (file->stream != NULL) {
        (void)fclose(file->stream);
    }
    if (file->temporary != NULL) {
        (void)unlink(file->temporary);
    }
    wsr__free(file->temporary);
    wsr__free(file->path);
    *file = (wsr__atomic_file){0};
}
