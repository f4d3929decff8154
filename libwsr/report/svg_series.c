// SPDX-License-Identifier: Apache-2.0
//
// Draws numbers over the epochs of a phase (losses, accuracies, ...), a line
// for each series.

#include "report/report.h"

#include <math.h>

// The name of the y axis, what the picture shows for those who hear it, and
// the name of its file behind that of the phase.
typedef struct words {
    const char *y;
    const char *label;
    const char *file;
} words;

// Index: kind.
static const words about[WSR__REPORT_KINDS] = {
    [WSR__REPORT_LOSS] = {"loss", "loss over epochs", "loss"},
    [WSR__REPORT_OBJECTIVE] = {"objective", "objective over epochs",
                               "objective"},
    [WSR__REPORT_SURROGATE] = {"loss", "losses of estimator and predictor",
                               "surrogates"},
    [WSR__REPORT_ACCURACY] = {"accuracy", "accuracy over epochs", "accuracy"},
    [WSR__REPORT_CORRELATION] = {"rank correlation on unseen cells",
                                 "rank correlation over epochs", "correlation"},
    [WSR__REPORT_MSE] = {"mean squared error",
                         "squared error of estimates over epochs", "error"},
    [WSR__REPORT_SHARE] = {"share of edges", "share of edges over epochs",
                           "edges"},
    [WSR__REPORT_TIME] = {"seconds", "seconds over epochs", "time"}};

// A picture shows the series of one kind and phase.
static bool belongs(const wsr__report_series *s, const char *phase,
                    wsr__report_kind kind)
{
    return s->kind == kind && wsr__streq(s->phase, phase);
}

static bool is_share(wsr__report_kind kind)
{
    return kind == WSR__REPORT_ACCURACY || kind == WSR__REPORT_SHARE;
}

// fmin() and fmax() pass over NAN.
static void widen(wsr__chart *chart, const wsr__report_series *s)
{
    for (size_t i = 0; i < s->n; i++) {
        chart->x0 = fmin(chart->x0, s->points[i].x);
        chart->x1 = fmax(chart->x1, s->points[i].x);
        chart->y0 = fmin(chart->y0, s->points[i].y);
        chart->y1 = fmax(chart->y1, s->points[i].y);
    }
}

// Zero belongs on the axis unless all values are far from it.
static wsr__chart chart_of(const wsr__report *report, const char *phase,
                           wsr__report_kind kind)
{
    wsr__chart chart = {.x0 = HUGE_VAL,
                        .x1 = -HUGE_VAL,
                        .y0 = HUGE_VAL,
                        .y1 = -HUGE_VAL,
                        .percent = is_share(kind),
                        .x_name = "epoch",
                        .y_name = about[kind].y,
                        .label = about[kind].label};
    for (size_t i = 0; i < report->n_series; i++) {
        if (belongs(&report->series[i], phase, kind)) {
            widen(&chart, &report->series[i]);
        }
    }
    if (kind == WSR__REPORT_CORRELATION ||
        (chart.y0 > 0.0 && chart.y0 < 0.6 * chart.y1)) {
        chart.y0 = fmin(chart.y0, 0.0);
    }
    if (kind == WSR__REPORT_CORRELATION) {
        chart.y1 = fmax(chart.y1, 1.0);
    }
    if (is_share(kind)) {
        chart.y0 = 0.0; // shares are never below, and 0.1 is guessing
        chart.y1 = fmax(chart.y1, 0.2);
    }
    double low = chart.x0;
    double high = chart.x1;
    // Epochs are whole numbers, so ticks are at least 1 apart.
    chart.x_step = fmax(1.0, wsr__chart_round(&low, &high, 10.0));
    if (!(chart.x1 > chart.x0)) {
        chart.x0 -= 0.5;
        chart.x1 += 0.5;
    }
    chart.y_step = wsr__chart_round(&chart.y0, &chart.y1, 5.0);
    return chart;
}

// Points carry what they stand for; with many of them only some do. Beyond 60
// points marks would hide the line: invisible spots carry the numbers.
static void draw_points(wsr__str *out, const wsr__chart *chart,
                        const wsr__report_series *s, size_t series)
{
    enum { MOST = 240, APART = 60 };
    const size_t stride = (s->n + MOST - 1) / MOST;
    for (size_t i = 0; i < s->n; i += stride) {
        const wsr__report_point p = s->points[i];
        const double x = wsr__chart_x(chart, p.x);
        const double y = wsr__chart_y(chart, p.y);
        const char *mark = "circle";
        if (s->n <= APART) {
            mark = wsr__chart_mark(out, series, x, y);
        } else {
            wsr__str_addf(out,
                          "<circle class=\"spot\" cx=\"%.1f\" cy=\"%.1f\" "
                          "r=\"5\">",
                          x, y);
        }
        wsr__str_add(out, "<title>");
        wsr__html_name(out, s->name);
        wsr__str_add(out, ": ");
        wsr__html_number(out, p.y, chart->percent);
        wsr__str_addf(out, ", epoch %.6g</title></%s>\n", p.x, mark);
    }
}

// The last value of each series stands behind its name.
static void draw_legend(wsr__figure *figure, const wsr__report_series *s,
                        size_t series)
{
    wsr__legend_line(figure, series);
    wsr__html_name(&figure->entry, s->name);
    wsr__str_add(&figure->entry, " <b>");
    wsr__html_number(&figure->entry, s->points[s->n - 1].y, is_share(s->kind));
    wsr__str_add(&figure->entry, "</b>");
    wsr__legend_end(figure);
}

// Series are numbered within the picture; the number decides colour, dashes and
// mark.
wsr_status wsr__svg_series(wsr__str *out, const wsr__report *report,
                           const char *phase, wsr__report_kind kind)
{
    wsr_status status = WSR_OK;
    const wsr__chart chart = chart_of(report, phase, kind);
    wsr__figure figure = {0};
    wsr__str name = {0};
    size_t series = 0;
    wsr__str_addf(&name, "%s%s%s", phase, phase[0] == '\0' ? "" : "-",
                  about[kind].file);
    WSR_TRY(wsr__str_status(&name));
    wsr__chart_begin(&figure, &chart);
    for (size_t i = 0; i < report->n_series; i++) {
        const wsr__report_series *const s = &report->series[i];
        if (belongs(s, phase, kind)) {
            draw_legend(&figure, s, series);
            wsr__chart_line(&figure.body, &chart, s->points, s->n, series);
            draw_points(&figure.body, &chart, s, series);
            series++;
        }
    }
    WSR_TRY(wsr__html_figure(out, &figure, name.s));
out:
    wsr__figure_free(&figure);
    wsr__str_free(&name);
    return status;
}
