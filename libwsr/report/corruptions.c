// SPDX-License-Identifier: Apache-2.0
//
// Accuracy on corrupted images: a picture of the means over their severities,
// one line for each group and one for all, and a table of all numbers. It has
// the axes of the picture of attacks, so that the two spectra compare.

#include "report/report.h"
#include "report/rows.h"

#include <math.h>

enum { SEVERITIES = 5, GROUPS = 16 };

// Clean images are an entry of severity 0.
static bool is_clean(const wsr__report_corruption *c)
{
    return c->severity < 0.5;
}

static bool is_at(const wsr__report_corruption *c, int severity)
{
    return fabs(c->severity - severity) < 0.5;
}

// Mean over the corruptions of a group, of all groups if it is NULL, at one
// severity; the clean accuracy at 0. NAN without any.
static double mean_at(const wsr__report *report, const char *group,
                      int severity)
{
    double sum = 0;
    double n = 0;
    for (size_t i = 0; i < report->n_corruptions; i++) {
        const wsr__report_corruption *const c = &report->corruptions[i];
        if (is_at(c, severity) &&
            (group == NULL || is_clean(c) || wsr__streq(c->group, group))) {
            sum += c->accuracy;
            n++;
        }
    }
    return n > 0 ? sum / n : (double)NAN;
}

// Groups in the order in which the log names them, at most GROUPS.
static size_t groups_of(const char *groups[GROUPS], const wsr__report *report)
{
    size_t n = 0;
    for (size_t i = 0; i < report->n_corruptions; i++) {
        const wsr__report_corruption *const c = &report->corruptions[i];
        bool known = is_clean(c) || n == GROUPS;
        for (size_t k = 0; k < n; k++) {
            known = known || wsr__streq(groups[k], c->group);
        }
        if (!known) {
            groups[n++] = c->group;
        }
    }
    return n;
}

// A line with its marks; the numbers appear when the pointer rests on one.
static void draw_group(wsr__str *out, const wsr__chart *chart,
                       const wsr__report *report, const char *group,
                       size_t series)
{
    wsr__report_point points[SEVERITIES + 1];
    size_t n = 0;
    for (int severity = 0; severity <= SEVERITIES; severity++) {
        const double y = mean_at(report, group, severity);
        if (!isnan(y)) {
            points[n++] = (wsr__report_point){severity, y};
        }
    }
    wsr__chart_line(out, chart, points, n, series);
    for (size_t i = 0; i < n; i++) {
        const char *const mark =
            wsr__chart_mark(out, series, wsr__chart_x(chart, points[i].x),
                            wsr__chart_y(chart, points[i].y));
        wsr__str_add(out, "<title>");
        wsr__html_name(out, group == NULL ? "all" : group);
        wsr__str_addf(out, " at severity %.0f: ", points[i].x);
        wsr__html_number(out, points[i].y, true);
        wsr__str_addf(out, "</title></%s>\n", mark);
    }
}

static wsr_status draw(wsr__str *out, const wsr__report *report)
{
    const wsr__chart chart = {.x1 = SEVERITIES + 0.1,
                              .y1 = 1,
                              .x_step = 1,
                              .y_step = 0.2,
                              .percent = true,
                              .x_name = "severity (0: clean images)",
                              .y_name = "accuracy",
                              .label = "accuracy over severities"};
    const char *groups[GROUPS];
    const size_t n = groups_of(groups, report);
    wsr__figure figure = {0};
    wsr__chart_begin(&figure, &chart);
    for (size_t i = 0; i <= n; i++) {
        wsr__legend_line(&figure, i);
        wsr__html_name(&figure.entry, i == 0 ? "mean of all" : groups[i - 1]);
        wsr__legend_end(&figure);
    }
    for (size_t i = n; i > 0; i--) {
        draw_group(&figure.body, &chart, report, groups[i - 1], i);
    }
    draw_group(&figure.body, &chart, report, NULL, 0);
    return wsr__html_figure(out, &figure, "corruptions");
}

static const wsr__report_corruption *entry(const wsr__report *report,
                                           const char *name, int severity)
{
    for (size_t i = 0; i < report->n_corruptions; i++) {
        const wsr__report_corruption *const c = &report->corruptions[i];
        if (is_at(c, severity) && wsr__streq(c->name, name)) {
            return c;
        }
    }
    return NULL;
}

// The interval appears when the pointer rests on a number.
static void add_cell(wsr__str *out, const wsr__report_corruption *c)
{
    wsr__str_add(out, "<td class=\"n\"");
    if (c != NULL && !isnan(c->low) && !isnan(c->high)) {
        wsr__str_addf(out, " title=\"95 %%: %.1f to %.1f\"", 100 * c->low,
                      100 * c->high);
    }
    wsr__str_add(out, ">");
    wsr__html_number(out, c == NULL ? (double)NAN : c->accuracy, true);
    wsr__str_add(out, "</td>");
}

static void add_row(wsr__str *out, const wsr__report *report, const char *name)
{
    double sum = 0;
    double n = 0;
    wsr__str_add(out, "<tr><td>");
    wsr__html_name(out, name);
    wsr__str_add(out, "</td>");
    for (int severity = 1; severity <= SEVERITIES; severity++) {
        const wsr__report_corruption *const c = entry(report, name, severity);
        add_cell(out, c);
        sum += c == NULL ? 0 : c->accuracy;
        n += c != NULL;
    }
    wsr__str_add(out, "<td class=\"n\">");
    wsr__html_number(out, sum / n, true);
    wsr__str_add(out, "</td></tr>\n");
}

// A row stands where its corruption is first named.
static bool is_first(const wsr__report *report, size_t i)
{
    const wsr__report_corruption *const c = &report->corruptions[i];
    for (size_t k = 0; k < i; k++) {
        if (wsr__streq(report->corruptions[k].name, c->name)) {
            return false;
        }
    }
    return !is_clean(c);
}

static void add_table(wsr__str *out, const wsr__report *report)
{
    static const char *const heads[] = {"1", "2", "3", "4", "5", "mean"};
    wsr__html_table_begin(out, "", "accuracy by corruption and severity");
    wsr__str_add(out, "<tr>");
    wsr__html_column(out, "corruption", false);
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        wsr__html_column(out, heads[i], true);
    }
    wsr__str_add(out, "</tr>\n");
    for (size_t i = 0; i < report->n_corruptions; i++) {
        if (is_first(report, i)) {
            add_row(out, report, report->corruptions[i].name);
        }
    }
    wsr__str_add(out, "<tr class=\"sum\"><td>mean</td>");
    double sum = 0;
    double n = 0;
    for (int severity = 1; severity <= SEVERITIES; severity++) {
        const double mean = mean_at(report, NULL, severity);
        wsr__str_add(out, "<td class=\"n\">");
        wsr__html_number(out, mean, true);
        wsr__str_add(out, "</td>");
        sum += isnan(mean) ? 0 : mean;
        n += !isnan(mean);
    }
    wsr__str_add(out, "<td class=\"n\">");
    wsr__html_number(out, sum / n, true);
    wsr__str_add(out, "</td></tr>\n");
    wsr__html_table_end(out);
}

static wsr_status save(wsr__str *out, const wsr__report *report)
{
    wsr__rows rows = {0};
    for (size_t i = 0; i < report->n_corruptions; i++) {
        const wsr__report_corruption *const c = &report->corruptions[i];
        wsr__rows_text(&rows, "corruption", c->name);
        wsr__rows_text(&rows, "group", c->group);
        wsr__rows_number(&rows, "severity", c->severity);
        wsr__rows_number(&rows, "count", c->count);
        wsr__rows_number(&rows, "accuracy", c->accuracy);
        wsr__rows_number(&rows, "low", c->low);
        wsr__rows_number(&rows, "high", c->high);
        wsr__rows_next(&rows);
    }
    return wsr__html_rows(out, &rows, "corruptions");
}

wsr_status wsr__html_corruptions(wsr__str *out, const wsr__report *report)
{
    wsr_status status = WSR_OK;
    const wsr__report_corruption *const clean = entry(report, "none", 0);
    if (report->n_corruptions == 0) {
        return WSR_OK;
    }
    wsr__html_heading(out, "Accuracy under corruptions");
    wsr__str_add(out, "<p>Share of images "
                      "that are recognised under common corruptions "
                      "(Hendrycks and Dietterich 2019)");
    if (clean != NULL) {
        wsr__str_addf(out, ": %.0f images, of which ", clean->count);
        wsr__html_number(out, clean->accuracy, true);
        wsr__str_add(out, " are recognised without one");
    }
    wsr__str_add(out, ".</p>\n");
    WSR_TRY(draw(out, report));
    add_table(out, report);
    WSR_TRY(save(out, report));
out:
    return status;
}
