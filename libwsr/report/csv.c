// SPDX-License-Identifier: Apache-2.0
//
// Writes the numbers of a page as comma-separated values (RFC 4180), each file
// inside a link that saves it. Unknown numbers are empty.

#include "report/report.h"

#include <math.h>

// The shortest text that reads back to the same double.
static void add_number(wsr__str *out, double value)
{
    char text[32];
    wsr__format_double(text, value);
    wsr__str_addf(out, ",%s", isnan(value) ? "" : text);
}

// Quoted, since options hold commas.
static void add_field(wsr__str *out, const char *text, bool first)
{
    wsr__str_add(out, first ? "" : ",");
    wsr__str_add_csv(out, text);
}

// A link that saves `csv` under a name; frees the text. The page holds the file
// itself, as base64: it needs no server.
static wsr_status add_link(wsr__str *out, const char *name, wsr__str *csv)
{
    const wsr_status status = wsr__str_status(csv);
    if (status == WSR_OK) {
        wsr__str_addf(out,
                      "<p>Save the numbers: <a download=\"%s\" "
                      "href=\"data:text/csv;charset=utf-8;base64,",
                      name);
        wsr__add_base64(out, (const unsigned char *)csv->s, csv->len);
        wsr__str_addf(out, "\">%s</a></p>\n", name);
    }
    wsr__str_free(csv);
    return status;
}

// A row: a curve's names, one strength, and a column for each class.
static void add_strength(wsr__str *csv, const wsr__report *report,
                         const wsr__report_curve *c,
                         const wsr__report_strength *p)
{
    add_field(csv, c->net, true);
    add_field(csv, c->attack, false);
    add_field(csv, c->options, false);
    add_field(csv, c->norm, false);
    const double numbers[] = {p->eps,    p->count, p->clean,
                              p->robust, p->low,   p->high};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        add_number(csv, numbers[i]);
    }
    for (size_t k = 0; k < report->classes; k++) {
        add_number(csv, k < p->n_classes ? p->classes[k] : (double)NAN);
    }
    wsr__str_add(csv, "\n");
}

// All rows have as many columns as the first line names.
wsr_status wsr__html_csv_accuracies(wsr__str *out, const wsr__report *report)
{
    wsr__str csv = {0};
    if (report->n_curves == 0) {
        return WSR_OK;
    }
    wsr__str_add(&csv, "net,attack,options,norm,eps,count,clean_accuracy,"
                       "robust_accuracy,robust_low,robust_high");
    for (size_t k = 0; k < report->classes; k++) {
        wsr__str_addf(&csv, ",class_%zu", k);
    }
    wsr__str_add(&csv, "\n");
    for (size_t i = 0; i < report->n_curves; i++) {
        const wsr__report_curve *const c = &report->curves[i];
        for (size_t k = 0; k < c->n; k++) {
            add_strength(&csv, report, c, &c->points[k]);
        }
    }
    return add_link(out, "accuracies.csv", &csv);
}

// One number a row, the long form that R, pandas and spreadsheets pivot.
wsr_status wsr__html_csv_series(wsr__str *out, const wsr__report *report)
{
    // Index: kind. The unit tells what may share an axis.
    static const char *const units[WSR__REPORT_KINDS] = {
        [WSR__REPORT_LOSS] = "loss",
        [WSR__REPORT_OBJECTIVE] = "loss",
        [WSR__REPORT_SURROGATE] = "loss",
        [WSR__REPORT_ACCURACY] = "share",
        [WSR__REPORT_CORRELATION] = "correlation",
        [WSR__REPORT_MSE] = "squared error",
        [WSR__REPORT_SHARE] = "share",
        [WSR__REPORT_TIME] = "seconds"};
    wsr__str csv = {0};
    if (report->n_series == 0) {
        return WSR_OK;
    }
    wsr__str_add(&csv, "phase,unit,name,epoch,value\n");
    for (size_t i = 0; i < report->n_series; i++) {
        const wsr__report_series *const s = &report->series[i];
        for (size_t k = 0; k < s->n; k++) {
            add_field(&csv, s->phase, true);
            add_field(&csv, units[s->kind], false);
            add_field(&csv, s->name, false);
            add_number(&csv, s->points[k].x);
            add_number(&csv, s->points[k].y);
            wsr__str_add(&csv, "\n");
        }
    }
    return add_link(out, "epochs.csv", &csv);
}
