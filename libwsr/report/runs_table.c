// SPDX-License-Identifier: Apache-2.0
//
// The table of a comparison of runs: a row for each pair of runs, attack and
// strength that both have.

#include "report/runs.h"

#include <math.h>

// Three digits; smaller than a ten-thousandth as a power of ten.
static void add_p(wsr__str *out, double p)
{
    wsr__str_addf(out, p < 1e-4 ? "%.0e" : "%.4f", p);
}

static void add_row(wsr__str *out, const wsr__report_difference *d)
{
    wsr__str_add(out, "<tr><td>");
    wsr__html_text(out, d->a);
    wsr__str_add(out, "<br/>");
    wsr__html_text(out, d->b);
    wsr__str_add(out, "</td><td>");
    wsr__html_text(out, d->attack);
    if (d->options[0] != '\0') {
        wsr__str_add(out, " <small>");
        wsr__html_text(out, d->options);
        wsr__str_add(out, "</small>");
    }
    wsr__str_add(out, "</td><td class=\"n\">");
    if (isnan(d->eps)) {
        wsr__str_add(out, "∞");
    } else {
        wsr__html_eps(out, d->eps);
    }
    wsr__str_addf(out,
                  "</td><td class=\"n\">%.1f %%<br/>%.1f %%</td>"
                  "<td class=\"n\">%+.1f</td>"
                  "<td class=\"n\">%+.1f to %+.1f</td>"
                  "<td class=\"n\">%zu<br/>%zu</td><td class=\"n\">",
                  100 * d->share_a, 100 * d->share_b,
                  100 * (d->share_a - d->share_b), 100 * d->low, 100 * d->high,
                  d->only_a, d->only_b);
    add_p(out, d->mid);
    wsr__str_add(out, "</td><td class=\"n\">");
    add_p(out, d->exact);
    wsr__str_add(out, "</td></tr>\n");
}

void wsr__rows_differences(wsr__rows *rows, const wsr__report *report)
{
    for (size_t i = 0; i < report->n_differences; i++) {
        const wsr__report_difference *const d = &report->differences[i];
        wsr__rows_event(rows, "difference");
        wsr__rows_text(rows, "a", d->a);
        wsr__rows_text(rows, "b", d->b);
        wsr__rows_text(rows, "attack", d->attack);
        wsr__rows_text(rows, "options", d->options);
        wsr__rows_text(rows, "norm", d->norm);
        wsr__rows_number(rows, "eps", d->eps);
        wsr__rows_count(rows, "count", d->count);
        wsr__rows_number(rows, "a_accuracy", d->share_a);
        wsr__rows_number(rows, "b_accuracy", d->share_b);
        wsr__rows_number(rows, "difference", d->share_a - d->share_b);
        wsr__rows_number(rows, "low", d->low);
        wsr__rows_number(rows, "high", d->high);
        wsr__rows_count(rows, "only_a", d->only_a);
        wsr__rows_count(rows, "only_b", d->only_b);
        wsr__rows_number(rows, "p_mid", d->mid);
        wsr__rows_number(rows, "p_exact", d->exact);
        wsr__rows_next(rows);
    }
}

wsr_status wsr__html_differences(wsr__str *out, const wsr__report *report)
{
    wsr__rows rows = {0};
    if (report->n_differences == 0) {
        return WSR_OK;
    }
    static const char *const heads[] = {"strength ε",    "robust", "difference",
                                        "95 % interval", "alone",  "p (mid-p)",
                                        "p (exact)"};
    wsr__html_heading(out, "Differences");
    wsr__str_addf(
        out,
        "<p>Two runs on the same %zu images: accuracy of "
        "the first less that of the second, in percentage points, with the 95 "
        "%% interval for paired images (Newcombe). Only images on which the "
        "two differ count for the p value (McNemar): those that stand in the "
        "first run alone, and in the second alone. p values are not corrected "
        "for their number.</p>\n",
        report->differences[0].count);
    wsr__html_table_begin(out, "", "differences of runs");
    wsr__str_add(out, "<tr>");
    wsr__html_column(out, "runs", false);
    wsr__html_column(out, "attack", false);
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        wsr__html_column(out, heads[i], true);
    }
    wsr__str_add(out, "</tr>\n");
    for (size_t i = 0; i < report->n_differences; i++) {
        add_row(out, &report->differences[i]);
    }
    wsr__html_table_end(out);
    wsr__rows_differences(&rows, report);
    return wsr__html_rows(out, &rows, "differences");
}
