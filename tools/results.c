// SPDX-License-Identifier: Apache-2.0

#include "results.h"

#include "out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 65536 };

// Number behind "key": in a line of the log, -1 when there is none.
static double number_of(const char *line, const char *key)
{
    char pattern[64];
    (void)snprintf(pattern, sizeof(pattern), "\"%s\":", key);
    const char *const at = strstr(line, pattern);
    if (at == NULL) {
        return -1;
    }
    const char *const text = at + strlen(pattern);
    char *end = NULL;
    const double value = strtod(text, &end);
    return end != text ? value : -1;
}

// Warnings are told while they arise, and are in the report.
static bool is_warning(const char *line)
{
    return strstr(line, "\"warning\":") != NULL;
}

// One attack at one strength, with its 95 % interval, or an attack's mean.
static void print_line(const char *line)
{
    const char *const name = strstr(line, "\"attack\":\"");
    const double eps = number_of(line, "eps");
    const double robust = 100 * number_of(line, "robust_accuracy");
    if (name == NULL) {
        return;
    }
    const int n = (int)strcspn(name + 10, "\"");
    if (eps < 0) {
        printf("  %-12.*s mean       %5.1f %%\n", n, name + 10, robust);
    } else {
        printf("  %-12.*s at %-7.4g %5.1f %%  (%.1f to %.1f)\n", n, name + 10,
               eps, robust, 100 * number_of(line, "robust_low"),
               100 * number_of(line, "robust_high"));
    }
}

void results_spectrum(const cli *c)
{
    static char line[LINE_SIZE];
    FILE *const log =
        c->quiet && !c->json ? NULL : fopen(out_path(c, "log.jsonl"), "r");
    bool first = true;
    while (log != NULL && fgets(line, sizeof(line), log) != NULL) {
        if (strncmp(line, "{\"event\":\"spectrum\",", 20) != 0) {
            continue;
        }
        if (c->json) {
            printf("%s", line);
            continue;
        }
        if (is_warning(line)) {
            continue;
        }
        if (first) {
            printf("accuracy of %.0f test images under attack:\n",
                   number_of(line, "count"));
        }
        first = false;
        print_line(line);
    }
    if (log != NULL) {
        (void)fclose(log);
    }
}
