// SPDX-License-Identifier: Apache-2.0
//
// Writes the results of an evaluation as tables: accuracies with intervals,
// means, accuracies by class, and the warnings about them.

#include "report/report.h"

#include <math.h>

// ---------------------------------------------------------------- accuracies

// Logs of one network do not name it.
void wsr__html_curve(wsr__str *out, const wsr__report_curve *c)
{
    if (c->net[0] != '\0') {
        wsr__html_text(out, c->net);
        wsr__str_add(out, ", ");
    }
    wsr__html_text(out, c->attack[0] == '\0' ? "attack" : c->attack);
    if (c->options[0] != '\0') {
        wsr__str_add(out, " <small>");
        wsr__html_text(out, c->options);
        wsr__str_add(out, "</small>");
    }
}

static void add_interval(wsr__str *out, double low, double high)
{
    if (isnan(low) || isnan(high)) {
        wsr__str_add(out, "–");
    } else {
        wsr__str_addf(out, "%.1f – %.1f", 100.0 * low, 100.0 * high);
    }
}

// Whether a curve of the norm has accuracies under images of 8 bits.
static bool has_quantized(const wsr__report *report, const char *norm)
{
    for (size_t i = 0; i < report->n_curves; i++) {
        const wsr__report_curve *const c = &report->curves[i];
        for (size_t k = 0; wsr__streq(c->norm, norm) && k < c->n; k++) {
            if (!isnan(c->points[k].quantized)) {
                return true;
            }
        }
    }
    return false;
}

// A curve's name stands in its first row only. Columns: attack, strength,
// clean, robust, interval, where it was measured accuracy and interval under
// images of 8 bits, images.
static void add_row(wsr__str *out, const wsr__report_curve *c,
                    const wsr__report_strength *p, bool first, bool quantized)
{
    wsr__str_add(out, "<tr><td>");
    if (first) {
        wsr__html_curve(out, c);
    }
    wsr__str_add(out, "</td><td class=\"n\">");
    wsr__html_eps(out, p->eps);
    wsr__str_add(out, "</td><td class=\"n\">");
    wsr__html_number(out, p->clean, true);
    wsr__str_add(out, "</td><td class=\"n\">");
    wsr__html_number(out, p->robust, true);
    wsr__str_add(out, "</td><td class=\"n\">");
    add_interval(out, p->low, p->high);
    if (quantized) {
        wsr__str_add(out, "</td><td class=\"n\">");
        wsr__html_number(out, p->quantized, true);
        wsr__str_add(out, "</td><td class=\"n\">");
        add_interval(out, p->quantized_low, p->quantized_high);
    }
    wsr__str_add(out, "</td><td class=\"n\">");
    wsr__html_number(out, p->count, false);
    wsr__str_add(out, "</td></tr>\n");
}

// The mean over the strengths, where there are several: "Avg. Rob.". One
// sentence for all curves of the norm.
static void add_means(wsr__str *out, const wsr__report *report,
                      const char *norm)
{
    bool any = false;
    for (size_t i = 0; i < report->n_curves; i++) {
        const wsr__report_curve *const c = &report->curves[i];
        if (!wsr__streq(c->norm, norm) || isnan(c->mean) || c->n < 2) {
            continue;
        }
        wsr__str_add(out, any ? ", " : "<p>Mean over the strengths: ");
        wsr__html_curve(out, c);
        wsr__str_add(out, " ");
        wsr__html_number(out, c->mean, true);
        any = true;
    }
    wsr__str_add(out, any ? ".</p>\n" : "");
}

// Clean accuracy is repeated in each row: curves may have other images. On
// narrow screens the rows of class "accuracy" become grids of five columns; a
// table with more of them scrolls.
void wsr__html_table(wsr__str *out, const wsr__report *report, const char *norm)
{
    const bool quantized = has_quantized(report, norm);
    wsr__html_table_begin(out, quantized ? "" : "accuracy", "accuracies");
    wsr__str_add(out, "<tr>");
    wsr__html_column(out, "attack", false);
    wsr__html_column(out, "strength ε", true);
    wsr__html_column(out, "clean", true);
    wsr__html_column(out, "robust", true);
    wsr__html_column(out, "95 % interval", true);
    if (quantized) {
        wsr__html_column(out, "robust, 8 bits", true);
        wsr__html_column(out, "95 % interval", true);
    }
    wsr__html_column(out, "images", true);
    wsr__str_add(out, "</tr>\n");
    for (size_t i = 0; i < report->n_curves; i++) {
        const wsr__report_curve *const c = &report->curves[i];
        for (size_t k = 0; wsr__streq(c->norm, norm) && k < c->n; k++) {
            add_row(out, c, &c->points[k], k == 0, quantized);
        }
    }
    wsr__html_table_end(out);
    if (quantized) {
        wsr__str_add(out, "<p>8 bits: adversarial images rounded to multiples "
                          "of 1/255 without leaving the ball.</p>\n");
    }
    add_means(out, report, norm);
}

// ------------------------------------------------------------------- classes

// A dash where the images at hand have none of the class.
static void add_class_row(wsr__str *out, const wsr__report *report,
                          const wsr__report_curve *c, size_t label)
{
    wsr__str_addf(out, "<tr><td>%zu", label);
    wsr__html_class(out, report, label);
    wsr__str_add(out, "</td>");
    for (size_t k = 0; k < c->n; k++) {
        const wsr__report_strength *const p = &c->points[k];
        wsr__str_add(out, "<td class=\"n\">");
        wsr__html_number(
            out, label < p->n_classes ? p->classes[label] : (double)NAN, true);
        wsr__str_add(out, "</td>");
    }
    wsr__str_add(out, "</tr>\n");
}

// Folded, since a hundred classes are many rows.
static void add_classes(wsr__str *out, const wsr__report *report,
                        const wsr__report_curve *c)
{
    wsr__str_add(out, "<details><summary>");
    wsr__html_curve(out, c);
    wsr__str_add(out, "</summary>\n");
    wsr__html_table_begin(out, "", "accuracy by class");
    wsr__str_add(out, "<tr>");
    wsr__html_column(out, "class", false);
    for (size_t k = 0; k < c->n; k++) {
        wsr__str_add(out, "<th scope=\"col\" class=\"n\">");
        wsr__html_eps(out, c->points[k].eps);
        wsr__str_add(out, "</th>");
    }
    wsr__str_add(out, "</tr>\n");
    for (size_t label = 0; label < c->points[0].n_classes; label++) {
        add_class_row(out, report, c, label);
    }
    wsr__html_table_end(out);
    wsr__str_add(out, "</details>\n");
}

// Only evaluations that were asked for classes have them.
void wsr__html_classes(wsr__str *out, const wsr__report *report)
{
    bool any = false;
    for (size_t i = 0; i < report->n_curves; i++) {
        const wsr__report_curve *const c = &report->curves[i];
        if (c->n == 0 || c->points[0].n_classes == 0) {
            continue;
        }
        if (!any) {
            wsr__html_heading(out, "By class");
            wsr__str_add(out, "<p>Share of the images of each class that are "
                              "recognised in spite of the "
                              "attack, by its strength.</p>\n");
        }
        any = true;
        add_classes(out, report, c);
    }
}

// ------------------------------------------------------------------ warnings

// What was found, where, and what would settle it.
static void add_warning(wsr__str *out, const wsr__report_warning *w)
{
    wsr__str_add(out, "<li><b>");
    wsr__html_name(out, w->name);
    wsr__str_add(out, "</b> ");
    wsr__html_text(out, w->attack);
    wsr__str_add(out, w->attack[0] == '\0' || w->norm[0] == '\0' ? "" : ", ");
    wsr__html_text(out, w->norm);
    if (!isnan(w->eps)) {
        wsr__str_add(out, " at ");
        wsr__html_eps(out, w->eps);
    }
    wsr__str_add(out, w->norm[0] == '\0' ? "" : ": ");
    wsr__html_text(out, w->detail);
    wsr__str_add(out, ".<br/><small>");
    wsr__html_text(out, w->remedy);
    wsr__str_add(out, ".</small></li>\n");
}

// They stand above the numbers that they concern.
void wsr__html_warnings(wsr__str *out, const wsr__report *report)
{
    if (report->n_warnings == 0) {
        return;
    }
    wsr__html_heading(out, "Warnings");
    wsr__str_add(out, "<p>What makes these results "
                      "doubtful, by the published checklists for evaluations "
                      "of robustness and for searches.</p>\n<ul "
                      "class=\"warnings\">\n");
    for (size_t i = 0; i < report->n_warnings; i++) {
        add_warning(out, &report->warnings[i]);
    }
    wsr__str_add(out, "</ul>\n");
}
