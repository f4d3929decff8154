// SPDX-License-Identifier: Apache-2.0
//
// Files are written beside their place and renamed, so that a full disk or a
// crash leaves no half-written result.

#include "out.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH = 4096 };

static int fail(const cli *c, const char *path)
{
    (void)cli_usage(c, "%s: %s", path, strerror(errno));
    return CLI_FAILED;
}

const char *out_path(const cli *c, const char *name)
{
    enum { BUFFERS = 4 };
    static char buffers[BUFFERS][PATH];
    static size_t turn;
    char *const path = buffers[turn++ % BUFFERS];
    (void)snprintf(path, PATH, "%s/%s", c->out, name);
    return path;
}

// Bytes of the part of --out that was there before: its folders are not ours.
static size_t found;

// "a/b/c/": the end of the component that begins at `at`.
static size_t component_end(const char *path, size_t at)
{
    const size_t begin = at + strspn(path + at, "/");
    return begin + strcspn(path + begin, "/");
}

static void find_existing(const char *path)
{
    char part[PATH];
    struct stat info;
    found = 0;
    for (size_t end = component_end(path, 0);
         end < PATH && strspn(path + found, "/") != strlen(path + found);
         end = component_end(path, end)) {
        memcpy(part, path, end);
        part[end] = '\0';
        if (stat(part, &info) != 0) {
            return;
        }
        found = end;
    }
}

void out_tidy(const cli *c)
{
    char path[PATH];
    size_t end = c->out == NULL ? 0 : strlen(c->out);
    if (c->resume != NULL || end >= sizeof(path)) {
        return;
    }
    for (;;) {
        while (end > found && c->out[end - 1] == '/') {
            end--;
        }
        if (end <= found) {
            return;
        }
        memcpy(path, c->out, end);
        path[end] = '\0';
        if (rmdir(path) != 0 && errno != ENOENT) {
            return; // has something in it
        }
        while (end > found && c->out[end - 1] != '/') {
            end--;
        }
    }
}

int out_check(const cli *c)
{
    if (c->out != NULL) {
        find_existing(c->out);
    }
    if (c->out == NULL || c->resume != NULL) {
        return CLI_GO_ON;
    }
    DIR *const folder = opendir(c->out);
    if (folder == NULL) {
        return errno == ENOENT ? CLI_GO_ON : fail(c, c->out);
    }
    bool empty = true;
    for (const struct dirent *e = readdir(folder); e != NULL;
         e = readdir(folder)) {
        empty = empty &&
                (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0);
    }
    (void)closedir(folder);
    return empty ? CLI_GO_ON
                 : cli_usage(c,
                             "--out: '%s' is not empty; --resume %s goes on "
                             "with a run that is there",
                             c->out, c->out);
}

int out_make(const cli *c)
{
    char path[PATH];
    if (c->out == NULL) {
        return CLI_GO_ON;
    }
    const int n = snprintf(path, sizeof(path), "%s/", c->out);
    if (n < 0 || (size_t)n >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return fail(c, c->out);
    }
    for (char *end = strchr(path + 1, '/'); end != NULL;
         end = strchr(end + 1, '/')) {
        *end = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST) {
            return fail(c, path);
        }
        *end = '/';
    }
    return access(c->out, W_OK | X_OK) == 0 ? CLI_GO_ON : fail(c, c->out);
}

int out_write(const cli *c, const char *name, const char *text)
{
    const char *const path = out_path(c, name);
    char temporary[PATH + 8];
    (void)snprintf(temporary, sizeof(temporary), "%s.new", path);
    FILE *const file = fopen(temporary, "w");
    if (file == NULL) {
        return fail(c, temporary);
    }
    const size_t size = strlen(text);
    bool good = fwrite(text, 1, size, file) == size;
    good = fflush(file) == 0 && good;
    good = fsync(fileno(file)) == 0 && good;
    good = fclose(file) == 0 && good;
    if (!good || rename(temporary, path) != 0) {
        const int code = fail(c, path);
        (void)unlink(temporary);
        return code;
    }
    return CLI_GO_ON;
}
