// SPDX-License-Identifier: Apache-2.0
//
// The lines of an evaluation in a log: accuracies, which become curves over
// strengths, and warnings. Of two lines about one strength of a curve the later
// one counts.

#include "report/collect.h"

#include <math.h>
#include <string.h>

// --------------------------------------------------------------- accuracies

// The name of the curve; no attack has a blank in its name.
static const char worst[] = "worst case";

// Summaries of the worst case make a curve of their own.
static const char *attack_of(const wsr_log_reader *line)
{
    return wsr__streq(wsr__report_text(line, "summary"), "worst_case")
               ? worst
               : wsr__report_text(line, "attack");
}

// A curve is identified by network, attack, options and norm.
static bool is_curve(const wsr__report_curve *c, const wsr_log_reader *line)
{
    return wsr__streq(c->net, wsr__report_text(line, "net")) &&
           wsr__streq(c->attack, attack_of(line)) &&
           wsr__streq(c->options, wsr__report_text(line, "options")) &&
           wsr__streq(c->norm, wsr__report_text(line, "norm"));
}

// Frees what a curve owns, not the curve, which lies in an array.
static void free_curve(wsr__report_curve *c)
{
    for (size_t i = 0; i < c->n; i++) {
        wsr__free(c->points[i].classes);
    }
    wsr__free(c->net);
    wsr__free(c->attack);
    wsr__free(c->options);
    wsr__free(c->norm);
    wsr__free(c->points);
    wsr__free(c->steps);
}

// NULL: no line has been about this curve yet.
static wsr__report_curve *find_curve(const wsr__report *report,
                                     const wsr_log_reader *line)
{
    for (size_t i = 0; i < report->n_curves; i++) {
        if (is_curve(&report->curves[i], line)) {
            return &report->curves[i];
        }
    }
    return NULL;
}

// Found, or made without points. Curves may move when one is added.
static wsr_status curve_of(wsr__report_curve **out, wsr__report *report,
                           const wsr_log_reader *line)
{
    *out = find_curve(report, line);
    if (*out != NULL) {
        return WSR_OK;
    }
    void *all = report->curves;
    const wsr_status status = wsr__reserve(&all, &report->curves_capacity,
                                           report->n_curves + 1,
                                           sizeof(*report->curves));
    report->curves = all;
    if (status != WSR_OK) {
        return status;
    }
    wsr__report_curve made = {
        .net = wsr__strdup(wsr__report_text(line, "net")),
        .attack = wsr__strdup(attack_of(line)),
        .options = wsr__strdup(wsr__report_text(line, "options")),
        .norm = wsr__strdup(wsr__report_text(line, "norm")),
        .mean = NAN};
    if (made.net == NULL || made.attack == NULL || made.options == NULL ||
        made.norm == NULL) {
        free_curve(&made);
        return WSR_NOMEM;
    }
    *out = &report->curves[report->n_curves];
    report->curves[report->n_curves++] = made;
    return WSR_OK;
}

// Fields had other names in earlier versions.
static double first_number(const wsr_log_reader *line, const char *a,
                           const char *b)
{
    const double value = wsr_log_reader_number(line, a);
    return isnan(value) ? wsr_log_reader_number(line, b) : value;
}

// Intervals are computed where a line has none but says how many images there
// were.
static wsr__report_strength strength_of(const wsr_log_reader *line)
{
    wsr__report_strength p = {
        .eps = wsr_log_reader_number(line, "eps"),
        .clean = wsr_log_reader_number(line, "clean_accuracy"),
        .robust = wsr_log_reader_number(line, "robust_accuracy"),
        .low = first_number(line, "low", "robust_low"),
        .high = first_number(line, "high", "robust_high"),
        .quantized = wsr_log_reader_number(line, "quantized_accuracy"),
        .quantized_low = wsr_log_reader_number(line, "quantized_low"),
        .quantized_high = wsr_log_reader_number(line, "quantized_high"),
        .count = wsr_log_reader_number(line, "count"),
    };
    if ((isnan(p.low) || isnan(p.high)) && p.count > 0.0) {
        wsr__wilson(&p.low, &p.high, p.robust, p.count);
    }
    return p;
}

// null: the images at hand have none of that class.
static wsr_status take_classes(wsr__report_strength *p,
                               const wsr_log_reader *line)
{
    static const char key[] = "class_accuracy";
    const size_t n = wsr_log_reader_length(line, key);
    if (n == 0) {
        return WSR_OK;
    }
    p->classes = wsr__alloc(n, sizeof(*p->classes));
    if (p->classes == NULL) {
        return WSR_NOMEM;
    }
    p->n_classes = n;
    for (size_t i = 0; i < n; i++) {
        p->classes[i] = wsr_log_reader_item(line, key, i);
    }
    return WSR_OK;
}

// The point becomes the curve's; it is in the caller's hands on failure.
static wsr_status put_strength(wsr__report_curve *c,
                               const wsr__report_strength *p)
{
    void *points = c->points;
    const wsr_status status =
        wsr__reserve(&points, &c->capacity, c->n + 1, sizeof(*p));
    c->points = points;
    if (status != WSR_OK) {
        return status;
    }
    size_t at = c->n;
    while (at > 0 && c->points[at - 1].eps >= p->eps) {
        at--;
    }
    if (at == c->n || c->points[at].eps > p->eps) {
        memmove(&c->points[at + 1], &c->points[at], (c->n - at) * sizeof(*p));
        c->n++;
    } else {
        wsr__free(c->points[at].classes);
    }
    c->points[at] = *p;
    return WSR_OK;
}

// Curves of attacks, the worst case left out.
static size_t curves_of_norm(const wsr__report *report, const char *norm)
{
    size_t n = 0;
    for (size_t i = 0; i < report->n_curves; i++) {
        n += wsr__streq(report->curves[i].norm, norm) &&
             !wsr__streq(report->curves[i].attack, worst);
    }
    return n;
}

// Whether a line is a point of a curve. The worst case of one attack is that
// attack; means are no points. Several attacks make a worst case of their own.
static bool is_point(const wsr__report *report, const wsr_log_reader *line)
{
    const char *const summary = wsr__report_text(line, "summary");
    return summary[0] == '\0' ||
           (wsr__streq(summary, "worst_case") &&
            curves_of_norm(report, wsr__report_text(line, "norm")) > 1);
}

// A point, or the mean over all strengths of a curve that exists.
wsr_status wsr__report_on_eval(wsr__report *report, const wsr_log_reader *line)
{
    wsr__report_strength p = strength_of(line);
    wsr_status status = WSR_OK;
    wsr__report_curve *c = find_curve(report, line);
    if (wsr__streq(wsr__report_text(line, "summary"), "mean") && c != NULL) {
        c->mean = p.robust;
    }
    if (!is_point(report, line) || isnan(p.eps) || isnan(p.robust)) {
        return WSR_OK;
    }
    const size_t classes = wsr_log_reader_length(line, "class_accuracy");
    report->classes = classes > 0 ? classes : report->classes;
    WSR_TRY(curve_of(&c, report, line));
    WSR_TRY(take_classes(&p, line));
    WSR_TRY(put_strength(c, &p));
    p.classes = NULL;
out:
    wsr__free(p.classes);
    return status;
}

// The steps of a line; of two lines about one curve the later one counts.
static wsr_status take_steps(wsr__report_curve *c, const wsr_log_reader *line)
{
    const size_t n = wsr_log_reader_length(line, "eps");
    wsr__report_point *const steps = wsr__alloc(n, sizeof(*steps));
    if (steps == NULL) {
        return WSR_NOMEM;
    }
    wsr__free(c->steps);
    c->steps = steps;
    c->n_steps = 0;
    for (size_t i = 0; i < n; i++) {
        const double x = wsr_log_reader_item(line, "eps", i);
        const double y = wsr_log_reader_item(line, "robust_accuracy", i);
        if (!isnan(x) && !isnan(y)) {
            steps[c->n_steps++] = (wsr__report_point){x, y};
        }
    }
    return WSR_OK;
}

// A curve that was measured at strength infinity alone has no point yet; it
// gets that of the clean images.
wsr_status wsr__report_on_curve(wsr__report *report, const wsr_log_reader *line)
{
    wsr_status status = WSR_OK;
    wsr__report_curve *c = NULL;
    WSR_TRY(curve_of(&c, report, line));
    WSR_TRY(take_steps(c, line));
    if (c->n == 0 && c->n_steps > 0) {
        const double count = wsr_log_reader_number(line, "count");
        const double clean = c->steps[0].y;
        wsr__report_strength p = {.clean = clean,
                                  .quantized = NAN,
                                  .quantized_low = NAN,
                                  .quantized_high = NAN,
                                  .robust = clean,
                                  .low = NAN,
                                  .high = NAN,
                                  .count = count};
        if (count > 0) {
            wsr__wilson(&p.low, &p.high, clean, count);
        }
        WSR_TRY(put_strength(c, &p));
    }
out:
    return status;
}

// ------------------------------------------------------------------ warnings

// Texts are NULL where copying failed.
static void free_warning(wsr__report_warning *w)
{
    wsr__free(w->name);
    wsr__free(w->attack);
    wsr__free(w->norm);
    wsr__free(w->detail);
    wsr__free(w->remedy);
}

// Warnings are kept in their order, and shown in it.
wsr_status wsr__report_on_warning(wsr__report *report,
                                  const wsr_log_reader *line)
{
    void *all = report->warnings;
    const wsr_status status = wsr__reserve(&all, &report->warnings_capacity,
                                           report->n_warnings + 1,
                                           sizeof(*report->warnings));
    report->warnings = all;
    if (status != WSR_OK) {
        return status;
    }
    wsr__report_warning made = {
        .name = wsr__strdup(wsr__report_text(line, "warning")),
        .attack = wsr__strdup(wsr__report_text(line, "attack")),
        .norm = wsr__strdup(wsr__report_text(line, "norm")),
        .eps = wsr_log_reader_number(line, "eps"),
        .detail = wsr__strdup(wsr__report_text(line, "detail")),
        .remedy = wsr__strdup(wsr__report_text(line, "remedy"))};
    if (made.name == NULL || made.attack == NULL || made.norm == NULL ||
        made.detail == NULL || made.remedy == NULL) {
        free_warning(&made);
        return WSR_NOMEM;
    }
    report->warnings[report->n_warnings++] = made;
    return WSR_OK;
}

// The rest of the report is collect.c's to free.
void wsr__report_clear_evals(wsr__report *report)
{
    for (size_t i = 0; i < report->n_curves; i++) {
        free_curve(&report->curves[i]);
    }
    for (size_t i = 0; i < report->n_warnings; i++) {
        free_warning(&report->warnings[i]);
    }
    wsr__free(report->curves);
    wsr__free(report->warnings);
}
