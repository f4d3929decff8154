// SPDX-License-Identifier: Apache-2.0
//
// wsr-search: search a robust cell, train it, measure it, draw a report. All
// of the work is in the library; here are words around it.

#include "cli.h"
#include "out.h"
#include "results.h"
#include "waiting.h"
#include "wsr/search.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const cli_option options[] = {
    {"data", "SPEC", "data.spec", "images: fashion-mnist, cifar10:PATH, ..."},
    {NULL, NULL, NULL, NULL},
};

static wsr_status help(const char *topic)
{
    char *text = NULL;
    const wsr_status status = wsr_search_help(&text, topic);
    printf("%s", text == NULL ? "" : text);
    wsr_text_free(text);
    return status;
}

static const cli_tool tool = {
    .name = "wsr-search",
    .presets = "search",
    .threads = "threads",
    .summary = "search cells that stay accurate under attacks of all strengths",
    .usage = "--preset quick --out DIR",
    .options = options,
    .help = help,
};

static bool on_progress(const char *phase, size_t done, size_t total,
                        const char *note, void *user)
{
    char text[200];
    (void)snprintf(text, sizeof(text), "%s %zu/%zu%s%s", phase, done, total,
                   note != NULL && note[0] != '\0' ? ": " : "",
                   note != NULL ? note : "");
    cli_progress(user, total > 0 ? (double)done / (double)total : 0.0, text);
    results_follow(user);
    return !cli_canceled();
}

static double now(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static wsr_status print_genotype(const cli *c)
{
    wsr_genotype *genotype = NULL;
    char *text = NULL;
    wsr_status status =
        wsr_genotype_load(&genotype, out_path(c, "genotype.yaml"));
    if (status == WSR_OK) {
        status = wsr_genotype_print(&text, genotype);
    }
    if (status == WSR_OK) {
        printf("%s", text);
    }
    wsr_text_free(text);
    wsr_genotype_free(genotype);
    return status;
}

static wsr_status summarise(const cli *c, double seconds)
{
    if (c->json || c->quiet) {
        return WSR_OK;
    }
    const wsr_status status = print_genotype(c);
    if (status == WSR_OK) {
        results_eval(c);
        printf("%.0f s; written: %s/report.html, genotype.yaml, "
               "net.safetensors, log.jsonl\n",
               seconds, c->out);
    }
    return status;
}

static wsr_status run(cli *c)
{
    const double begin = now();
    wsr_status status =
        wsr_search_run(c->config, c->out, c->resume != NULL, on_progress, c);
    cli_progress_clear(c);
    if (status == WSR_OK) {
        status = wsr_report_write(c->out);
    }
    return status == WSR_OK ? summarise(c, now() - begin) : status;
}

int main(int argc, char **argv)
{
    wait_briefly(argv);
    cli c;
    const int code = cli_begin(&c, &tool, argc, argv);
    return code != CLI_GO_ON ? code : results_run(&c, run);
}
