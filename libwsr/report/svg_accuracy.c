// SPDX-License-Identifier: Apache-2.0
//
// The picture of an evaluation: accuracy over the strength of attacks of one
// norm, a line for each attack, with the 95 % interval of each point. Every
// line begins with the accuracy on clean images, at strength 0. That of a
// minimum-norm attack is drawn at every strength, as stairs.

#include "report/report.h"

#include <math.h>

// A picture shows the curves of one norm.
static bool belongs(const wsr__report_curve *c, const char *norm)
{
    return c->n > 0 && wsr__streq(c->norm, norm);
}

// The axis of strengths says what they measure, and in which unit. Unknown
// norms get an axis without a name of theirs.
static const char *axis_of(const char *norm)
{
    static const char *const names[][2] = {
        {"linf", "strength ε (L∞; pixel range 0 to 1)"},
        {"l2", "strength ε (L2; pixel range 0 to 1)"},
        {"l1", "strength ε (L1; pixel range 0 to 1)"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (wsr__streq(norm, names[i][0])) {
            return names[i][1];
        }
    }
    return "strength ε (pixel range 0 to 1)";
}

// Accuracies always have the axis from 0 to 1, so that pictures compare. The
// last strength gets a little room on its right.
static wsr__chart chart_of(const wsr__report *report, const char *norm)
{
    wsr__chart chart = {.y1 = 1.0,
                        .y_step = 0.2,
                        .percent = true,
                        .x_name = axis_of(norm),
                        .y_name = "accuracy",
                        .label = "accuracy over strengths"};
    double last = 0.0; // step of min-norm attacks
    for (size_t i = 0; i < report->n_curves; i++) {
        const wsr__report_curve *const c = &report->curves[i];
        if (belongs(c, norm)) {
            chart.x1 = fmax(chart.x1, c->points[c->n - 1].eps);
            last = c->n_steps > 0 ? fmax(last, c->steps[c->n_steps - 1].x)
                                  : last;
        }
    }
    chart.x1 = chart.x1 > 0.0 ? chart.x1 : last; // strength infinity alone
    double low = 0.0;
    double high = chart.x1;
    chart.x_step = wsr__chart_round(&low, &high, 8.0);
    chart.x1 = chart.x1 > 0.0 ? 1.02 * chart.x1 : high;
    return chart;
}

// Logs of one network do not name it.
static void add_curve_name(wsr__str *out, const wsr__report_curve *c)
{
    if (c->net[0] != '\0') {
        wsr__html_text(out, c->net);
        wsr__str_add(out, ", ");
    }
    wsr__html_text(out, c->attack[0] == '\0' ? "attack" : c->attack);
}

// The 95 % interval as a bar with caps.
static void draw_interval(wsr__str *out, const wsr__chart *chart,
                          const wsr__report_strength *p, size_t series)
{
    if (isnan(p->low) || isnan(p->high)) {
        return;
    }
    const double x = wsr__chart_x(chart, p->eps);
    const double top = wsr__chart_y(chart, p->high);
    const double bottom = wsr__chart_y(chart, p->low);
    wsr__str_addf(out,
                  "<path class=\"bar c%zu\" d=\"M%.1f %.1fh8M%.1f %.1fV%.1f"
                  "M%.1f %.1fh8\"/>\n",
                  series % WSR__REPORT_COLOURS, x - 4.0, top, x, top, bottom,
                  x - 4.0, bottom);
}

// The numbers appear when the pointer rests on the mark.
static void draw_point(wsr__str *out, const wsr__chart *chart,
                       const wsr__report_curve *c,
                       const wsr__report_strength *p, size_t series)
{
    const char *const mark = wsr__chart_mark(out, series,
                                             wsr__chart_x(chart, p->eps),
                                             wsr__chart_y(chart, p->robust));
    wsr__str_add(out, "<title>");
    add_curve_name(out, c);
    wsr__str_add(out, " at ");
    wsr__html_eps(out, p->eps);
    wsr__str_add(out, ": ");
    wsr__html_number(out, p->robust, true);
    if (!isnan(p->low) && !isnan(p->high)) {
        wsr__str_addf(out, " (95 %%: %.1f to %.1f)", 100.0 * p->low,
                      100.0 * p->high);
    }
    if (!isnan(p->count)) {
        wsr__str_addf(out, ", %.0f images", p->count);
    }
    wsr__str_addf(out, "</title></%s>\n", mark);
}

// What clean images say, as the point of strength 0. Every line of a curve
// repeats the clean accuracy; the first one's is taken.
static wsr__report_strength clean_point(const wsr__report_curve *c)
{
    const wsr__report_strength *const p = &c->points[0];
    wsr__report_strength made = {.clean = p->clean,
                                 .robust = p->clean,
                                 .low = NAN,
                                 .high = NAN,
                                 .count = p->count};
    if (p->count > 0.0) {
        wsr__wilson(&made.low, &made.high, p->clean, p->count);
    }
    return made;
}

// One path, so that its dashes do not begin anew at every strength. `first`,
// the clean accuracy, is NULL if the curve has a point at 0.
static wsr_status draw_line(wsr__str *out, const wsr__chart *chart,
                            const wsr__report_curve *c,
                            const wsr__report_strength *first, size_t series)
{
    size_t n = 0;
    wsr__report_point *const points = wsr__alloc(c->n + 1, sizeof(*points));
    if (points == NULL) {
        return WSR_NOMEM;
    }
    if (first != NULL) {
        points[n++] = (wsr__report_point){first->eps, first->robust};
    }
    for (size_t i = 0; i < c->n; i++) {
        points[n++] =
            (wsr__report_point){c->points[i].eps, c->points[i].robust};
    }
    wsr__chart_line(out, chart, points, n, series);
    wsr__free(points);
    return WSR_OK;
}

// Up to the end of the chart: each step is a corner below the one before it.
static wsr_status draw_stairs(wsr__str *out, const wsr__chart *chart,
                              const wsr__report_curve *c, size_t series)
{
    size_t n = 0;
    wsr__report_point *const points =
        wsr__alloc(2 * c->n_steps, sizeof(*points));
    if (points == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < c->n_steps && c->steps[i].x <= chart->x1; i++) {
        const bool more = i + 1 < c->n_steps;
        const double x = more ? c->steps[i + 1].x : chart->x1;
        points[n++] = c->steps[i];
        points[n++] = (wsr__report_point){fmin(x, chart->x1), c->steps[i].y};
    }
    wsr__chart_line(out, chart, points, n, series);
    wsr__free(points);
    return WSR_OK;
}

// Marks come last, on top of line and intervals.
static wsr_status draw_curve(wsr__str *out, const wsr__chart *chart,
                             const wsr__report_curve *c, size_t series)
{
    const bool clean = !isnan(c->points[0].clean) && c->points[0].eps > 0.0;
    const wsr__report_strength first = clean_point(c);
    const wsr_status status =
        c->n_steps > 0
            ? draw_stairs(out, chart, c, series)
            : draw_line(out, chart, c, clean ? &first : NULL, series);
    if (clean) {
        draw_interval(out, chart, &first, series);
    }
    for (size_t i = 0; i < c->n; i++) {
        draw_interval(out, chart, &c->points[i], series);
    }
    if (clean) {
        draw_point(out, chart, c, &first, series);
    }
    for (size_t i = 0; i < c->n; i++) {
        draw_point(out, chart, c, &c->points[i], series);
    }
    return status;
}

// An accuracy below this line is worse than guessing: the attack is real, or
// something is wrong.
static void draw_chance(wsr__str *out, const wsr__chart *chart, size_t classes)
{
    if (classes > 1) {
        const double y = wsr__chart_y(chart, 1.0 / (double)classes);
        wsr__str_addf(out,
                      "<path class=\"chance\" d=\"M%.1f %.1fH%.1f\"/>"
                      "<text class=\"note\" x=\"%.1f\" y=\"%.1f\">guessing"
                      "</text>\n",
                      wsr__chart_x(chart, chart->x0), y,
                      wsr__chart_x(chart, chart->x1),
                      wsr__chart_x(chart, chart->x0) + 8.0, y - 5.0);
    }
}

// Options tell curves of one attack apart.
static void draw_legend(wsr__figure *figure, const wsr__report *report,
                        const char *norm)
{
    size_t series = 0;
    for (size_t i = 0; i < report->n_curves; i++) {
        const wsr__report_curve *const c = &report->curves[i];
        if (belongs(c, norm)) {
            wsr__legend_line(figure, series++);
            wsr__html_curve(&figure->entry, c);
            wsr__legend_end(figure);
        }
    }
}

wsr_status wsr__svg_accuracy(wsr__str *out, const wsr__report *report,
                             const char *norm, const char *name)
{
    wsr_status status = WSR_OK;
    const wsr__chart chart = chart_of(report, norm);
    wsr__figure figure = {0};
    size_t series = 0;
    wsr__chart_begin(&figure, &chart);
    draw_legend(&figure, report, norm);
    draw_chance(&figure.body, &chart, report->classes);
    for (size_t i = 0; i < report->n_curves; i++) {
        if (belongs(&report->curves[i], norm)) {
            WSR_TRY(
                draw_curve(&figure.body, &chart, &report->curves[i], series++));
        }
    }
    WSR_TRY(wsr__html_figure(out, &figure, name));
out:
    wsr__figure_free(&figure);
    return status;
}
