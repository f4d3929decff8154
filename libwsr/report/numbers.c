// SPDX-License-Identifier: Apache-2.0
//
// The numbers of evaluations and epochs as rows that can be saved.

#include "report/report.h"
#include "report/rows.h"

#include <math.h>

// A row: a curve's names, one strength, and a column for each class.
static void add_strength(wsr__rows *rows, const wsr__report *report,
                         const wsr__report_curve *c,
                         const wsr__report_strength *p)
{
    wsr__rows_text(rows, "net", c->net);
    wsr__rows_text(rows, "attack", c->attack);
    wsr__rows_text(rows, "options", c->options);
    wsr__rows_text(rows, "norm", c->norm);
    wsr__rows_number(rows, "eps", p->eps);
    wsr__rows_number(rows, "count", p->count);
    wsr__rows_number(rows, "clean_accuracy", p->clean);
    wsr__rows_number(rows, "robust_accuracy", p->robust);
    wsr__rows_number(rows, "robust_low", p->low);
    wsr__rows_number(rows, "robust_high", p->high);
    for (size_t k = 0; k < report->classes; k++) {
        char key[32];
        (void)snprintf(key, sizeof(key), "class_%zu", k);
        wsr__rows_number(rows, key,
                         k < p->n_classes ? p->classes[k] : (double)NAN);
    }
    wsr__rows_next(rows);
}

wsr_status wsr__html_save_accuracies(wsr__str *out, const wsr__report *report)
{
    wsr__rows rows = {0};
    for (size_t i = 0; i < report->n_curves; i++) {
        const wsr__report_curve *const c = &report->curves[i];
        for (size_t k = 0; k < c->n; k++) {
            add_strength(&rows, report, c, &c->points[k]);
        }
    }
    return wsr__html_rows(out, &rows, "accuracies");
}

// One number a row, the long form that R, pandas and spreadsheets pivot.
wsr_status wsr__html_save_series(wsr__str *out, const wsr__report *report)
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
    wsr__rows rows = {0};
    for (size_t i = 0; i < report->n_series; i++) {
        const wsr__report_series *const s = &report->series[i];
        for (size_t k = 0; k < s->n; k++) {
            wsr__rows_text(&rows, "phase", s->phase);
            wsr__rows_text(&rows, "unit", units[s->kind]);
            wsr__rows_text(&rows, "name", s->name);
            wsr__rows_number(&rows, "epoch", s->points[k].x);
            wsr__rows_number(&rows, "value", s->points[k].y);
            wsr__rows_next(&rows);
        }
    }
    return wsr__html_rows(out, &rows, "epochs");
}
