// SPDX-License-Identifier: Apache-2.0

#include "results.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// A help text of the library on stdout.
wsr_status results_help(results_topic help, const char *topic)
{
    char *text = NULL;
    const wsr_status status = help(&text, topic);
    printf("%s", text == NULL ? "" : text);
    wsr_text_free(text);
    return status;
}

// A line of the log goes to stdout with --json. Returns whether there was one.
bool results_line(const cli *c, const wsr_progress *progress)
{
    if (progress->line != NULL && c->json) {
        printf("%s\n", progress->line);
        (void)fflush(stdout); // cli_end() looks for failures
    }
    return progress->line != NULL;
}

static void print_cell(const wsr_eval *eval, size_t a, size_t e)
{
    printf("  %-12s at %-7.4g %5.1f %%  (%.1f to %.1f)\n",
           wsr_attack_name(wsr_eval_attack(eval, a)),
           (double)wsr_eval_eps(eval, e),
           100 * wsr_eval_get(eval, a, e, WSR_EVAL_ROBUST),
           100 * wsr_eval_get(eval, a, e, WSR_EVAL_LOW),
           100 * wsr_eval_get(eval, a, e, WSR_EVAL_HIGH));
}

// The evaluation as a short table; wsr-attack has a longer one.
void results_eval(const cli *c, const wsr_result *result)
{
    const wsr_eval *const eval = wsr_result_eval(result);
    if (c->quiet || c->json || eval == NULL) {
        return;
    }
    printf("accuracy of %zu test images under attack:\n",
           wsr_eval_count(eval, 0));
    for (size_t a = 0; a < wsr_eval_attacks(eval); a++) {
        for (size_t e = 0; e < wsr_eval_strengths(eval); e++) {
            print_cell(eval, a, e);
        }
    }
    for (size_t a = 0; a < wsr_eval_attacks(eval); a++) {
        const double mean = wsr_eval_mean(eval, a);
        if (!isnan(mean)) { // there are strengths above 0
            printf("  %-12s mean       %5.1f %%\n",
                   wsr_attack_name(wsr_eval_attack(eval, a)), 100 * mean);
        }
    }
}

// ---------------------------------------------------------------- --dry-run

// Ctrl-C stops the timing.
static bool on_timing(const wsr_progress *progress, void *user)
{
    (void)progress;
    (void)user;
    return !cli_canceled();
}

// Two numbers at most: "3 h 5 min", "12 min", "40 s".
static void print_time(double seconds)
{
    const long long minutes = (long long)(seconds / 60 + 0.5);
    if (seconds < 90) {
        printf("%.0f s", seconds);
    } else if (minutes < 90) {
        printf("%lld min", minutes);
    } else if (minutes < 48 * 60) {
        printf("%lld h %lld min", minutes / 60, minutes % 60);
    } else {
        printf("%lld days %lld h", minutes / 60 / 24, minutes / 60 % 24);
    }
}

static void print_bytes(double bytes)
{
    const double mib = 1024.0 * 1024;
    if (bytes < 1024 * mib) {
        printf("%.1f MiB", bytes / mib);
    } else {
        printf("%.1f GiB", bytes / mib / 1024);
    }
}

static void print_cost(const wsr_cost *cost)
{
    printf("time:   ");
    print_time(cost->seconds);
    for (size_t i = 0; cost->stages > 1 && i < cost->stages; i++) {
        printf("%s%s ", i == 0 ? " (" : ", ", cost->stage[i]);
        print_time(cost->stage_seconds[i]);
    }
    printf("%s\nmemory: ", cost->stages > 1 ? ")" : "");
    print_bytes(cost->memory_bytes);
    printf("\ndisk:   ");
    print_bytes(cost->disk_bytes);
    printf("\n");
}

static void print_cost_json(const wsr_cost *cost)
{
    printf("{\"event\":\"cost\",\"seconds\":%.6g,\"memory_bytes\":%.0f,"
           "\"disk_bytes\":%.0f,\"stages\":{",
           cost->seconds, cost->memory_bytes, cost->disk_bytes);
    for (size_t i = 0; i < cost->stages; i++) {
        printf("%s\"%s\":%.6g", i == 0 ? "" : ",", cost->stage[i],
               cost->stage_seconds[i]);
    }
    printf("}}\n");
}

wsr_status results_cost(cli *c)
{
    wsr_cost cost;
    const wsr_status status = c->tool->cost(&cost, c->config, on_timing, c);
    if (status == WSR_OK && c->json) {
        print_cost_json(&cost);
    } else if (status == WSR_OK) {
        print_cost(&cost);
    }
    return status;
}

int results_run(cli *c, wsr_status (*run)(cli *c))
{
    static const char folder[] = "dir: ";
    if (c->dry_run) {
        return cli_end(c, results_cost(c));
    }
    const wsr_status status = run(c);
    // Without a folder a run gets as far as its configuration is right.
    if (status == WSR_ARG && c->out == NULL &&
        strncmp(wsr_error_detail(), folder, sizeof(folder) - 1) == 0) {
        const int code =
            cli_usage(c, "--out: a folder for the results is needed");
        (void)cli_end(c, WSR_OK);
        return code;
    }
    return cli_end(c, status);
}
