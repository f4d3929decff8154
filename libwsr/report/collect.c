// SPDX-License-Identifier: Apache-2.0
//
// What the lines of a log say. Lines come from programs that may know more
// than this file does, and from runs that were killed and resumed: unknown
// things are passed over, and the last word on an epoch counts.

#include "report/report.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

// --------------------------------------------------------------------- texts

// Replace a text by a copy of a JSON string or integer; others leave it.
static wsr_status set_text(char **text, const json_t *value)
{
    char number[32];
    const char *from = json_string_value(value);
    if (json_is_integer(value)) {
        (void)snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
                       json_integer_value(value));
        from = number;
    }
    if (from == NULL) {
        return WSR_OK;
    }
    char *const copy = wsr__strdup(from);
    if (copy == NULL) {
        return WSR_NOMEM;
    }
    wsr__free(*text);
    *text = copy;
    return WSR_OK;
}

static const char *text_of(const json_t *line, const char *key)
{
    const char *const text = json_string_value(json_object_get(line, key));
    return text == NULL ? "" : text;
}

static double number_of(const json_t *line, const char *key)
{
    const json_t *const value = json_object_get(line, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

// -------------------------------------------------------------------- series

static wsr__report_series *find_series(wsr__report *report,
                                       wsr__report_kind kind, const char *phase,
                                       const char *name)
{
    for (size_t i = 0; i < report->n_series; i++) {
        wsr__report_series *const s = &report->series[i];
        if (s->kind == kind && wsr__streq(s->phase, phase) &&
            wsr__streq(s->name, name)) {
            return s;
        }
    }
    return NULL;
}

static wsr_status add_series(wsr__report_series **out, wsr__report *report,
                             wsr__report_kind kind, const char *phase,
                             const char *name)
{
    wsr__report_series made = {.kind = kind};
    void *all = report->series;
    wsr_status status = wsr__reserve(&all, &report->series_capacity,
                                     report->n_series + 1,
                                     sizeof(*report->series));
    report->series = all;
    WSR_TRY(status);
    made.phase = wsr__strdup(phase);
    made.name = wsr__strdup(name);
    if (made.phase == NULL || made.name == NULL) {
        wsr__free(made.phase);
        wsr__free(made.name);
        return WSR_NOMEM;
    }
    *out = &report->series[report->n_series];
    report->series[report->n_series++] = made;
out:
    return status;
}

// Points stay in the order of epochs; one of the same epoch is replaced.
static wsr_status put_point(wsr__report_series *s, double x, double y)
{
    void *points = s->points;
    const wsr_status status =
        wsr__reserve(&points, &s->capacity, s->n + 1, sizeof(*s->points));
    s->points = points;
    if (status != WSR_OK) {
        return status;
    }
    size_t at = s->n;
    while (at > 0 && s->points[at - 1].x >= x) {
        at--;
    }
    if (at == s->n || s->points[at].x > x) {
        memmove(&s->points[at + 1], &s->points[at],
                (s->n - at) * sizeof(*s->points));
        s->n++;
    }
    s->points[at] = (wsr__report_point){x, y};
    return WSR_OK;
}

static wsr_status put(wsr__report *report, wsr__report_kind kind,
                      const char *phase, const char *name,
                      wsr__report_point point)
{
    wsr__report_series *s = find_series(report, kind, phase, name);
    wsr_status status = WSR_OK;
    if (s == NULL) {
        WSR_TRY(add_series(&s, report, kind, phase, name));
    }
    WSR_TRY(put_point(s, point.x, point.y));
out:
    return status;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text);
    const size_t m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

// WSR__REPORT_KINDS for a field that is not drawn.
static wsr__report_kind kind_of(const char *name)
{
    if (strstr(name, "accuracy") != NULL) {
        return WSR__REPORT_ACCURACY;
    }
    if (ends_with(name, "objective")) {
        return WSR__REPORT_OBJECTIVE;
    }
    if (strncmp(name, "loss", 4) == 0) {
        return WSR__REPORT_LOSS;
    }
    if (ends_with(name, "_loss")) {
        return WSR__REPORT_LESSON;
    }
    if (strstr(name, "correlation") != NULL ||
        strstr(name, "kendall") != NULL || strstr(name, "spearman") != NULL ||
        wsr__streq(name, "tau") || ends_with(name, "_tau")) {
        return WSR__REPORT_CORRELATION;
    }
    return WSR__REPORT_KINDS;
}

// ------------------------------------------------------------------- epochs

// A field that is a number, or a list of numbers ("loss" at each strength).
static wsr_status put_field(wsr__report *report, const char *phase,
                            const char *name, const json_t *value, double epoch)
{
    const wsr__report_kind kind = kind_of(name);
    wsr_status status = WSR_OK;
    if (kind == WSR__REPORT_KINDS) {
        return WSR_OK;
    }
    if (json_is_number(value)) {
        return put(report, kind, phase, name,
                   (wsr__report_point){epoch, json_number_value(value)});
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *const item = json_array_get(value, i);
        char numbered[128];
        (void)snprintf(numbered, sizeof(numbered), "%.100s %zu", name, i + 1);
        if (json_is_number(item)) {
            WSR_TRY(put(report, kind, phase, numbered,
                        (wsr__report_point){epoch, json_number_value(item)}));
        }
    }
out:
    return status;
}

// Seconds by what they were spent on, as an object "time" or as fields
// "time_attack"; `left` loses them.
static wsr_status put_parts(wsr__report *report, json_t *fields,
                            const char *prefix, const char *phase,
                            wsr__report_point *left)
{
    wsr_status status = WSR_OK;
    const size_t length = strlen(prefix);
    const char *name = NULL;
    const json_t *value = NULL;
    json_object_foreach(fields, name, value)
    {
        if (json_is_number(value) && strncmp(name, prefix, length) == 0) {
            const double s = json_number_value(value);
            WSR_TRY(put(report, WSR__REPORT_TIME, phase, name + length,
                        (wsr__report_point){left->x, s}));
            left->y -= s;
        }
    }
out:
    return status;
}

static wsr_status put_times(wsr__report *report, json_t *line,
                            const char *phase, double epoch)
{
    wsr_status status = WSR_OK;
    const double seconds = number_of(line, "seconds");
    wsr__report_point left = {epoch, seconds};
    json_t *const times = json_object_get(line, "time");
    WSR_TRY(put_parts(report, times, "", phase, &left));
    WSR_TRY(put_parts(report, line, "time_", phase, &left));
    if (left.y > 0.0) {
        const char *const whole = phase[0] == '\0' ? "epochs" : phase;
        WSR_TRY(put(report, WSR__REPORT_TIME, phase,
                    left.y < seconds ? "other" : whole, left));
    }
out:
    return status;
}

static wsr_status on_epoch(wsr__report *report, json_t *line)
{
    wsr_status status = WSR_OK;
    const char *const phase = text_of(line, "phase");
    const double epoch = number_of(line, "epoch");
    const char *name = NULL;
    const json_t *value = NULL;
    if (isnan(epoch)) {
        return WSR_OK;
    }
    json_object_foreach(line, name, value)
    {
        WSR_TRY(put_field(report, phase, name, value, epoch));
    }
    WSR_TRY(put_times(report, line, phase, epoch));
out:
    return status;
}

// ------------------------------------------------------------------- spectra

static const char worst[] = "worst case";

// Summaries of the worst case make a curve of their own.
static const char *attack_of(const json_t *line)
{
    return wsr__streq(text_of(line, "summary"), "worst_case")
               ? worst
               : text_of(line, "attack");
}

static bool is_curve(const wsr__report_curve *c, const json_t *line)
{
    return wsr__streq(c->net, text_of(line, "net")) &&
           wsr__streq(c->attack, attack_of(line)) &&
           wsr__streq(c->options, text_of(line, "options")) &&
           wsr__streq(c->norm, text_of(line, "norm"));
}

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
}

static wsr__report_curve *find_curve(const wsr__report *report,
                                     const json_t *line)
{
    for (size_t i = 0; i < report->n_curves; i++) {
        if (is_curve(&report->curves[i], line)) {
            return &report->curves[i];
        }
    }
    return NULL;
}

static wsr_status curve_of(wsr__report_curve **out, wsr__report *report,
                           const json_t *line)
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
    wsr__report_curve made = {.net = wsr__strdup(text_of(line, "net")),
                              .attack = wsr__strdup(attack_of(line)),
                              .options = wsr__strdup(text_of(line, "options")),
                              .norm = wsr__strdup(text_of(line, "norm")),
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

static double first_number(const json_t *line, const char *a, const char *b)
{
    const double value = number_of(line, a);
    return isnan(value) ? number_of(line, b) : value;
}

static wsr__report_strength strength_of(const json_t *line)
{
    wsr__report_strength p = {
        .eps = number_of(line, "eps"),
        .clean = number_of(line, "clean_accuracy"),
        .robust = number_of(line, "robust_accuracy"),
        .low = first_number(line, "low", "robust_low"),
        .high = first_number(line, "high", "robust_high"),
        .count = number_of(line, "count"),
    };
    if ((isnan(p.low) || isnan(p.high)) && p.count > 0.0) {
        wsr__wilson(&p.low, &p.high, p.robust, p.count);
    }
    return p;
}

static wsr_status take_classes(wsr__report_strength *p, const json_t *line)
{
    const json_t *const list = json_object_get(line, "class_accuracy");
    const size_t n = json_array_size(list);
    if (n == 0) {
        return WSR_OK;
    }
    p->classes = wsr__alloc(n, sizeof(*p->classes));
    if (p->classes == NULL) {
        return WSR_NOMEM;
    }
    p->n_classes = n;
    for (size_t i = 0; i < n; i++) {
        const json_t *const value = json_array_get(list, i);
        p->classes[i] = json_is_number(value) ? json_number_value(value)
                                              : (double)NAN;
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
// attack; means are no points.
static bool is_point(const wsr__report *report, const json_t *line)
{
    const char *const summary = text_of(line, "summary");
    return summary[0] == '\0' ||
           (wsr__streq(summary, "worst_case") &&
            curves_of_norm(report, text_of(line, "norm")) > 1);
}

static wsr_status on_eval(wsr__report *report, const json_t *line)
{
    wsr__report_strength p = strength_of(line);
    wsr_status status = WSR_OK;
    wsr__report_curve *c = find_curve(report, line);
    if (wsr__streq(text_of(line, "summary"), "mean") && c != NULL) {
        c->mean = p.robust;
    }
    if (!is_point(report, line) || isnan(p.eps) || isnan(p.robust)) {
        return WSR_OK;
    }
    const size_t classes =
        json_array_size(json_object_get(line, "class_accuracy"));
    report->classes = classes > 0 ? classes : report->classes;
    WSR_TRY(curve_of(&c, report, line));
    WSR_TRY(take_classes(&p, line));
    WSR_TRY(put_strength(c, &p));
    p.classes = NULL;
out:
    wsr__free(p.classes);
    return status;
}

// ------------------------------------------------------------------ warnings

static void free_warning(wsr__report_warning *w)
{
    wsr__free(w->name);
    wsr__free(w->attack);
    wsr__free(w->norm);
    wsr__free(w->detail);
    wsr__free(w->remedy);
}

static wsr_status on_warning(wsr__report *report, const json_t *line)
{
    void *all = report->warnings;
    const wsr_status status = wsr__reserve(&all, &report->warnings_capacity,
                                           report->n_warnings + 1,
                                           sizeof(*report->warnings));
    report->warnings = all;
    if (status != WSR_OK) {
        return status;
    }
    wsr__report_warning made = {.name = wsr__strdup(text_of(line, "warning")),
                                .attack = wsr__strdup(text_of(line, "attack")),
                                .norm = wsr__strdup(text_of(line, "norm")),
                                .eps = number_of(line, "eps"),
                                .detail = wsr__strdup(text_of(line, "detail")),
                                .remedy = wsr__strdup(text_of(line, "remedy"))};
    if (made.name == NULL || made.attack == NULL || made.norm == NULL ||
        made.detail == NULL || made.remedy == NULL) {
        free_warning(&made);
        return WSR_NOMEM;
    }
    report->warnings[report->n_warnings++] = made;
    return WSR_OK;
}

// --------------------------------------------------------------------- lines

static wsr_status on_start(wsr__report *report, const json_t *line)
{
    wsr_status status = WSR_OK;
    WSR_TRY(set_text(&report->tool, json_object_get(line, "tool")));
    WSR_TRY(set_text(&report->version, json_object_get(line, "version")));
    WSR_TRY(set_text(&report->build, json_object_get(line, "build")));
    WSR_TRY(set_text(&report->seed, json_object_get(line, "seed")));
    WSR_TRY(set_text(&report->threads, json_object_get(line, "threads")));
out:
    return status;
}

// Older logs have "evaluation" in place of the others, or no event at all.
static bool is_evaluation(const json_t *line, const char *event)
{
    static const char *const events[] = {"eval", "summary", "warning"};
    bool known = json_object_get(line, "event") == NULL;
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        known = known || wsr__streq(event, events[i]);
    }
    return known;
}

static wsr_status on_line(wsr__report *report, json_t *line)
{
    const char *const event = text_of(line, "event");
    if (wsr__streq(event, "start")) {
        return on_start(report, line);
    }
    if (wsr__streq(event, "epoch")) {
        return on_epoch(report, line);
    }
    if (wsr__streq(event, "genotype")) {
        return set_text(&report->text, json_object_get(line, "text"));
    }
    if (wsr__streq(event, "done")) {
        report->seconds = number_of(line, "seconds");
        return WSR_OK;
    }
    if (!is_evaluation(line, event)) {
        return WSR_OK;
    }
    return text_of(line, "warning")[0] != '\0' ? on_warning(report, line)
                                               : on_eval(report, line);
}

static bool is_blank(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (strchr(" \t\r", text[i]) == NULL) {
            return false;
        }
    }
    return true;
}

wsr_status wsr__report_log(wsr__report *report, const char *text, size_t size,
                           const char *name)
{
    size_t number = 1;
    for (size_t at = 0; at < size; number++) {
        const char *const feed = memchr(text + at, '\n', size - at);
        const size_t length = feed == NULL ? size - at
                                           : (size_t)(feed - (text + at));
        json_error_t error;
        wsr_status status = WSR_OK;
        if (!is_blank(text + at, length)) {
            errno = 0;
            json_t *const line = json_loadb(text + at, length, 0, &error);
            if (errno == ENOMEM) { // whatever Jansson made of it
                status = WSR_FAIL(WSR_NOMEM, "out of memory: the log (%s:%zu)",
                                  name, number);
            } else if (json_is_object(line)) {
                status = on_line(report, line);
            } else if (feed != NULL) {
                status = WSR_FAIL(WSR_FORMAT,
                                  "log: a line is not a JSON object (%s:%zu)",
                                  name, number);
            }
            json_decref(line);
        }
        if (status != WSR_OK) {
            return status;
        }
        at += length + 1;
    }
    return WSR_OK;
}

void wsr__report_clear(wsr__report *report)
{
    for (size_t i = 0; i < report->n_series; i++) {
        wsr__free(report->series[i].phase);
        wsr__free(report->series[i].name);
        wsr__free(report->series[i].points);
    }
    for (size_t i = 0; i < report->n_curves; i++) {
        free_curve(&report->curves[i]);
    }
    for (size_t i = 0; i < report->n_warnings; i++) {
        free_warning(&report->warnings[i]);
    }
    wsr__free(report->series);
    wsr__free(report->curves);
    wsr__free(report->warnings);
    wsr__st_free(report->images);
    wsr__free(report->tool);
    wsr__free(report->version);
    wsr__free(report->build);
    wsr__free(report->seed);
    wsr__free(report->threads);
    wsr__free(report->text);
    wsr_config_free(report->config);
    wsr_genotype_free(report->genotype);
    *report = (wsr__report){.seconds = NAN};
}
