// SPDX-License-Identifier: Apache-2.0
//
// Results of wsr-attack on stdout. Attacks that no batch went through yet, in
// an interrupted evaluation, are left out.

#include "attack_job.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// -------------------------------------------------------------- JSON lines

void job_start_line(char *line, const cli *c)
{
    const char *const given = wsr_config_text(c->config, "seed");
    // As the library read it: "07" is no JSON. Version and build are plain
    // words.
    const long long seed = given == NULL ? 0 : strtoll(given, NULL, 10);
    (void)snprintf(line, JOB_LINE,
                   "{\"event\":\"start\",\"tool\":\"attack\","
                   "\"version\":\"%s\",\"build\":\"%s\",\"seed\":%lld,"
                   "\"threads\":%zu}\n",
                   wsr_version(), wsr_build_info(), seed, wsr_threads());
}

void job_done_line(char *line, double seconds)
{
    (void)snprintf(line, JOB_LINE, "{\"event\":\"done\",\"seconds\":%.3f}\n",
                   seconds);
}

void job_print_start(const cli *c)
{
    char line[JOB_LINE];
    if (c->json) {
        job_start_line(line, c);
        printf("%s", line);
        (void)fflush(stdout);
    }
}

static wsr_status show_json(const job *j)
{
    char line[JOB_LINE] = "";
    char *text = NULL;
    const wsr_status status = wsr_eval_json(&text, j->eval);
    if (job_is_done(j)) {
        job_done_line(line, job_seconds(j));
    }
    printf("%s%s", text == NULL ? "" : text, line);
    wsr_text_free(text);
    return status;
}

// ------------------------------------------------------------------- a table

enum { NARROW = 12, WIDE = 44 }; // of the column of attacks

// Attacks with their options, as far as they fit.
static void print_label(const wsr_eval *s, size_t a, int width)
{
    const wsr_attack *const attack = wsr_eval_attack(s, a);
    char *spec = NULL;
    const bool known = wsr_attack_spec(&spec, attack) == WSR_OK;
    printf("%-*.*s %-4s", width, width, known ? spec : wsr_attack_name(attack),
           wsr_attack_norm(attack));
    wsr_text_free(spec);
}

static int width_of(const wsr_eval *s)
{
    size_t most = NARROW;
    for (size_t a = 0; a < wsr_eval_attacks(s); a++) {
        char *spec = NULL;
        if (wsr_attack_spec(&spec, wsr_eval_attack(s, a)) == WSR_OK) {
            most = strlen(spec) > most ? strlen(spec) : most;
        }
        wsr_text_free(spec);
    }
    return most < WIDE ? (int)most : WIDE;
}

static void print_row(const wsr_eval *s, size_t a, size_t e, int width)
{
    print_label(s, a, width);
    printf(" %7.4f  %5.1f %%  %5.1f %%  %5.1f - %-5.1f %8.4f %8.3f %8.1f\n",
           (double)wsr_eval_eps(s, e),
           100.0 * wsr_eval_get(s, a, e, WSR_EVAL_CLEAN),
           100.0 * wsr_eval_get(s, a, e, WSR_EVAL_ROBUST),
           100.0 * wsr_eval_get(s, a, e, WSR_EVAL_LOW),
           100.0 * wsr_eval_get(s, a, e, WSR_EVAL_HIGH),
           wsr_eval_get(s, a, e, WSR_EVAL_LINF),
           wsr_eval_get(s, a, e, WSR_EVAL_L2),
           wsr_eval_get(s, a, e, WSR_EVAL_SECONDS));
}

static void print_worst(const wsr_eval *s, const char *norm, int width)
{
    size_t members = 0;
    for (size_t a = 0; a < wsr_eval_attacks(s); a++) {
        const wsr_attack *const attack = wsr_eval_attack(s, a);
        members += strcmp(wsr_attack_norm(attack), norm) == 0;
    }
    if (members < 2 || wsr_eval_worst_count(s, norm) == 0) {
        return;
    }
    for (size_t e = 0; e < wsr_eval_strengths(s); e++) {
        printf("%-*s %-4s %7.4f            %5.1f %%\n", width, "worst case",
               norm, (double)wsr_eval_eps(s, e),
               100.0 * wsr_eval_worst(s, norm, e));
    }
}

static size_t largest(const wsr_eval *s)
{
    size_t best = 0;
    for (size_t e = 1; e < wsr_eval_strengths(s); e++) {
        best = wsr_eval_eps(s, e) > wsr_eval_eps(s, best) ? e : best;
    }
    return best;
}

static void print_mean(const wsr_eval *s, size_t a, int width)
{
    if (wsr_eval_strengths(s) > 1) {
        print_label(s, a, width);
        printf(" mean over the strengths: %5.1f %%\n",
               100.0 * wsr_eval_mean(s, a));
    }
}

static void print_smallest(const wsr_eval *s, size_t a, int width)
{
    const size_t e = largest(s);
    const double median = wsr_eval_get(s, a, e, WSR_EVAL_MEDIAN);
    // Without a success there is no median.
    if (wsr_attack_is_min_norm(wsr_eval_attack(s, a)) && isfinite(median)) {
        print_label(s, a, width);
        printf(" smallest changes: median %.4f, quartiles %.4f and %.4f\n",
               median, wsr_eval_get(s, a, e, WSR_EVAL_QUARTILE_1),
               wsr_eval_get(s, a, e, WSR_EVAL_QUARTILE_3));
    }
}

static void print_summaries(const wsr_eval *s, int width)
{
    print_worst(s, "linf", width);
    print_worst(s, "l2", width);
    print_worst(s, "l1", width);
    for (size_t a = 0; a < wsr_eval_attacks(s); a++) {
        if (wsr_eval_count(s, a) > 0) {
            print_mean(s, a, width);
            print_smallest(s, a, width);
        }
    }
}

static void print_cells(const wsr_eval *s, int width)
{
    for (size_t a = 0; a < wsr_eval_attacks(s); a++) {
        for (size_t e = 0; e < wsr_eval_strengths(s); e++) {
            if (wsr_eval_count(s, a) > 0) {
                print_row(s, a, e, width);
            }
        }
    }
}

// Each of the library's warnings behind the word "warning".
static void print_warnings(const char *text)
{
    while (*text != '\0') {
        const size_t n = strcspn(text, "\n");
        printf("warning: %.*s\n", (int)n, text);
        text += n + (text[n] == '\n');
    }
}

static void print_head(const cli *c, const job *j, int width)
{
    const char *const target = wsr_config_text(c->config, "attack.target");
    const char *const of = wsr_config_text(c->config, "attack.target_class");
    printf("%zu images%s; accuracies with 95 %% intervals; norms are means "
           "over attacked images\n",
           wsr_eval_count(j->eval, 0),
           j->source == NULL ? "" : ", attacked on another network");
    if (of != NULL && strtol(of, NULL, 10) >= 0) {
        const long class = strtol(of, NULL, 10);
        const char *const name = wsr_dataset_class_name(j->dataset, class);
        printf("towards class %ld%s%s%s: robust is what is recognised and not "
               "taken for it; its own images are left out\n",
               class, name == NULL ? "" : " (", name == NULL ? "" : name,
               name == NULL ? "" : ")");
    } else if (target != NULL && strcmp(target, "none") != 0) {
        printf(
            "towards the %s class: robust is what is recognised and not taken "
            "for it\n",
            target);
    }
    printf("\n%-*s %-4s %7s  %7s  %7s  %-13s %8s %8s %8s\n", width, "attack",
           "norm", "eps", "clean", "robust", "interval", "linf", "l2",
           "seconds");
}

wsr_status job_show(const cli *c, const job *j)
{
    const wsr_eval *const s = j->eval;
    char *text = NULL;
    const int width = width_of(s);
    if (wsr_eval_count(s, 0) == 0 || (c->quiet && !c->json)) {
        return WSR_OK; // interrupted before there was anything, or unwanted
    }
    if (c->json) {
        return show_json(j);
    }
    print_head(c, j, width);
    print_cells(s, width);
    print_summaries(s, width);
    const wsr_status status = wsr_eval_warnings_text(&text, s);
    print_warnings(text == NULL ? "" : text);
    wsr_text_free(text);
    return status;
}
