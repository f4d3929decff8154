// SPDX-License-Identifier: Apache-2.0
//
// Train a network from a genotype, naturally or adversarially, and measure its
// accuracy over attack strengths.

#include "cli.h"
#include "out.h"
#include "results.h"
#include "waiting.h"

#include <stdio.h>

static const cli_option options[] = {
    {"genotype", "NAME|FILE", "net.genotype", "cells of the network"},
    {"data", "SPEC", "data.spec", "images: fashion-mnist, cifar10:PATH, ..."},
    {NULL, NULL, NULL, NULL},
};

static wsr_status help(const char *topic)
{
    char *text = NULL;
    const wsr_status status = wsr_train_help(&text, topic);
    printf("%s", text == NULL ? "" : text);
    wsr_text_free(text);
    return status;
}

static const cli_tool tool = {
    .name = "wsr-train",
    .presets = "train",
    .threads = "threads",
    .summary = "train a network to withstand attacks of many strengths",
    .usage = "--genotype NAME|FILE --data SPEC --out DIR",
    .options = options,
    .help = help,
};

static bool on_progress(const char *phase, size_t done, size_t total,
                        const char *note, void *user)
{
    char text[160];
    (void)snprintf(text, sizeof(text), "%s  %s", phase, note);
    cli_progress(user, (double)done / (double)total, text);
    results_follow(user);
    return !cli_canceled();
}

static wsr_status run(cli *c)
{
    wsr_status status =
        wsr_train_run(c->config, c->out, c->resume != NULL, on_progress, c);
    cli_progress_clear(c);
    if (status == WSR_OK) {
        status = wsr_report_write(c->out);
    }
    if (status == WSR_OK) {
        results_eval(c);
    }
    if (status == WSR_OK && !c->quiet && !c->json) {
        printf("written: %s/report.html, net.safetensors, log.jsonl\n", c->out);
    }
    return status;
}

int main(int argc, char **argv)
{
    wait_briefly(argv);
    cli c;
    const int code = cli_begin(&c, &tool, argc, argv);
    return code != CLI_GO_ON ? code : results_run(&c, run);
}
