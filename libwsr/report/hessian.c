// SPDX-License-Identifier: Apache-2.0
//
// The curvature of the loss as a table: lines of the event "hessian", and the
// page's section. Of two lines about the same derivatives the later one counts.

#include "report/collect.h"
#include "report/rows.h"

#include <math.h>

// Fields of a line in the order of wsr__report_hessian.values.
enum { COUNT, SIZE, TOP, TOP_ERROR, TOP_MOST, TRACE, TRACE_ERROR };

static const char *const keys[WSR__REPORT_HESSIAN] = {
    "count", "size", "top", "top_error", "top_most", "trace", "trace_error"};

wsr_status wsr__report_on_hessian(wsr__report *report,
                                  const wsr_log_reader *line)
{
    const bool input = wsr__streq(wsr__report_text(line, "of"), "input");
    wsr__report_hessian *const h = &report->hessian[input];
    h->known = true;
    for (size_t i = 0; i < WSR__REPORT_HESSIAN; i++) {
        h->values[i] = wsr_log_reader_number(line, keys[i]);
    }
    return WSR_OK;
}

// A number, and behind it its standard error where that is known.
static void add_number(wsr__str *out, double value, double error)
{
    wsr__str_add(out, "<td class=\"n\">");
    wsr__html_number(out, value, false);
    if (!isnan(error)) {
        wsr__str_add(out, " ± ");
        wsr__html_number(out, error, false);
    }
    wsr__str_add(out, "</td>");
}

static void add_row(wsr__str *out, const wsr__report_hessian *h,
                    const char *name)
{
    if (!h->known) {
        return;
    }
    wsr__str_addf(out, "<tr><td>%s</td>", name);
    add_number(out, h->values[TOP], h->values[TOP_ERROR]);
    add_number(out, h->values[TOP_MOST], (double)NAN);
    add_number(out, h->values[TRACE], h->values[TRACE_ERROR]);
    add_number(out, h->values[SIZE], (double)NAN);
    add_number(out, h->values[COUNT], (double)NAN);
    wsr__str_add(out, "</tr>\n");
}

static wsr_status save(wsr__str *out, const wsr__report *report)
{
    static const char *const of[2] = {"params", "input"};
    wsr__rows rows = {0};
    for (size_t i = 0; i < 2; i++) {
        if (report->hessian[i].known) {
            wsr__rows_text(&rows, "of", of[i]);
            for (size_t k = 0; k < WSR__REPORT_HESSIAN; k++) {
                wsr__rows_number(&rows, keys[k], report->hessian[i].values[k]);
            }
            wsr__rows_next(&rows);
        }
    }
    return wsr__html_rows(out, &rows, "hessian");
}

wsr_status wsr__html_hessian(wsr__str *out, const wsr__report *report)
{
    static const char *const heads[] = {"largest eigenvalue", "of all images",
                                        "trace", "size", "images"};
    if (!report->hessian[0].known && !report->hessian[1].known) {
        return WSR_OK;
    }
    wsr__html_heading(out, "Curvature of the loss");
    wsr__str_add(out,
                 "<p>Hessian of the cross "
                 "entropy with frozen running statistics: of the mean over the "
                 "images, by the parameters; of single images, by the pixels. "
                 "± are standard errors.</p>\n");
    wsr__html_table_begin(out, "", "curvature of the loss");
    wsr__str_add(out, "<tr>");
    wsr__html_column(out, "by", false);
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        wsr__html_column(out, heads[i], true);
    }
    wsr__str_add(out, "</tr>\n");
    add_row(out, &report->hessian[0], "parameters");
    add_row(out, &report->hessian[1], "pixels, mean of the images");
    wsr__html_table_end(out);
    return save(out, report);
}
