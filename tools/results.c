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

static bool begins(const char *line, const char *text)
{
    return strncmp(line, text, strlen(text)) == 0;
}

void results_eval(const cli *c)
{
    static char line[LINE_SIZE];
    FILE *const log =
        c->quiet || c->json ? NULL : fopen(out_path(c, "log.jsonl"), "r");
    bool first = true;
    while (log != NULL && fgets(line, sizeof(line), log) != NULL) {
        // Warnings are told while they arise, and are in the report.
        if (!begins(line, "{\"event\":\"eval\",") &&
            !begins(line, "{\"event\":\"summary\",\"summary\":\"mean\",")) {
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

void results_follow(const cli *c)
{
    static long shown; // bytes of the log
    static char part[LINE_SIZE];
    FILE *const log =
        c->json && c->out != NULL ? fopen(out_path(c, "log.jsonl"), "r") : NULL;
    if (log == NULL || fseek(log, shown, SEEK_SET) != 0) {
        return;
    }
    for (size_t n = 0; (n = fread(part, 1, sizeof(part), log)) > 0;) {
        (void)fwrite(part, 1, n, stdout);
        shown += (long)n;
    }
    (void)fflush(stdout); // cli_end() looks for failures
    (void)fclose(log);
}

int results_run(cli *c, wsr_status (*run)(cli *c))
{
    const wsr_status status = run(c);
    results_follow(c);
    // Without a folder a run gets as far as its configuration is right.
    if (status == WSR_ARG && c->out == NULL &&
        begins(wsr_error_detail(), "dir: ")) {
        const int code =
            cli_usage(c, "--out: a folder for the results is needed");
        (void)cli_end(c, WSR_OK);
        return code;
    }
    return cli_end(c, status);
}
