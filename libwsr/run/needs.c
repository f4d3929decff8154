// SPDX-License-Identifier: Apache-2.0
//
// What a run needs of the machine, and an error if the machine does not have
// it. Without the check a shortage would show hours later: operating systems
// promise memory that they do not have, and end a process when it uses it.

#define _DEFAULT_SOURCE

#include "run/run.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/statvfs.h>

static const double gib = 1024.0 * 1024 * 1024;

// Parts beyond the room of the list are dropped: the check is an estimate.
void wsr__needs_memory(wsr__needs *needs, const char *what, double bytes)
{
    if (needs->n < WSR__NEEDS && bytes > 0) {
        needs->memory[needs->n++] = (wsr__need){what, bytes};
    }
}

double wsr__needs_sum(const wsr__needs *needs)
{
    double sum = 0;
    for (size_t i = 0; i < needs->n; i++) {
        sum += needs->memory[i].bytes;
    }
    return sum;
}

// The part that the error line names, since it is the one to make smaller.
const wsr__need *wsr__needs_largest(const wsr__needs *needs)
{
    const wsr__need *most = NULL;
    for (size_t i = 0; i < needs->n; i++) {
        const wsr__need *const need = &needs->memory[i];
        most = most == NULL || need->bytes > most->bytes ? need : most;
    }
    return most;
}

static wsr_status check_memory(const wsr__needs *needs)
{
    const double sum = wsr__needs_sum(needs);
    const double have = wsr__memory_available();
    const wsr__need *const most = wsr__needs_largest(needs);
    if (most == NULL || sum <= have) {
        return WSR_OK;
    }
    return WSR_FAIL(WSR_NOMEM,
                    "memory: the run needs %.1f GiB, most of it (%.1f) for %s; "
                    "%.1f GiB are available",
                    sum / gib, most->bytes / gib, most->what, have / gib);
}

// Free bytes of the file system that holds `dir` or, while that does not
// exist, its nearest parent; infinity where the system does not say.
static wsr_status free_bytes(double *out, const char *dir)
{
    struct statvfs info;
    char *const path = wsr__strdup(dir);
    *out = HUGE_VAL;
    if (path == NULL) {
        return WSR_NOMEM;
    }
    int result = statvfs(path, &info);
    for (char *end = NULL; result != 0 && errno == ENOENT &&
                           (end = strrchr(path, '/')) != NULL && end != path;) {
        *end = '\0';
        result = statvfs(path, &info);
    }
    if (result != 0 && errno == ENOENT) {
        result = statvfs(path[0] == '/' ? "/" : ".", &info);
    }
    if (result == 0) {
        *out = (double)info.f_bavail * (double)info.f_frsize;
    }
    wsr__free(path);
    return WSR_OK;
}

static wsr_status check_disk(const wsr__needs *needs, const char *dir)
{
    double have = 0;
    const wsr_status status = free_bytes(&have, dir);
    if (status != WSR_OK || needs->disk <= have) {
        return status;
    }
    return WSR_FAIL(WSR_IO,
                    "%s: the run writes %.2f GiB, the disk has %.2f free", dir,
                    needs->disk / gib, have / gib);
}

// Both are estimates from before the run, so they compare without a margin.
wsr_status wsr__needs_check(const wsr__needs *needs, const char *dir)
{
    const wsr_status status = check_memory(needs);
    return status == WSR_OK && dir != NULL ? check_disk(needs, dir) : status;
}
