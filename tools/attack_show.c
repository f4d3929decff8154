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

// The library's own, longer lines go into results.jsonl; these are the fields
// that programs may rely on.
static void print_number(const char *key, double value)
{
    char text[40] = "null";
    if (isfinite(value)) {
        for (int digits = 6; digits <= 17; digits++) {
            (void)snprintf(text, sizeof(text), "%.*g", digits, value);
            const double back = strtod(text, NULL);
            if (!(back < value) && !(back > value)) {
                break;
            }
        }
    }
    printf(",\"%s\":%s", key, text);
}

// null where it is infinite.
static void print_eps(float value)
{
    char text[40] = "null";
    for (int digits = 1; isfinite(value) && digits <= 9; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, (double)value);
        const float back = strtof(text, NULL);
        if (!(back < value) && !(back > value)) {
            break;
        }
    }
    printf(",\"eps\":%s", text);
}

static void print_json(const wsr_spectrum *s, size_t a, size_t e)
{
    static const struct {
        const char *key;
        wsr_spectrum_value value;
    } fields[] = {{"clean_accuracy", WSR_SPECTRUM_CLEAN},
                  {"robust_accuracy", WSR_SPECTRUM_ROBUST},
                  {"mean_linf", WSR_SPECTRUM_LINF},
                  {"mean_l2", WSR_SPECTRUM_L2},
                  {"queries", WSR_SPECTRUM_QUERIES},
                  {"gradients", WSR_SPECTRUM_GRADIENTS},
                  {"seconds", WSR_SPECTRUM_SECONDS}};
    const wsr_attack *const attack = wsr_spectrum_attack(s, a);
    printf("{\"attack\":\"%s\",\"norm\":\"%s\"", wsr_attack_name(attack),
           wsr_attack_norm(attack));
    print_eps(wsr_spectrum_eps(s, e));
    printf(",\"count\":%zu", wsr_spectrum_count(s, a));
    for (size_t f = 0; f < sizeof(fields) / sizeof(fields[0]); f++) {
        print_number(fields[f].key, wsr_spectrum_get(s, a, e, fields[f].value));
    }
    printf("}\n");
}

// ------------------------------------------------------------------- a table

enum { NARROW = 12, WIDE = 44 }; // of the column of attacks

// Attacks with their options, as far as they fit.
static void print_label(const wsr_spectrum *s, size_t a, int width)
{
    const wsr_attack *const attack = wsr_spectrum_attack(s, a);
    char *spec = NULL;
    const bool known = wsr_attack_spec(&spec, attack) == WSR_OK;
    printf("%-*.*s %-4s", width, width, known ? spec : wsr_attack_name(attack),
           wsr_attack_norm(attack));
    wsr_text_free(spec);
}

static int width_of(const wsr_spectrum *s)
{
    size_t most = NARROW;
    for (size_t a = 0; a < wsr_spectrum_attacks(s); a++) {
        char *spec = NULL;
        if (wsr_attack_spec(&spec, wsr_spectrum_attack(s, a)) == WSR_OK) {
            most = strlen(spec) > most ? strlen(spec) : most;
        }
        wsr_text_free(spec);
    }
    return most < WIDE ? (int)most : WIDE;
}

static void print_row(const wsr_spectrum *s, size_t a, size_t e, int width)
{
    print_label(s, a, width);
    printf(" %7.4f  %5.1f %%  %5.1f %%  %5.1f - %-5.1f %8.4f %8.3f %8.1f\n",
           (double)wsr_spectrum_eps(s, e),
           100.0 * wsr_spectrum_get(s, a, e, WSR_SPECTRUM_CLEAN),
           100.0 * wsr_spectrum_get(s, a, e, WSR_SPECTRUM_ROBUST),
           100.0 * wsr_spectrum_get(s, a, e, WSR_SPECTRUM_LOW),
           100.0 * wsr_spectrum_get(s, a, e, WSR_SPECTRUM_HIGH),
           wsr_spectrum_get(s, a, e, WSR_SPECTRUM_LINF),
           wsr_spectrum_get(s, a, e, WSR_SPECTRUM_L2),
           wsr_spectrum_get(s, a, e, WSR_SPECTRUM_SECONDS));
}

static void print_worst(const wsr_spectrum *s, const char *norm, int width)
{
    size_t members = 0;
    for (size_t a = 0; a < wsr_spectrum_attacks(s); a++) {
        const wsr_attack *const attack = wsr_spectrum_attack(s, a);
        members += strcmp(wsr_attack_norm(attack), norm) == 0;
    }
    if (members < 2 || wsr_spectrum_worst_count(s, norm) == 0) {
        return;
    }
    for (size_t e = 0; e < wsr_spectrum_strengths(s); e++) {
        printf("%-*s %-4s %7.4f            %5.1f %%\n", width, "worst case",
               norm, (double)wsr_spectrum_eps(s, e),
               100.0 * wsr_spectrum_worst(s, norm, e));
    }
}

static size_t largest(const wsr_spectrum *s)
{
    size_t best = 0;
    for (size_t e = 1; e < wsr_spectrum_strengths(s); e++) {
        best = wsr_spectrum_eps(s, e) > wsr_spectrum_eps(s, best) ? e : best;
    }
    return best;
}

static void print_mean(const wsr_spectrum *s, size_t a, int width)
{
    if (wsr_spectrum_strengths(s) > 1) {
        print_label(s, a, width);
        printf(" mean over the strengths: %5.1f %%\n",
               100.0 * wsr_spectrum_mean(s, a));
    }
}

static void print_smallest(const wsr_spectrum *s, size_t a, int width)
{
    const size_t e = largest(s);
    const double median = wsr_spectrum_get(s, a, e, WSR_SPECTRUM_MEDIAN);
    // There is no median where nothing fell.
    if (wsr_attack_is_minimal(wsr_spectrum_attack(s, a)) && isfinite(median)) {
        print_label(s, a, width);
        printf(" smallest changes: median %.4f, quartiles %.4f and %.4f\n",
               median, wsr_spectrum_get(s, a, e, WSR_SPECTRUM_QUARTILE_1),
               wsr_spectrum_get(s, a, e, WSR_SPECTRUM_QUARTILE_3));
    }
}

static void print_summaries(const wsr_spectrum *s, int width)
{
    print_worst(s, "linf", width);
    print_worst(s, "l2", width);
    print_worst(s, "l1", width);
    for (size_t a = 0; a < wsr_spectrum_attacks(s); a++) {
        if (wsr_spectrum_count(s, a) > 0) {
            print_mean(s, a, width);
            print_smallest(s, a, width);
        }
    }
}

static void print_cells(const cli *c, const wsr_spectrum *s, int width)
{
    for (size_t a = 0; a < wsr_spectrum_attacks(s); a++) {
        for (size_t e = 0; e < wsr_spectrum_strengths(s); e++) {
            if (wsr_spectrum_count(s, a) > 0 && c->json) {
                print_json(s, a, e);
            } else if (wsr_spectrum_count(s, a) > 0) {
                print_row(s, a, e, width);
            }
        }
    }
}

// Each line of the library's advice behind the word "warning".
static void print_advice(const char *text)
{
    while (*text != '\0') {
        const size_t n = strcspn(text, "\n");
        printf("warning: %.*s\n", (int)n, text);
        text += n + (text[n] == '\n');
    }
}

wsr_status job_show(const cli *c, const job *j)
{
    const wsr_spectrum *const s = j->spectrum;
    char *text = NULL;
    const int width = width_of(s);
    wsr_status status = WSR_OK;
    if (wsr_spectrum_count(s, 0) == 0 || (c->quiet && !c->json)) {
        return WSR_OK; // interrupted before there was anything, or unwanted
    }
    if (!c->json) {
        printf("%zu images%s; accuracies with 95 %% intervals; norms are means "
               "over attacked images\n\n"
               "%-*s %-4s %7s  %7s  %7s  %-13s %8s %8s %8s\n",
               wsr_spectrum_count(s, 0),
               j->source == NULL ? "" : ", attacked on another network", width,
               "attack", "norm", "eps", "clean", "robust", "interval", "linf",
               "l2", "seconds");
    }
    print_cells(c, s, width);
    if (c->json) {
        status = wsr_spectrum_warnings(&text, s);
        printf("%s", text == NULL ? "" : text);
    } else {
        print_summaries(s, width);
        status = wsr_spectrum_advice(&text, s);
        print_advice(text == NULL ? "" : text);
    }
    wsr_text_free(text);
    return status;
}
