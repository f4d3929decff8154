// SPDX-License-Identifier: Apache-2.0
//
// The spectrum as a table for LaTeX (package booktabs): a row for each curve of
// a norm, a column for each strength, accuracies in percent above their 95 %
// intervals.

#include "report/report.h"
#include "report/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Characters that LaTeX takes for commands.
static void add_text(wsr__str *out, const char *text)
{
    static const char *const commands[][2] = {{"\\", "\\textbackslash{}"},
                                              {"~", "\\textasciitilde{}"},
                                              {"^", "\\textasciicircum{}"}};
    for (const char *c = text; *c != '\0'; c++) {
        const char *command = NULL;
        for (size_t i = 0; i < 3; i++) {
            command = *c == commands[i][0][0] ? commands[i][1] : command;
        }
        if (command != NULL) {
            wsr__str_add(out, command);
            continue;
        }
        wsr__str_add(out, strchr("&%$#_{}", *c) != NULL ? "\\" : "");
        wsr__str_addn(out, *c == '\n' ? " " : c, 1);
    }
}

static bool belongs(const wsr__report_curve *c, const char *norm)
{
    return c->n > 0 && wsr__streq(c->norm, norm);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

// The strengths above 0 of all curves of the norm, each once, ascending. The
// caller frees them.
static wsr_status strengths_of(double **out, size_t *n,
                               const wsr__report *report, const char *norm)
{
    size_t all = 0;
    *n = 0;
    for (size_t i = 0; i < report->n_curves; i++) {
        all += belongs(&report->curves[i], norm) ? report->curves[i].n : 0;
    }
    double *const eps = wsr__alloc(all + 1, sizeof(*eps));
    *out = eps;
    if (eps == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < report->n_curves; i++) {
        const wsr__report_curve *const c = &report->curves[i];
        for (size_t k = 0; belongs(c, norm) && k < c->n; k++) {
            if (c->points[k].eps > 0) {
                eps[(*n)++] = c->points[k].eps;
            }
        }
    }
    qsort(eps, *n, sizeof(*eps), ascending);
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++) {
        if (kept == 0 || eps[i] > eps[kept - 1]) {
            eps[kept++] = eps[i];
        }
    }
    *n = kept;
    return WSR_OK;
}

static const wsr__report_strength *point_at(const wsr__report_curve *c,
                                            double eps)
{
    for (size_t k = 0; k < c->n; k++) {
        if (c->points[k].eps == eps) {
            return &c->points[k];
        }
    }
    return NULL;
}

static void add_share(wsr__str *out, double share)
{
    wsr__str_addf(out, isnan(share) ? " & --" : " & %.1f", 100 * share);
}

// 95 % interval of a strength, small; nothing where it is not known.
static void add_interval(wsr__str *out, const wsr__report_strength *p)
{
    wsr__str_add(out, " &");
    if (p != NULL && !isnan(p->low) && !isnan(p->high)) {
        wsr__str_addf(out, " {\\scriptsize %.1f--%.1f}", 100 * p->low,
                      100 * p->high);
    }
}

// Two lines: accuracies, intervals.
static void add_curve(wsr__str *out, const wsr__report_curve *c,
                      const double *eps, size_t n)
{
    if (c->net[0] != '\0') {
        add_text(out, c->net);
        wsr__str_add(out, ", ");
    }
    add_text(out, c->attack[0] == '\0' ? "attack" : c->attack);
    if (c->options[0] != '\0') {
        wsr__str_add(out, " {\\scriptsize ");
        add_text(out, c->options);
        wsr__str_add(out, "}");
    }
    add_share(out, c->points[0].clean);
    for (size_t i = 0; i < n; i++) {
        const wsr__report_strength *const p = point_at(c, eps[i]);
        add_share(out, p == NULL ? (double)NAN : p->robust);
    }
    wsr__str_add(out, " \\\\\n &");
    for (size_t i = 0; i < n; i++) {
        add_interval(out, point_at(c, eps[i]));
    }
    wsr__str_add(out, " \\\\\n");
}

// Papers write strengths of the L-infinity norm as n/255.
static void add_eps(wsr__str *out, double eps)
{
    const double whole = nearbyint(255 * eps);
    if (whole > 0 && whole <= 64 && fabs(255 * eps - whole) < 1e-3) {
        wsr__str_addf(out, " & $%.0f/255$", whole);
    } else {
        wsr__str_addf(out, " & $%.3g$", eps);
    }
}

// Comments say what the numbers are: the file leaves the page.
static void add_head(wsr__str *out, const wsr__report *report, const char *norm,
                     const double *eps, size_t n)
{
    double images = NAN;
    for (size_t i = 0; i < report->n_curves; i++) {
        if (belongs(&report->curves[i], norm)) {
            images = fmax(images, report->curves[i].points[0].count);
        }
    }
    wsr__str_add(out, "% Robust accuracy in percent over the strength (norm ");
    add_text(out, norm[0] == '\0' ? "unknown" : norm);
    wsr__str_add(out, ", pixels from 0 to 1),\n% 95 % intervals of Wilson");
    if (!isnan(images)) {
        wsr__str_addf(out, ", %.0f images", images);
    }
    wsr__str_addf(out, "; libwsr %s.\n%% Needs \\usepackage{booktabs}.\n",
                  report->version == NULL ? "" : report->version);
    wsr__str_add(out, "\\begin{tabular}{lr");
    for (size_t i = 0; i < n; i++) {
        wsr__str_add(out, "r");
    }
    wsr__str_add(out, "}\n\\toprule\nattack & clean");
    for (size_t i = 0; i < n; i++) {
        add_eps(out, eps[i]);
    }
    wsr__str_add(out, " \\\\\n\\midrule\n");
}

wsr_status wsr__html_save_latex(wsr__str *out, const wsr__report *report,
                                const char *norm)
{
    wsr_status status = WSR_OK;
    wsr__str latex = {0};
    wsr__str name = {0};
    double *eps = NULL;
    size_t n = 0;
    WSR_TRY(strengths_of(&eps, &n, report, norm));
    add_head(&latex, report, norm, eps, n);
    for (size_t i = 0; i < report->n_curves; i++) {
        if (belongs(&report->curves[i], norm)) {
            add_curve(&latex, &report->curves[i], eps, n);
        }
    }
    wsr__str_add(&latex, "\\bottomrule\n\\end{tabular}\n");
    WSR_TRY(wsr__str_status(&latex));
    wsr__str_add(&name, "accuracy-");
    wsr__file_name(&name, norm);
    wsr__str_add(&name, ".tex");
    WSR_TRY(wsr__str_status(&name));
    wsr__html_save_begin(out);
    wsr__html_save(out, name.s, "application/x-tex", &latex);
    wsr__html_save_end(out);
out:
    wsr__str_free(&latex);
    wsr__str_free(&name);
    wsr__free(eps);
    return status;
}
