// SPDX-License-Identifier: Apache-2.0
//
// Reads whole files, makes directories and joins paths. Every failure names the
// path and gives the system's reason. Paths are bytes; no encoding is assumed.

#include "base/base.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// ENOMEM keeps its own code: callers tell "out of memory" from "no such file".
// strerror_r() because strerror() is not safe among threads.
wsr_status wsr__fail_errno(const char *path, int error)
{
    char reason[128];
    if (strerror_r(error, reason, sizeof(reason)) != 0) {
        (void)snprintf(reason, sizeof(reason), "error %d", error);
    }
    return error == ENOMEM
               ? WSR_FAIL(WSR_NOMEM, "out of memory: %s: %s", path, reason)
               : WSR_FAIL(WSR_IO, "%s: %s", path, reason);
}

// Size of a regular file as a first guess, so that most files are read into
// a buffer that never grows. Only a guess: a pipe or a file in /proc has no
// size, and a file may grow while it is read.
static size_t guess_size(FILE *stream)
{
    struct stat info;
    if (fstat(fileno(stream), &info) != 0 || !S_ISREG(info.st_mode) ||
        info.st_size <= 0) {
        return 4096;
    }
    return (size_t)info.st_size;
}

// The limit bounds memory whatever the file claims to be. The content ends in a
// NUL that `len` does not count.
static wsr_status read_stream(wsr__str *out, FILE *stream, const char *path,
                              size_t limit)
{
    wsr_status status = WSR_OK;
    void *array = NULL;
    const size_t first = guess_size(stream);
    const size_t start = first < limit ? first : limit;
    array = wsr__alloc_raw(start + 2, 1); // not cleared: it is read over
    WSR_TRY(array != NULL ? WSR_OK : WSR_NOMEM);
    out->capacity = start + 2;
    out->s = array;
    for (;;) {
        // One byte stays for the NUL, one shows that the limit is passed.
        const size_t room = out->capacity - 1 - out->len;
        const size_t got = fread(out->s + out->len, 1, room, stream);
        out->len += got;
        if (out->len > limit) {
            status = WSR_FAIL(WSR_FORMAT, "%s: is longer than %zu bytes", path,
                              limit);
            goto out;
        }
        if (got < room) {
            break;
        }
        WSR_TRY(wsr__reserve(&array, &out->capacity, out->capacity + 1, 1));
        out->s = array;
    }
    if (ferror(stream)) {
        status = wsr__fail_errno(path, errno);
        goto out;
    }
    out->s[out->len] = '\0';
out:
    return status;
}

wsr_status wsr__file_read(unsigned char **data, size_t *size, const char *path,
                          size_t limit)
{
    wsr_status status = WSR_OK;
    wsr__str content = {0};
    *data = NULL;
    *size = 0;
    FILE *const stream = fopen(path, "rb");
    if (stream == NULL) {
        status = wsr__fail_errno(path, errno);
        goto out;
    }
    WSR_TRY(read_stream(&content, stream, path, limit));
    *data = (unsigned char *)content.s;
    *size = content.len;
    content.s = NULL;
out:
    if (stream != NULL) {
        (void)fclose(stream);
    }
    wsr__str_free(&content);
    return status;
}

// Reading and writing differ on purpose: whoever reads the path meanwhile sees
// the whole old file or the whole new one.
wsr_status wsr__file_write(const char *path, const void *data, size_t size)
{
    wsr_status status = WSR_OK;
    wsr__atomic_file file = {0};
    WSR_TRY(wsr__atomic_open(&file, path));
    WSR_TRY(wsr__atomic_write(&file, data, size));
    WSR_TRY(wsr__atomic_commit(&file, false));
out:
    wsr__atomic_discard(&file);
    return status;
}

// Asked before hours of work, so that the result can be written at their end.
// It makes nothing and changes nothing.
wsr_status wsr__file_check_place(const char *path)
{
    wsr_status status = WSR_OK;
    struct stat info;
    if (stat(path, &info) == 0) {
        return S_ISDIR(info.st_mode)     ? wsr__fail_errno(path, EISDIR)
               : access(path, W_OK) != 0 ? wsr__fail_errno(path, errno)
                                         : WSR_OK;
    }
    char *const dir = wsr__strdup(path);
    if (dir == NULL) {
        return WSR_NOMEM;
    }
    char *const slash = strrchr(dir, '/');
    if (slash != NULL) {
        slash[slash == dir ? 1 : 0] = '\0';
    }
    if (access(slash != NULL ? dir : ".", W_OK | X_OK) != 0) {
        status = wsr__fail_errno(path, errno);
    }
    wsr__free(dir);
    return status;
}

// Another process may make the same directory at the same time, which is no
// failure: only what stands there afterwards counts.
static wsr_status make_one(const char *path)
{
    if (mkdir(path, 0777) == 0) {
        return WSR_OK;
    }
    const int error = errno;
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        return WSR_OK;
    }
    return wsr__fail_errno(path, error);
}

// The path is cut at each slash in turn, from the root down.
wsr_status wsr__make_directory(const char *path)
{
    wsr_status status = WSR_OK;
    char *const partial = wsr__strdup(path);
    if (partial == NULL) {
        return WSR_NOMEM;
    }
    for (char *p = partial + (partial[0] == '/'); *p != '\0'; p++) {
        if (*p == '/') {
            *p = '\0';
            WSR_TRY(make_one(partial));
            *p = '/';
        }
    }
    WSR_TRY(make_one(path));
    if (access(path, W_OK | X_OK) != 0) {
        status = wsr__fail_errno(path, errno);
    }
out:
    wsr__free(partial);
    return status;
}

bool wsr__file_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 || errno == EIO || errno == EACCES;
}

// An empty `dir` means the current one, and "a/" gets no second slash.
char *wsr__path_join(const char *dir, const char *name)
{
    wsr__str path = {0};
    const size_t len = strlen(dir);
    const bool slash = len == 0 || dir[len - 1] == '/';
    wsr__str_addf(&path, "%s%s%s", dir, slash ? "" : "/", name);
    if (path.failed) {
        wsr__str_free(&path);
    }
    return path.s;
}
