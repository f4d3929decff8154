// SPDX-License-Identifier: Apache-2.0
//
// Results of wsr-attack as a table on stdout. Attacks for which no batch is
// complete, in an interrupted evaluation, are left out.

#include "attack_show.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NARROW = 12, WIDE = 44 }; // of the column of attacks

// An attack with its options, cut to the width of the column, and its norm.
static void print_label(const wsr_eval *s, size_t a, int width)
{
    const wsr_attack *const attack = wsr_eval_attack(s, a);
    char *spec = NULL;
    const bool known = wsr_attack_spec(&spec, attack) == WSR_OK;
    printf("%-*.*s %-4s", width, width, known ? spec : wsr_attack_name(attack),
           wsr_attack_norm(attack));
    wsr_text_free(spec);
}

// The column is as wide as its longest spec, within bounds.
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

// One attack at one strength.
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

// The worst case over a single attack would repeat its row.
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

// Quartiles of a minimum-norm attack are those at the largest strength, which
// most images reach.
static size_t largest(const wsr_eval *s)
{
    size_t best = 0;
    for (size_t e = 1; e < wsr_eval_strengths(s); e++) {
        best = wsr_eval_eps(s, e) > wsr_eval_eps(s, best) ? e : best;
    }
    return best;
}

// A mean over one strength would repeat its row.
static void print_mean(const wsr_eval *s, size_t a, int width)
{
    if (wsr_eval_strengths(s) > 1) {
        print_label(s, a, width);
        printf(" mean over the strengths: %5.1f %%\n",
               100.0 * wsr_eval_mean(s, a));
    }
}

// Only minimum-norm attacks have a smallest change.
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

// What survives rounding to 8 bits, beside what is robust without it.
static void print_quantized(const wsr_eval *s, size_t a, int width)
{
    for (size_t e = 0; e < wsr_eval_strengths(s); e++) {
        const double share = wsr_eval_get(s, a, e, WSR_EVAL_QUANTIZED);
        if (isfinite(share)) {
            print_label(s, a, width);
            printf(" %7.4f  rounded to 8 bits: %5.1f %%  %5.1f - %-5.1f\n",
                   (double)wsr_eval_eps(s, e), 100.0 * share,
                   100.0 * wsr_eval_get(s, a, e, WSR_EVAL_QUANTIZED_LOW),
                   100.0 * wsr_eval_get(s, a, e, WSR_EVAL_QUANTIZED_HIGH));
        }
    }
}

// Norms without attacks print nothing.
static void print_summaries(const wsr_eval *s, int width)
{
    print_worst(s, "linf", width);
    print_worst(s, "l2", width);
    print_worst(s, "l1", width);
    for (size_t a = 0; a < wsr_eval_attacks(s); a++) {
        if (wsr_eval_count(s, a) > 0) {
            print_mean(s, a, width);
            print_smallest(s, a, width);
            print_quantized(s, a, width);
        }
    }
}

// Rows in the order of attacks and strengths.
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

// Whether an option was given with a value other than `none`.
static bool is_set(const cli *c, const char *key, const char *none)
{
    const char *const text = wsr_config_text(c->config, key);
    return text != NULL && text[0] != '\0' && strcmp(text, none) != 0;
}

// Targeted attacks change the meaning of "robust", so the head says it.
static void print_target(const cli *c, const wsr_eval *s)
{
    if (is_set(c, "attack.target_class", "-1")) {
        const char *const text =
            wsr_config_text(c->config, "attack.target_class");
        const long class = strtol(text, NULL, 10);
        const char *const name =
            wsr_dataset_class_name(wsr_eval_dataset(s), class);
        printf("towards class %ld%s%s%s: robust is what is recognised and not "
               "taken for it; its own images are left out\n",
               class, name == NULL ? "" : " (", name == NULL ? "" : name,
               name == NULL ? "" : ")");
    } else if (is_set(c, "attack.target", "none")) {
        printf(
            "towards the %s class: robust is what is recognised and not taken "
            "for it\n",
            wsr_config_text(c->config, "attack.target"));
    }
}

static void print_head(const cli *c, const wsr_eval *s, int width)
{
    const bool transfer = is_set(c, "source.file", "");
    printf("%zu images%s; accuracies with 95 %% intervals; norms are means "
           "over attacked images\n",
           wsr_eval_count(s, 0),
           transfer ? ", attacked on another network" : "");
    print_target(c, s);
    printf("\n%-*s %-4s %7s  %7s  %7s  %-13s %8s %8s %8s\n", width, "attack",
           "norm", "eps", "clean", "robust", "interval", "linf", "l2",
           "seconds");
}

// With --verbose, the lines that scripts for AutoAttack's log look for.
static wsr_status show_log(const cli *c, const wsr_eval *s)
{
    char *text = NULL;
    if (cli_value(c, "verbose") == NULL) {
        return WSR_OK;
    }
    const wsr_status status = wsr_eval_progress_text(&text, s);
    printf("%s\n", text == NULL ? "" : text);
    wsr_text_free(text);
    return status;
}

// Log, head, cells, summaries, warnings.
static wsr_status show_eval(const cli *c, const wsr_eval *s)
{
    char *text = NULL;
    const int width = width_of(s);
    if (show_log(c, s) != WSR_OK) {
        return WSR_NOMEM;
    }
    print_head(c, s, width);
    print_cells(s, width);
    print_summaries(s, width);
    const wsr_status status = wsr_eval_warnings_text(&text, s);
    print_warnings(text == NULL ? "" : text);
    wsr_text_free(text);
    return status;
}

// The released measure has neither intervals nor norms.
static void show_released(const wsr_result *result)
{
    const float *eps = NULL;
    const double *accuracy = NULL;
    const size_t n = wsr_result_released(&eps, &accuracy, result);
    printf("as the research code measures, which is no measure of "
           "robustness\n\n%-12s %-4s %7s  %7s\n",
           "attack", "norm", "eps", "robust");
    for (size_t e = 0; e < n; e++) {
        printf("%-12s %-4s %7.4f  %5.1f %%\n", "pgd", "linf", (double)eps[e],
               100.0 * accuracy[e]);
    }
}

// ------------------------------------------------------------- corruptions

enum { SEVERITIES = 5 };

// A dash stands for a severity that was not asked for or not reached.
static void print_share(double share)
{
    if (isnan(share)) {
        printf("      -");
    } else {
        printf("  %5.1f", 100.0 * share);
    }
}

// Half the length of the longest interval: all are of the same number of
// images.
static double widest(const wsr_corruption_eval *s)
{
    double most = 0;
    for (size_t i = 0; i < wsr_corruption_eval_size(s); i++) {
        for (int severity = 1; severity <= SEVERITIES; severity++) {
            double low;
            double high;
            const double share =
                wsr_corruption_eval_accuracy(&low, &high, s, i, severity);
            most = isnan(share) ? most : fmax(most, (high - low) / 2);
        }
    }
    return most;
}

static void print_corruption(const wsr_corruption_eval *s, size_t i)
{
    double sum = 0;
    double n = 0;
    printf("%-18s", wsr_corruption_eval_name(s, i));
    for (int severity = 1; severity <= SEVERITIES; severity++) {
        const double share =
            wsr_corruption_eval_accuracy(NULL, NULL, s, i, severity);
        print_share(share);
        sum += isnan(share) ? 0 : share;
        n += !isnan(share);
    }
    print_share(sum / n);
    printf("\n");
}

static void show_corruptions(const wsr_corruption_eval *s)
{
    const double clean = wsr_corruption_eval_clean(NULL, NULL, s);
    if (isnan(clean)) {
        return;
    }
    printf("\n%zu images, %.1f %% recognised; per cent under corruptions of "
           "severity 1 to 5 (95 %% intervals: at most +- %.1f)\n\n%-18s",
           wsr_corruption_eval_images(s), 100.0 * clean, 100.0 * widest(s),
           "corruption");
    for (int severity = 1; severity <= SEVERITIES; severity++) {
        printf("      %d", severity);
    }
    printf("   mean\n");
    for (size_t i = 0; i < wsr_corruption_eval_size(s); i++) {
        print_corruption(s, i);
    }
    printf("%-18s", "mean");
    for (int severity = 1; severity <= SEVERITIES; severity++) {
        print_share(wsr_corruption_eval_mean(s, severity));
    }
    print_share(wsr_corruption_eval_mean(s, 0));
    printf("\n");
}

// ----------------------------------------------------------------- hessian

static void show_hessian(const wsr_hessian *h)
{
    const double top = wsr_hessian_get(h, WSR_HESSIAN_TOP);
    const double input = wsr_hessian_get(h, WSR_HESSIAN_INPUT_TOP);
    if (!isnan(top)) {
        printf("\nHessian of the loss by %zu parameters: largest eigenvalue "
               "%.4g (%.0f products, relative error %.1g)",
               wsr_hessian_size(h), top,
               wsr_hessian_get(h, WSR_HESSIAN_ITERATIONS),
               wsr_hessian_get(h, WSR_HESSIAN_PRODUCT_ERROR));
        if (!isnan(wsr_hessian_get(h, WSR_HESSIAN_TRACE))) {
            printf(", trace %.4g +- %.2g",
                   wsr_hessian_get(h, WSR_HESSIAN_TRACE),
                   wsr_hessian_get(h, WSR_HESSIAN_TRACE_ERROR));
        }
        printf("\n");
    }
    if (!isnan(input)) {
        printf("\nHessian of the loss of an image by its pixels: largest "
               "eigenvalue %.4g +- %.2g, at most %.4g; trace %.4g +- %.2g\n",
               input, wsr_hessian_get(h, WSR_HESSIAN_INPUT_TOP_ERROR),
               wsr_hessian_get(h, WSR_HESSIAN_INPUT_TOP_MOST),
               wsr_hessian_get(h, WSR_HESSIAN_INPUT_TRACE),
               wsr_hessian_get(h, WSR_HESSIAN_INPUT_TRACE_ERROR));
    }
}

// A released evaluation has no wsr_eval, only accuracies.
wsr_status attack_show(const cli *c, const wsr_result *result)
{
    const wsr_eval *const eval = wsr_result_eval(result);
    const wsr_corruption_eval *const corruptions =
        wsr_result_corruptions(result);
    const wsr_hessian *const hessian = wsr_result_hessian(result);
    wsr_status status = WSR_OK;
    if (c->quiet || c->json) {
        return WSR_OK;
    }
    if (eval != NULL) {
        status = show_eval(c, eval);
    } else if (wsr_result_released(NULL, NULL, result) > 0) {
        show_released(result);
    }
    if (corruptions != NULL) {
        show_corruptions(corruptions);
    }
    if (hessian != NULL) {
        show_hessian(hessian);
    }
    return status;
}
