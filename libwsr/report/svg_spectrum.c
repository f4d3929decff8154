// SPDX-License-Identifier: Apache-2.0
//
// Accuracy over the strength of attacks of one norm, with the 95 % interval
// of each point. Every curve begins with the accuracy on clean images.

#include "report/report.h"

#include <math.h>

static bool belongs(const wsr__report_curve *c, const char *norm)
{
    return c->n > 0 && wsr__streq(c->norm, norm);
}

static wsr__chart chart_of(const wsr__report *report, const char *norm)
{
    wsr__chart chart = {.y1 = 1.0,
                        .y_step = 0.2,
                        .percent = true,
                        .x_name = "strength of the attack",
                        .y_name = "accuracy",
                        .label = "accuracy over strengths"};
    for (size_t i = 0; i < report->n_curves; i++) {
        const wsr__report_curve *const c = &report->curves[i];
        if (belongs(c, norm)) {
            chart.x1 = fmax(chart.x1, c->points[c->n - 1].eps);
        }
    }
    double low = 0.0;
    double high = chart.x1;
    chart.x_step = wsr__chart_round(&low, &high, 8.0);
    chart.x1 = chart.x1 > 0.0 ? 1.02 * chart.x1 : high;
    return chart;
}

static void add_curve_name(wsr__str *out, const wsr__report_curve *c)
{
    if (c->net[0] != '\0') {
        wsr__html_text(out, c->net);
        wsr__str_add(out, ", ");
    }
    wsr__html_text(out, c->attack[0] == '\0' ? "attack" : c->attack);
}

static void draw_interval(wsr__str *out, const wsr__chart *chart,
                          const wsr__report_strength *p, size_t colour)
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
                  colour % WSR__REPORT_COLOURS, x - 4.0, top, x, top, bottom,
                  x - 4.0, bottom);
}

static void draw_point(wsr__str *out, const wsr__chart *chart,
                       const wsr__report_curve *c,
                       const wsr__report_strength *p, size_t colour)
{
    wsr__str_addf(out,
                  "<circle class=\"dot c%zu\" cx=\"%.1f\" cy=\"%.1f\" "
                  "r=\"4\"><title>",
                  colour % WSR__REPORT_COLOURS, wsr__chart_x(chart, p->eps),
                  wsr__chart_y(chart, p->robust));
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
    wsr__str_add(out, "</title></circle>\n");
}

// What clean images say, as the point of strength 0.
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

static void draw_segment(wsr__str *out, const wsr__chart *chart,
                         const wsr__report_strength *from,
                         const wsr__report_strength *to, size_t colour)
{
    const wsr__report_point ends[2] = {{from->eps, from->robust},
                                       {to->eps, to->robust}};
    wsr__chart_line(out, chart, ends, 2, colour);
}

static void draw_curve(wsr__str *out, const wsr__chart *chart,
                       const wsr__report_curve *c, size_t colour)
{
    const bool clean = !isnan(c->points[0].clean) && c->points[0].eps > 0.0;
    const wsr__report_strength first = clean_point(c);
    if (clean) {
        draw_segment(out, chart, &first, &c->points[0], colour);
        draw_interval(out, chart, &first, colour);
    }
    for (size_t i = 0; i < c->n; i++) {
        if (i > 0) {
            draw_segment(out, chart, &c->points[i - 1], &c->points[i], colour);
        }
        draw_interval(out, chart, &c->points[i], colour);
    }
    if (clean) {
        draw_point(out, chart, c, &first, colour);
    }
    for (size_t i = 0; i < c->n; i++) {
        draw_point(out, chart, c, &c->points[i], colour);
    }
}

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

static void draw_legend(wsr__str *out, const wsr__report *report,
                        const char *norm)
{
    size_t colour = 0;
    wsr__str_add(out, "<ul class=\"legend\">\n");
    for (size_t i = 0; i < report->n_curves; i++) {
        const wsr__report_curve *const c = &report->curves[i];
        if (belongs(c, norm)) {
            wsr__legend_begin(out, colour++);
            add_curve_name(out, c);
            if (c->options[0] != '\0') {
                wsr__str_add(out, " <small>");
                wsr__html_text(out, c->options);
                wsr__str_add(out, "</small>");
            }
            wsr__legend_end(out);
        }
    }
    wsr__str_add(out, "</ul>\n");
}

void wsr__svg_spectrum(wsr__str *out, const wsr__report *report,
                       const char *norm)
{
    const wsr__chart chart = chart_of(report, norm);
    size_t colour = 0;
    draw_legend(out, report, norm);
    wsr__chart_begin(out, &chart);
    draw_chance(out, &chart, report->classes);
    for (size_t i = 0; i < report->n_curves; i++) {
        if (belongs(&report->curves[i], norm)) {
            draw_curve(out, &chart, &report->curves[i], colour++);
        }
    }
    wsr__chart_end(out);
}
