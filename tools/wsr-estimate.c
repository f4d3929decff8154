// SPDX-License-Identifier: Apache-2.0
//
// wsr-estimate: trains estimators of adversarial noise and compares them with
// PGD. The library does all of this; this file has the tool's words, options
// and its table.

#include "results.h"
#include "tools.h"

#include <stdio.h>
#include <string.h>

static const cli_option options[] = {
    {"networks", "LIST", "networks", "genotypes and FILE.safetensors"},
    {"variants", "LIST", "variants", "estimators: an,an:fidelity=released"},
    {"data", "SPEC", "data.spec", "images: fashion-mnist, cifar10:PATH, ..."},
    {NULL, NULL, NULL, NULL},
};

static wsr_status help(const char *topic)
{
    return results_help(wsr_estimate_help, topic);
}

// A line of the log goes to stdout with --json; anything else is progress.
// Ctrl-C stops the run at the next call.
static bool on_progress(const wsr_progress *p, void *user)
{
    char text[256];
    if (!results_line(user, p)) {
        (void)snprintf(text, sizeof(text), "%s  %s", p->phase, p->note);
        cli_progress(user, p->part, text);
    }
    return !cli_canceled();
}

// A heading for each network and variant, with the time that it saves.
static void print_heading(const wsr_estimate_row *r)
{
    printf("%s on %s%s: clean %.1f %% of %zu images", r->variant, r->net,
           r->seen ? "" : " (new to it)", 100 * r->clean_accuracy, r->count);
    if (r->seconds > 0 && r->pgd_seconds > 0) { // false for no number
        printf(", %.0f times as fast as PGD", r->pgd_seconds / r->seconds);
    }
    printf("\n");
}

static void print_rows(const cli *c, const wsr_result *result)
{
    const wsr_estimate_row *rows = NULL;
    const size_t n = wsr_result_estimates(&rows, result);
    if (c->quiet || c->json) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const wsr_estimate_row *const r = &rows[i];
        if (i == 0 || strcmp(r->net, r[-1].net) != 0 ||
            strcmp(r->variant, r[-1].variant) != 0) {
            print_heading(r);
        }
        printf("  at %-7.4g PGD %5.1f %%  estimated %5.1f %%  (%.1f to %.1f)  "
               "cosine %.2f\n",
               r->eps, 100 * r->pgd_accuracy, 100 * r->accuracy, 100 * r->low,
               100 * r->high, r->cosine);
    }
}

// The report is written after the run, from its folder.
static wsr_status run(cli *c)
{
    wsr_result *result = NULL;
    wsr_status status = wsr_estimate_run(&result, c->config, c->out,
                                         c->resume != NULL, on_progress, c);
    cli_progress_clear(c);
    const bool first = wsr_comm_rank() == 0; // it has the folder
    if (status == WSR_OK && first) {
        status = wsr_report_write(c->out);
    }
    if (status == WSR_OK && first) {
        print_rows(c, result);
    }
    if (status == WSR_OK && !c->quiet && !c->json) {
        printf("written: %s/report.html, estimator-*.safetensors, results.csv, "
               "log.jsonl\n",
               c->out);
    }
    wsr_result_free(result);
    return status;
}

static int start(cli *c)
{
    return results_run(c, run);
}

static const cli_example examples[] = {
    {"Compare the estimators of a preset.",
     "wsr-estimate --preset quick --out bench"},
    {"Compare two estimators on a network of your own.",
     "wsr-estimate --preset quick --networks net/net.safetensors --variants "
     "an,e_plus --out own"},
    {NULL, NULL},
};

const cli_tool estimate_tool = {
    .name = "wsr-estimate",
    .presets = "estimate",
    .threads = "threads",
    .summary = "train estimators of adversarial noise and compare them with "
               "PGD",
    .usage = "--networks LIST --data SPEC --out DIR",
    .options = options,
    .help = help,
    .cost = wsr_estimate_cost,
    .about = "Trains estimators of adversarial noise on the noise of given "
             "networks, "
             "and compares their estimates with PGD at equal norm: accuracy, "
             "direction and time. It writes a table, the estimators, the log "
             "and a report into a folder.",
    .examples = examples,
    .run = start,
};
