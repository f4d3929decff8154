// SPDX-License-Identifier: Apache-2.0
//
// wsr-search: searches a robust cell, trains it, evaluates it and writes a
// report. The library does all of this; this file has the tool's words and
// options.

#include "results.h"
#include "tools.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const cli_option options[] = {
    {"data", "SPEC", "data.spec", "images: fashion-mnist, cifar10:PATH, ..."},
    {NULL, NULL, NULL, NULL},
};

static wsr_status help(const char *topic)
{
    return results_help(wsr_search_help, topic);
}

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
    if (wsr_result_genotype(result) == NULL) {
        printf("%.0f s; written: %s/table.jsonl, table.md, log.jsonl\n",
               seconds, c->out);
        return WSR_OK;
    }
    const wsr_status status =
        wsr_genotype_print(&text, wsr_result_genotype(result));
    if (status == WSR_OK) {
        const bool trained = wsr_result_eval(result) != NULL;
        printf("%s", text);
        results_eval(c, result);
        printf("%.0f s; written: %s/report.html, genotype.yaml, %slog.jsonl\n",
               seconds, c->out, trained ? "net.safetensors, " : "");
    }
    wsr_text_free(text);
    return status;
}

// The searches of a comparison have reports of their own, in their folders.
static wsr_status report_on(const cli *c, const char *searcher)
{
    char dir[4096];
    const int n = snprintf(dir, sizeof(dir), "%s/%s", c->out, searcher);
    return n > 0 && (size_t)n < sizeof(dir) ? wsr_report_write(dir) : WSR_OK;
}

// A line of the table of a comparison, for a person.
static void print_searcher(const cli *c, const wsr_log_reader *log)
{
    if (c->json || c->quiet) {
        return;
    }
    printf("%-22s %7.3f M passes, %6.0f s, objective %+.4f against random, "
           "skips %.0f %%, clean %.1f %%, robust %.1f %%\n",
           wsr_log_reader_text(log, "searcher"),
           1e-6 * wsr_log_reader_number(log, "passes"),
           wsr_log_reader_number(log, "search_seconds"),
           wsr_log_reader_number(log, "objective") -
               wsr_log_reader_number(log, "random_baseline_objective"),
           100 * wsr_log_reader_number(log, "skip_share"),
           100 * wsr_log_reader_number(log, "clean_accuracy"),
           100 * wsr_log_reader_number(log, "robust_accuracy"));
}

// Nothing where the run was no comparison.
static wsr_status finish_comparison(const cli *c)
{
    char path[4096];
    wsr_log_reader *log = NULL;
    bool more = true;
    (void)snprintf(path, sizeof(path), "%s/log.jsonl", c->out);
    wsr_status status = wsr_log_reader_open(&log, path);
    while (status == WSR_OK && more) {
        status = wsr_log_reader_next(&more, log);
        if (status == WSR_OK && more &&
            strcmp(wsr_log_reader_event(log), "compare") == 0) {
            print_searcher(c, log);
            status = report_on(c, wsr_log_reader_text(log, "searcher"));
        }
    }
    wsr_log_reader_close(log);
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
    const bool first = wsr_comm_rank() == 0; // it has the folder
    if (status == WSR_OK && first) {
        status = wsr_report_write(c->out);
    }
    if (status == WSR_OK && first) {
        status = finish_comparison(c);
    }
    if (status == WSR_OK && first) {
        status = summarise(c, result, now() - begin);
    }
    wsr_result_free(result);
    return status;
}

static int start(cli *c)
{
    return results_run(c, run);
}

static const cli_example examples[] = {
    {"Search on Fashion-MNIST, within minutes.",
     "wsr-search --preset quick --out run"},
    {"Go on with that run after an interruption.", "wsr-search --resume run"},
    {"Search with another method and another seed.",
     "wsr-search --preset quick --set searcher.name=random --seed 2 --out "
     "random"},
    {NULL, NULL},
};

const cli_tool search_tool = {
    .name = "wsr-search",
    .presets = "search",
    .threads = "threads",
    .summary = "search cells that stay accurate under attacks of all strengths",
    .usage = "--preset quick --out DIR",
    .options = options,
    .help = help,
    .cost = wsr_search_cost,
    .about =
        "Trains a supernet, searches in it a cell whose network stays accurate "
        "under attacks of many strengths, trains that network from "
        "scratch, measures it, and writes the cell, the network, the log "
        "and a report into a folder. An interrupted run goes on with "
        "--resume.",
    .examples = examples,
    .run = start,
};
