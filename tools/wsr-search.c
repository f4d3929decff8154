// SPDX-License-Identifier: Apache-2.0
//
// wsr-search: searches a robust cell, trains it, evaluates it and writes a
// report. The library does all of this; this file has the tool's words and
// options.

#include "cli.h"
#include "results.h"
#include "waiting.h"

#include <stdio.h>
#include <time.h>

static const cli_option options[] = {
    {"data", "SPEC", "data.spec", "images: fashion-mnist, cifar10:PATH, ..."},
    {NULL, NULL, NULL, NULL},
};

static wsr_status help(const char *topic)
{
    return results_help(wsr_search_help, topic);
}

static const cli_tool tool = {
    .name = "wsr-search",
    .presets = "search",
    .threads = "threads",
    .summary = "search cells that stay accurate under attacks of all strengths",
    .usage = "--preset quick --out DIR",
    .options = options,
    .help = help,
    .cost = wsr_search_cost,
};

// A line of the log goes to stdout with --json; anything else is progress.
// Ctrl-C stops the run at the next call.
static bool on_progress(const wsr_progress *p, void *user)
{
    char text[200];
    if (!results_line(user, p)) {
        (void)snprintf(text, sizeof(text), "%s %zu/%zu%s%s", p->phase, p->step,
                       p->steps, p->note[0] != '\0' ? ": " : "", p->note);
        cli_progress(user, p->part, text);
    }
    return !cli_canceled();
}

static double now(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// The genotype as YAML, then the evaluation.
static wsr_status summarise(const cli *c, const wsr_result *result,
                            double seconds)
{
    char *text = NULL;
    if (c->json || c->quiet) {
        return WSR_OK;
    }
    const wsr_status status =
        wsr_genotype_print(&text, wsr_result_genotype(result));
    if (status == WSR_OK) {
        printf("%s", text);
        results_eval(c, result);
        printf("%.0f s; written: %s/report.html, genotype.yaml, "
               "net.safetensors, log.jsonl\n",
               seconds, c->out);
    }
    wsr_text_free(text);
    return status;
}

// The report is written after the run, from its folder.
static wsr_status run(cli *c)
{
    const double begin = now();
    wsr_result *result = NULL;
    wsr_status status = wsr_search_run(&result, c->config, c->out,
                                       c->resume != NULL, on_progress, c);
    cli_progress_clear(c);
    if (status == WSR_OK) {
        status = wsr_report_write(c->out);
    }
    if (status == WSR_OK) {
        status = summarise(c, result, now() - begin);
    }
    wsr_result_free(result);
    return status;
}

int main(int argc, char **argv)
{
    wait_briefly(argv);
    cli c;
    const int code = cli_begin(&c, &tool, argc, argv);
    return code != CLI_GO_ON ? code : results_run(&c, run);
}
