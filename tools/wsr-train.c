// SPDX-License-Identifier: Apache-2.0
//
// Train a network from a genotype, naturally or adversarially, and measure its
// accuracy over a spectrum of attack strengths.

#include "cli.h"
#include "out.h"
#include "waiting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 65536 };

static const cli_option options[] = {
    {"genotype", "NAME|FILE", "net.genotype", "cells of the network"},
    {"data", "SPEC", "data.spec", "images: fashion-mnist, cifar10:PATH, ..."},
    {NULL, NULL, NULL, NULL},
};

static const cli_tool tool = {
    .name = "wsr-train",
    .presets = "train",
    .threads = "threads",
    .summary = "train a network to withstand attacks of many strengths",
    .usage = "--genotype NAME|FILE --data SPEC --out DIR",
    .options = options,
    .help = wsr_train_help,
};

static bool on_progress(const char *phase, size_t done, size_t total,
                        const char *note, void *user)
{
    char text[160];
    (void)snprintf(text, sizeof(text), "%s  %s", phase, note);
    cli_progress(user, (double)done / (double)total, text);
    return !cli_canceled();
}

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

static void show_line(const cli *c, const char *line)
{
    if (strncmp(line, "{\"event\":\"spectrum\",", 20) != 0) {
        return;
    }
    if (c->json) {
        printf("%s", line);
        return;
    }
    const char *const name = strstr(line, "\"attack\":\"");
    if (name != NULL && number_of(line, "eps") >= 0) {
        printf("%.*s at %g: %.1f %% (clean %.1f %%)\n",
               (int)strcspn(name + 10, "\""), name + 10, number_of(line, "eps"),
               100 * number_of(line, "robust_accuracy"),
               100 * number_of(line, "clean_accuracy"));
    }
}

// The spectrum is in the log, also of a run that was done before.
static void show_spectrum(const cli *c)
{
    static char line[LINE_SIZE];
    FILE *const log = fopen(out_path(c, "log.jsonl"), "r");
    if (log == NULL || (c->quiet && !c->json)) {
        if (log != NULL) {
            (void)fclose(log);
        }
        return;
    }
    while (fgets(line, sizeof(line), log) != NULL) {
        show_line(c, line);
    }
    (void)fclose(log);
    if (!c->json) {
        printf("written: %s/net.safetensors, log.jsonl, report.html\n", c->out);
    }
}

int main(int argc, char **argv)
{
    wait_briefly(argv);
    cli c;
    int code = cli_begin(&c, &tool, argc, argv);
    if (code != CLI_GO_ON) {
        return code;
    }
    if (c.out == NULL) {
        code = cli_usage(&c, "--out: a folder for the results is needed");
    } else {
        code = out_check(&c);
    }
    if (code != CLI_GO_ON) {
        (void)cli_end(&c, WSR_OK);
        return code;
    }
    wsr_status status =
        wsr_train_run(c.config, c.out, c.resume != NULL, on_progress, &c);
    cli_progress_clear(&c);
    if (status == WSR_OK) {
        status = wsr_report_write(c.out);
    }
    if (status == WSR_OK) {
        show_spectrum(&c);
    }
    return cli_end(&c, status);
}
