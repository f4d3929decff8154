// SPDX-License-Identifier: Apache-2.0
//
// wsr-train: trains a network, naturally or adversarially, evaluates it and
// writes a report. The library does all of this; this file has the tool's
// words and options.

#include "results.h"
#include "tools.h"

#include <stdio.h>

static const cli_option options[] = {
    {"genotype", "NAME|FILE", "net.genotype", "cells of the network"},
    {"data", "SPEC", "data.spec", "images: fashion-mnist, cifar10:PATH, ..."},
    {NULL, NULL, NULL, NULL},
};

static wsr_status help(const char *topic)
{
    return results_help(wsr_train_help, topic);
}

// A line of the log goes to stdout with --json; anything else is progress.
// Ctrl-C stops the run at the next call.
static bool on_progress(const wsr_progress *p, void *user)
{
    char text[160];
    if (!results_line(user, p)) {
        (void)snprintf(text, sizeof(text), "%s  %s", p->phase, p->note);
        cli_progress(user, p->part, text);
    }
    return !cli_canceled();
}

// The report is written after the run, from its folder.
static wsr_status run(cli *c)
{
    wsr_result *result = NULL;
    wsr_status status = wsr_train_run(&result, c->config, c->out,
                                      c->resume != NULL, on_progress, c);
    cli_progress_clear(c);
    const bool first = wsr_comm_rank() == 0; // it has the folder
    if (status == WSR_OK && first) {
        status = wsr_report_write(c->out);
    }
    if (status == WSR_OK && first) {
        results_eval(c, result);
    }
    if (status == WSR_OK && !c->quiet && !c->json) {
        printf("written: %s/report.html, net.safetensors, log.jsonl\n", c->out);
    }
    wsr_result_free(result);
    return status;
}

static int start(cli *c)
{
    return results_run(c, run);
}

static const cli_example examples[] = {
    {"Train a published cell against PGD, and measure it.",
     "wsr-train --genotype cna_r --data fashion-mnist --out net --set "
     "\"train.trainer=madry:eps=0.03,steps=7\""},
    {"Go on with that run after an interruption.", "wsr-train --resume net"},
    {"Say what a preset would take on this machine.",
     "wsr-train --preset quick --out unused --dry-run"},
    {NULL, NULL},
};

const cli_tool train_tool = {
    .name = "wsr-train",
    .presets = "train",
    .threads = "threads",
    .summary = "train a network to withstand attacks of many strengths",
    .usage = "--genotype NAME|FILE --data SPEC --out DIR",
    .options = options,
    .help = help,
    .cost = wsr_train_cost,
    .about =
        "Trains a network, naturally or adversarially, measures its accuracy "
        "under attacks of several strengths, and writes the network, its "
        "log and a report into a folder. An interrupted run goes on with "
        "--resume.",
    .examples = examples,
    .run = start,
};
