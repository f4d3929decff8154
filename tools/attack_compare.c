// SPDX-License-Identifier: Apache-2.0

#include "attack_compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const wsr_log_reader *line, const char *key)
{
    const char *const text = wsr_log_reader_text(line, key);
    return text == NULL ? "" : text;
}

// A heading for each pair of runs.
static void print_row(const wsr_log_reader *line)
{
    const char *const options = text_of(line, "options");
    char attack[64];
    (void)snprintf(attack, sizeof(attack), "%s%s%s", text_of(line, "attack"),
                   options[0] == '\0' ? "" : ":", options);
    if (strcmp(text_of(line, "attack"), "clean") == 0) {
        printf("\n%s against %s: %.0f images\n%-36s %-4s %7s %7s %7s %7s  "
               "%-15s %9s %8s\n",
               text_of(line, "a"), text_of(line, "b"),
               wsr_log_reader_number(line, "count"), "attack", "norm", "eps",
               "first", "second", "differ", "95 % interval", "alone", "p");
    }
    printf("%-36.36s %-4s %7.4f %6.1f%% %6.1f%% %+7.1f  %+6.1f to %+-6.1f "
           "%4.0f %4.0f %8.2g\n",
           attack, text_of(line, "norm"), wsr_log_reader_number(line, "eps"),
           100 * wsr_log_reader_number(line, "a_accuracy"),
           100 * wsr_log_reader_number(line, "b_accuracy"),
           100 * wsr_log_reader_number(line, "difference"),
           100 * wsr_log_reader_number(line, "low"),
           100 * wsr_log_reader_number(line, "high"),
           wsr_log_reader_number(line, "only_a"),
           wsr_log_reader_number(line, "only_b"),
           wsr_log_reader_number(line, "p_mid"));
}

static wsr_status print_table(const char *path)
{
    wsr_log_reader *log = NULL;
    bool more = false;
    wsr_status status = wsr_log_reader_open(&log, path);
    if (status == WSR_OK) {
        status = wsr_log_reader_next(&more, log);
    }
    while (status == WSR_OK && more) {
        print_row(log);
        status = wsr_log_reader_next(&more, log);
    }
    wsr_log_reader_close(log);
    return status;
}

// With --json the lines of the file as they are.
static wsr_status print_json(const char *path)
{
    char line[4096];
    FILE *const file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        printf("%s", line);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return WSR_OK;
}

static wsr_status show(const cli *c)
{
    char path[4096];
    const int n = snprintf(path, sizeof(path), "%s/differences.jsonl", c->out);
    if (c->quiet || n < 0 || (size_t)n >= sizeof(path)) {
        return WSR_OK;
    }
    if (c->json) {
        return print_json(path);
    }
    const wsr_status status = print_table(path);
    printf("\nwritten: %s/report.html, differences.csv, differences.jsonl\n",
           c->out);
    return status;
}

int attack_compare(cli *c)
{
    if (c->out == NULL || c->resume != NULL || c->dry_run) {
        const int code = cli_usage(
            c, c->out == NULL
                   ? "--out: a folder for the comparison is needed"
                   : "--compare goes with neither --dry-run nor --resume");
        (void)cli_end(c, WSR_OK);
        return code;
    }
    wsr_status status = wsr_report_compare(c->list, c->n_list, c->out);
    if (status == WSR_OK) {
        status = show(c);
    }
    return cli_end(c, status);
}
