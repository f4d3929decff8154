// SPDX-License-Identifier: Apache-2.0
//
// Tells how much memory the process may still use: what Linux can give without
// swapping, within the limits of the process and of the control groups that it
// is in (containers, batch systems). Where a system says nothing of the kind
// the answer is infinity, and nothing is refused.

#define _DEFAULT_SOURCE // sysconf's _SC_PAGESIZE

#include "base/base.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LINE = 512 };

// The number behind `key` in a file of lines "key number", -1 without one. An
// empty key takes the first number of the file.
static double number_in(const char *path, const char *key)
{
    char line[LINE];
    double found = -1;
    FILE *const file = fopen(path, "r");
    const size_t n = strlen(key);
    while (file != NULL && found < 0 && fgets(line, LINE, file) != NULL) {
        char *end = NULL;
        if (strncmp(line, key, n) == 0) {
            const unsigned long long value = strtoull(line + n, &end, 10);
            found = end != line + n ? (double)value : -1;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return found;
}

// Bytes that are in use by this process, which a forecast counts itself.
static double resident(void)
{
    char line[LINE] = "";
    char *end = NULL;
    FILE *const file = fopen("/proc/self/statm", "r");
    if (file == NULL) {
        return 0;
    }
    const bool read = fgets(line, LINE, file) != NULL;
    (void)fclose(file);
    (void)strtoull(line, &end, 10); // the address space
    const long page = sysconf(_SC_PAGESIZE);
    return read ? (double)strtoull(end, NULL, 10) * (double)page : 0;
}

// What one folder of control groups leaves, infinity where it sets no limit.
// Memory of files counts as used there, but is given back on demand.
static double group_leaves(const char *dir, bool unified)
{
    char path[2 * LINE];
    (void)snprintf(path, sizeof(path), "%s/%s", dir,
                   unified ? "memory.max" : "memory.limit_in_bytes");
    const double most = number_in(path, "");
    (void)snprintf(path, sizeof(path), "%s/memory.stat", dir);
    const double used = number_in(path, unified ? "anon " : "total_rss ");
    return most < 0 ? HUGE_VAL : most - (used > 0 ? used : 0);
}

// The group of the process and all groups above it.
static double groups_leave(void)
{
    char line[LINE];
    double least = HUGE_VAL;
    FILE *const file = fopen("/proc/self/cgroup", "r");
    while (file != NULL && fgets(line, LINE, file) != NULL) {
        const bool unified = strncmp(line, "0::", 3) == 0;
        char *const name = strstr(line, unified ? "::" : ":memory:");
        char dir[LINE + 64];
        if (name == NULL) {
            continue;
        }
        char *const path = strchr(name + (unified ? 0 : 1), '/');
        line[strcspn(line, "\n")] = '\0';
        for (char *end = path; path != NULL && end != NULL;) {
            (void)snprintf(dir, sizeof(dir), "/sys/fs/cgroup%s%s",
                           unified ? "" : "/memory", path);
            least = fmin(least, group_leaves(dir, unified));
            end = strrchr(path, '/');
            if (end != NULL) {
                *end = '\0';
            }
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return least;
}

double wsr__memory_free(void)
{
    struct rlimit limit = {0};
    const double kilobytes = number_in("/proc/meminfo", "MemAvailable:");
    double least = kilobytes < 0 ? HUGE_VAL : 1024 * kilobytes;
    least = fmin(least, groups_leave());
    const double own = resident();
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        least = fmin(least, (double)limit.rlim_cur - own);
    }
    return fmax(least, 0);
}

double wsr__memory_available(void)
{
    return wsr__memory_free() + resident();
}
