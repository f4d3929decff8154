// SPDX-License-Identifier: Apache-2.0
//
// The part of a page about estimators: for each network a picture of accuracy
// over strengths, under PGD's noise and under noises of the same norm that the
// variants estimate; the cosine of the two noises; a table of differences.

#include "report/report.h"
#include "report/rows.h"

#include <math.h>

// Estimates of one network, all of them, in the order of the log.
static bool is_first_of_net(const wsr__report *report, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (wsr__streq(report->estimates[k].net, report->estimates[i].net)) {
            return false;
        }
    }
    return true;
}

static bool is_of(const wsr__report_estimate *e, const char *net)
{
    return e->n > 0 && wsr__streq(e->net, net);
}

// ----------------------------------------------------------------- accuracy

// A curve of accuracies: PGD's or, with `own`, those under the estimates. The
// caller frees the points; texts are borrowed.
static wsr_status make_curve(wsr__report_curve *out,
                             const wsr__report_estimate *e, bool own)
{
    static char nothing[] = "";
    static char norm[] = "linf";
    static char pgd[] = "PGD";
    *out = (wsr__report_curve){.net = nothing,
                               .attack = own ? e->variant : pgd,
                               .options = nothing,
                               .norm = norm,
                               .mean = NAN,
                               .n = e->n};
    out->points = wsr__alloc(e->n, sizeof(*out->points));
    if (out->points == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < e->n; i++) {
        const wsr__report_match *const m = &e->points[i];
        out->points[i] =
            (wsr__report_strength){.eps = m->eps,
                                   .clean = m->clean,
                                   .robust = own ? m->own : m->pgd,
                                   .low = own ? m->low : m->pgd_low,
                                   .high = own ? m->high : m->pgd_high,
                                   .count = m->count};
    }
    return WSR_OK;
}

// The picture of evaluations, of a report that has these curves alone.
static wsr_status add_accuracies(wsr__str *out, const wsr__report *report,
                                 const wsr__report_estimate *first)
{
    wsr_status status = WSR_OK;
    wsr__report part = {.classes = report->classes};
    wsr__str name = {0};
    part.curves = wsr__alloc(report->n_estimates + 1, sizeof(*part.curves));
    if (part.curves == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(make_curve(&part.curves[part.n_curves++], first, false));
    for (size_t i = 0; i < report->n_estimates; i++) {
        if (is_of(&report->estimates[i], first->net)) {
            WSR_TRY(make_curve(&part.curves[part.n_curves++],
                               &report->estimates[i], true));
        }
    }
    wsr__str_addf(&name, "%s-estimates", first->net);
    WSR_TRY(wsr__str_status(&name));
    WSR_TRY(wsr__svg_accuracy(out, &part, "linf", name.s));
out:
    for (size_t i = 0; i < part.n_curves; i++) {
        wsr__free(part.curves[i].points);
    }
    wsr__free(part.curves);
    wsr__str_free(&name);
    return status;
}

// ------------------------------------------------------------------- cosine

static wsr_status draw_cosine(wsr__figure *figure, const wsr__chart *chart,
                              const wsr__report_estimate *e, size_t series)
{
    wsr__str *const out = &figure->body;
    wsr__report_point *const points = wsr__alloc(e->n, sizeof(*points));
    if (points == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < e->n; i++) {
        points[i] = (wsr__report_point){e->points[i].eps, e->points[i].cosine};
    }
    wsr__legend_line(figure, series);
    wsr__html_text(&figure->entry, e->variant);
    wsr__legend_end(figure);
    wsr__chart_line(out, chart, points, e->n, series);
    for (size_t i = 0; i < e->n; i++) {
        const char *const mark =
            wsr__chart_mark(out, series, wsr__chart_x(chart, points[i].x),
                            wsr__chart_y(chart, points[i].y));
        wsr__str_add(out, "<title>");
        wsr__html_text(out, e->variant);
        wsr__str_addf(out, " at %.4g: %.3f</title></%s>\n", points[i].x,
                      points[i].y, mark);
    }
    wsr__free(points);
    return WSR_OK;
}

// Series 0 is PGD's in the picture above, so that colours agree.
static wsr_status add_cosines(wsr__str *out, const wsr__report *report,
                              const wsr__report_estimate *first)
{
    wsr_status status = WSR_OK;
    wsr__chart chart = {.x1 = first->points[first->n - 1].eps,
                        .y1 = 1.0,
                        .x_name = "strength ε (L∞; pixel range 0 to 1)",
                        .y_name = "cosine",
                        .label = "cosine of estimated and true noises"};
    wsr__figure figure = {0};
    wsr__str name = {0};
    size_t series = 1;
    for (size_t i = 0; i < report->n_estimates; i++) {
        const wsr__report_estimate *const e = &report->estimates[i];
        for (size_t k = 0; is_of(e, first->net) && k < e->n; k++) {
            chart.y0 = fmin(chart.y0, e->points[k].cosine);
        }
    }
    double low = 0.0;
    double high = chart.x1;
    chart.x_step = wsr__chart_round(&low, &high, 8.0);
    chart.x1 *= 1.02;
    chart.y_step = wsr__chart_round(&chart.y0, &chart.y1, 5.0);
    wsr__str_addf(&name, "%s-cosine", first->net);
    WSR_TRY(wsr__str_status(&name));
    wsr__chart_begin(&figure, &chart);
    for (size_t i = 0; i < report->n_estimates; i++) {
        if (is_of(&report->estimates[i], first->net)) {
            WSR_TRY(
                draw_cosine(&figure, &chart, &report->estimates[i], series++));
        }
    }
    WSR_TRY(wsr__html_figure(out, &figure, name.s));
out:
    wsr__figure_free(&figure);
    wsr__str_free(&name);
    return status;
}

// -------------------------------------------------------------------- table

static void add_head(wsr__str *out, const wsr__report_estimate *first)
{
    wsr__html_table_begin(out, "", first->net);
    wsr__str_add(out, "<tr>");
    wsr__html_column(out, "noise", false);
    wsr__html_column(out, "time", true);
    for (size_t k = 0; k < first->n; k++) {
        wsr__str_add(out, "<th scope=\"col\" class=\"n\">");
        wsr__html_eps(out, first->points[k].eps);
        wsr__str_add(out, "</th>");
    }
    wsr__str_add(out, "</tr>\n<tr><td>PGD</td><td class=\"n\">");
    if (isfinite(first->seconds_pgd)) {
        wsr__str_addf(out, "%.3g ms", 1000.0 * first->seconds_pgd);
    }
    wsr__str_add(out, "</td>");
    for (size_t k = 0; k < first->n; k++) {
        wsr__str_add(out, "<td class=\"n\">");
        wsr__html_number(out, first->points[k].pgd, true);
        wsr__str_add(out, "</td>");
    }
    wsr__str_add(out, "</tr>\n");
}

// Accuracy under the estimate, and by how many points it misses that of PGD.
static void add_row(wsr__str *out, const wsr__report_estimate *e)
{
    wsr__str_add(out, "<tr><td>");
    wsr__html_text(out, e->variant);
    wsr__str_add(out, "</td><td class=\"n\">");
    if (e->seconds > 0.0 && e->seconds_pgd > 0.0) {
        wsr__str_addf(out, "1/%.0f", e->seconds_pgd / e->seconds);
    }
    wsr__str_add(out, "</td>");
    for (size_t k = 0; k < e->n; k++) {
        const wsr__report_match *const m = &e->points[k];
        wsr__str_add(out, "<td class=\"n\">");
        wsr__html_number(out, m->own, true);
        wsr__str_addf(out, " <small>%+.1f</small></td>",
                      100.0 * (m->own - m->pgd));
    }
    wsr__str_add(out, "</tr>\n");
}

static wsr_status add_net(wsr__str *out, const wsr__report *report,
                          const wsr__report_estimate *first)
{
    wsr_status status = WSR_OK;
    wsr__str_add(out, "<h3>");
    wsr__html_text(out, first->net);
    wsr__str_add(out, "</h3>\n");
    WSR_TRY(add_accuracies(out, report, first));
    WSR_TRY(add_cosines(out, report, first));
    add_head(out, first);
    for (size_t i = 0; i < report->n_estimates; i++) {
        if (is_of(&report->estimates[i], first->net)) {
            add_row(out, &report->estimates[i]);
        }
    }
    wsr__html_table_end(out);
out:
    return status;
}

static wsr_status save(wsr__str *out, const wsr__report *report)
{
    wsr__rows rows = {0};
    for (size_t i = 0; i < report->n_estimates; i++) {
        const wsr__report_estimate *const e = &report->estimates[i];
        for (size_t k = 0; k < e->n; k++) {
            const wsr__report_match *const m = &e->points[k];
            wsr__rows_text(&rows, "net", e->net);
            wsr__rows_text(&rows, "variant", e->variant);
            wsr__rows_number(&rows, "eps", m->eps);
            wsr__rows_number(&rows, "count", m->count);
            wsr__rows_number(&rows, "clean_accuracy", m->clean);
            wsr__rows_number(&rows, "pgd_accuracy", m->pgd);
            wsr__rows_number(&rows, "pgd_low", m->pgd_low);
            wsr__rows_number(&rows, "pgd_high", m->pgd_high);
            wsr__rows_number(&rows, "estimated_accuracy", m->own);
            wsr__rows_number(&rows, "low", m->low);
            wsr__rows_number(&rows, "high", m->high);
            wsr__rows_number(&rows, "cosine", m->cosine);
            wsr__rows_number(&rows, "seconds_pgd", e->seconds_pgd);
            wsr__rows_number(&rows, "seconds_estimate", e->seconds);
            wsr__rows_next(&rows);
        }
    }
    return wsr__html_rows(out, &rows, "estimates");
}

// The sentence says what each number is; it is the same for all networks.
wsr_status wsr__html_estimates(wsr__str *out, const wsr__report *report)
{
    wsr_status status = WSR_OK;
    if (report->n_estimates == 0) {
        return WSR_OK;
    }
    wsr__html_heading(out, "Estimated noises against PGD");
    wsr__str_add(
        out, "<p>Share of test images "
             "that are recognised under the noise of PGD at each strength, and "
             "under a noise of the same Euclidean norm that an estimator "
             "computed from noises at other strengths. Bars are 95 % intervals "
             "(Wilson). Below: the cosine of the two noises. The table has the "
             "accuracies, the difference from PGD in points, and the time of a "
             "noise: of PGD in milliseconds per image, of an estimate as a "
             "fraction of it.</p>\n");
    for (size_t i = 0; i < report->n_estimates; i++) {
        if (report->estimates[i].n > 0 && is_first_of_net(report, i)) {
            WSR_TRY(add_net(out, report, &report->estimates[i]));
        }
    }
    WSR_TRY(save(out, report));
out:
    return status;
}
