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

void wsr__html_differences(wsr__str *out, const wsr__report *report)
{
    if (report->n_differences == 0) {
        return;
    }
    wsr__str_addf(
        out,
        "<h2>Differences</h2>\n<p>Two runs on the same %zu images: accuracy of "
        "the first less that of the second, in percentage points, with the 95 "
        "%% interval for paired images (Newcombe). Only images on which the "
        "two differ count for the p value (McNemar): those that stand in the "
        "first run alone, and in the second alone. p values are not corrected "
        "for their number.</p>\n<div class=\"wide\"><table>\n"
        "<tr><th>runs</th><th>attack</th><th class=\"n\">strength ε</th>"
        "<th class=\"n\">robust</th><th class=\"n\">difference</th>"
        "<th class=\"n\">95 %% interval</th><th class=\"n\">alone</th>"
        "<th class=\"n\">p (mid-p)</th><th class=\"n\">p (exact)</th></tr>\n",
        report->differences[0].count);
    for (size_t i = 0; i < report->n_differences; i++) {
        add_row(out, &report->differences[i]);
    }
    wsr__str_add(out, "</table></div>\n");
}
