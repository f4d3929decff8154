// SPDX-License-Identifier: Apache-2.0
//
// Reads the lines of a log (log.jsonl, a JSON object a line) into a
// wsr__report. Numbers over epochs become series; collect_eval.c takes
// accuracies and warnings. Lines come from programs that may know more than
// this file does, and from runs that were killed and resumed: unknown fields
// and events are passed over, and of two lines about one epoch the later
// counts.

#include "report/collect.h"

#include <math.h>
#include <string.h>

// --------------------------------------------------------------------- texts

static bool has(const wsr_log_reader *line, const char *key)
{
    size_t i = 0;
    while (i < wsr_log_reader_keys(line) &&
           !wsr__streq(wsr_log_reader_key(line, i), key)) {
        i++;
    }
    return i < wsr_log_reader_keys(line);
}

// Replace a text by a copy of a field that is a text or a whole number; others
// leave it. Whole numbers beyond 2^53 are not exact in a double.
static wsr_status set_text(char **text, const wsr_log_reader *line,
                           const char *key)
{
    char number[32];
    const char *from = wsr_log_reader_text(line, key);
    const double value = wsr_log_reader_number(line, key);
    if (fabs(value) <= 0x1p53 && value == floor(value)) {
        (void)snprintf(number, sizeof(number), "%.0f", value);
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

const char *wsr__report_text(const wsr_log_reader *line, const char *key)
{
    const char *const text = wsr_log_reader_text(line, key);
    return text == NULL ? "" : text;
}

// -------------------------------------------------------------------- series

// A series is identified by kind, phase and name.
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

// Series may move when one is added: no pointer to one is kept.
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

// Makes the series at its first point.
wsr_status wsr__report_put(wsr__report *report, wsr__report_kind kind,
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

// An empty end ends every text.
static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text);
    const size_t m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

// What a field of a line is, told by its name: programs name fields by one
// rule, so a new loss is drawn without a change here. WSR__REPORT_KINDS stands
// for a field that is not drawn.
static wsr__report_kind kind_of(const char *name)
{
    if (strstr(name, "accuracy") != NULL) {
        return WSR__REPORT_ACCURACY;
    }
    if (ends_with(name, "_share")) {
        return WSR__REPORT_SHARE;
    }
    if (ends_with(name, "objective")) {
        return WSR__REPORT_OBJECTIVE;
    }
    if (strncmp(name, "loss", 4) == 0) {
        return WSR__REPORT_LOSS;
    }
    if (ends_with(name, "_loss")) {
        return WSR__REPORT_SURROGATE;
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
                            const wsr_log_reader *line, const char *name,
                            double epoch)
{
    const wsr__report_kind kind = kind_of(name);
    const double value = wsr_log_reader_number(line, name);
    wsr_status status = WSR_OK;
    // Members of objects, "time.attack", are not drawn.
    if (kind == WSR__REPORT_KINDS || strchr(name, '.') != NULL) {
        return WSR_OK;
    }
    if (!isnan(value)) {
        return wsr__report_put(report, kind, phase, name,
                               (wsr__report_point){epoch, value});
    }
    for (size_t i = 0; i < wsr_log_reader_length(line, name); i++) {
        const double item = wsr_log_reader_item(line, name, i);
        char numbered[128];
        (void)snprintf(numbered, sizeof(numbered), "%.100s %zu", name, i + 1);
        if (!isnan(item)) {
            WSR_TRY(wsr__report_put(report, kind, phase, numbered,
                                    (wsr__report_point){epoch, item}));
        }
    }
out:
    return status;
}

// Seconds by what they were spent on, as an object "time" or as fields
// "time_attack"; `left` loses them.
static wsr_status put_parts(wsr__report *report, const wsr_log_reader *line,
                            const char *prefix, const char *phase,
                            wsr__report_point *left)
{
    wsr_status status = WSR_OK;
    const size_t length = strlen(prefix);
    for (size_t i = 0; i < wsr_log_reader_keys(line); i++) {
        const char *const name = wsr_log_reader_key(line, i);
        const double s = wsr_log_reader_number(line, name);
        if (!isnan(s) && strncmp(name, prefix, length) == 0) {
            WSR_TRY(wsr__report_put(report, WSR__REPORT_TIME, phase,
                                    name + length,
                                    (wsr__report_point){left->x, s}));
            left->y -= s;
        }
    }
out:
    return status;
}

// What no part accounts for becomes "other", or the phase itself if there are
// no parts.
static wsr_status put_times(wsr__report *report, const wsr_log_reader *line,
                            const char *phase, double epoch)
{
    wsr_status status = WSR_OK;
    const double seconds = wsr_log_reader_number(line, "seconds");
    wsr__report_point left = {epoch, seconds};
    WSR_TRY(put_parts(report, line, "time.", phase, &left));
    WSR_TRY(put_parts(report, line, "time_", phase, &left));
    if (left.y > 0.0) {
        const char *const whole = phase[0] == '\0' ? "epochs" : phase;
        WSR_TRY(wsr__report_put(report, WSR__REPORT_TIME, phase,
                                left.y < seconds ? "other" : whole, left));
    }
out:
    return status;
}

// A line without an epoch has no place on the axis.
static wsr_status on_epoch(wsr__report *report, const wsr_log_reader *line)
{
    wsr_status status = WSR_OK;
    const char *const phase = wsr__report_text(line, "phase");
    const double epoch = wsr_log_reader_number(line, "epoch");
    if (isnan(epoch)) {
        return WSR_OK;
    }
    for (size_t i = 0; i < wsr_log_reader_keys(line); i++) {
        WSR_TRY(
            put_field(report, phase, line, wsr_log_reader_key(line, i), epoch));
    }
    WSR_TRY(put_times(report, line, phase, epoch));
out:
    return status;
}

// --------------------------------------------------------------------- lines

static wsr_status on_start(wsr__report *report, const wsr_log_reader *line)
{
    wsr_status status = WSR_OK;
    WSR_TRY(set_text(&report->tool, line, "tool"));
    WSR_TRY(set_text(&report->version, line, "version"));
    WSR_TRY(set_text(&report->build, line, "build"));
    WSR_TRY(set_text(&report->seed, line, "seed"));
    WSR_TRY(set_text(&report->threads, line, "threads"));
out:
    return status;
}

// An evaluation has one of these events. Older logs have "evaluation" in place
// of them, or no event at all.
static bool is_evaluation(const wsr_log_reader *line, const char *event)
{
    static const char *const events[] = {"eval", "summary", "warning"};
    bool known = !has(line, "event");
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        known = known || wsr__streq(event, events[i]);
    }
    return known;
}

typedef wsr_status (*taker)(wsr__report *report, const wsr_log_reader *line);

// NULL: the event is another's, or unknown.
static taker taker_of(const char *event)
{
    static const struct {
        const char *event;
        taker take;
    } takers[] = {{"start", on_start},
                  {"epoch", on_epoch},
                  {"curve", wsr__report_on_curve},
                  {"compare", wsr__report_on_compare},
                  {"predictor", wsr__report_on_predictor},
                  {"corruption", wsr__report_on_corruption},
                  {"hessian", wsr__report_on_hessian},
                  {"estimate", wsr__report_on_estimate},
                  {"estimate_time", wsr__report_on_estimate_time},
                  {"leave_one_out", wsr__report_on_leave_one_out}};
    for (size_t i = 0; i < sizeof(takers) / sizeof(takers[0]); i++) {
        if (wsr__streq(event, takers[i].event)) {
            return takers[i].take;
        }
    }
    return NULL;
}

// Events are those that libwsr/run writes; others are passed over.
static wsr_status on_line(wsr__report *report, const wsr_log_reader *line)
{
    const char *const event = wsr__report_text(line, "event");
    const taker take = taker_of(event);
    if (take != NULL) {
        return take(report, line);
    }
    if (wsr__streq(event, "genotype")) {
        return set_text(&report->text, line, "text");
    }
    if (wsr__streq(event, "evidence")) {
        return set_text(&report->evidence, line, "text");
    }
    if (wsr__streq(event, "done")) {
        report->seconds = wsr_log_reader_number(line, "seconds");
        return WSR_OK;
    }
    if (!is_evaluation(line, event)) {
        return WSR_OK;
    }
    return wsr__report_text(line, "warning")[0] != '\0'
               ? wsr__report_on_warning(report, line)
               : wsr__report_on_eval(report, line);
}

wsr_status wsr__report_log(wsr__report *report, const char *path)
{
    wsr_status status = WSR_OK;
    wsr_log_reader *log = NULL;
    bool more = true;
    WSR_TRY(wsr_log_reader_open(&log, path));
    WSR_TRY(wsr_log_reader_next(&more, log));
    while (more) {
        WSR_TRY(on_line(report, log));
        WSR_TRY(wsr_log_reader_next(&more, log));
    }
out:
    wsr_log_reader_close(log);
    return status;
}

// Leaves an empty report.
void wsr__report_clear(wsr__report *report)
{
    for (size_t i = 0; i < report->n_series; i++) {
        wsr__free(report->series[i].phase);
        wsr__free(report->series[i].name);
        wsr__free(report->series[i].points);
    }
    wsr__report_clear_evals(report);
    wsr__report_clear_estimates(report);
    wsr__report_clear_differences(report);
    wsr__report_clear_searchers(report);
    wsr__report_clear_predictors(report);
    wsr__report_clear_corruptions(report);
    wsr__free(report->series);
    wsr__st_free(report->images);
    wsr__free(report->tool);
    wsr__free(report->version);
    wsr__free(report->build);
    wsr__free(report->seed);
    wsr__free(report->threads);
    wsr__free(report->text);
    wsr__free(report->evidence);
    wsr_config_free(report->config);
    wsr_genotype_free(report->genotype);
    *report = (wsr__report){.seconds = NAN};
}
