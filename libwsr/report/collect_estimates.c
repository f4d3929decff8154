// SPDX-License-Identifier: Apache-2.0
//
// The lines of a test bench of estimators in a log: estimates against PGD by
// strength, times, and the errors of leave-one-out, which become series over
// the epochs. Of two lines about one strength the later one counts.

#include "report/collect.h"

#include <math.h>
#include <string.h>

static wsr__report_estimate *find(const wsr__report *report,
                                  const wsr_log_reader *line)
{
    for (size_t i = 0; i < report->n_estimates; i++) {
        wsr__report_estimate *const e = &report->estimates[i];
        if (wsr__streq(e->net, wsr__report_text(line, "net")) &&
            wsr__streq(e->variant, wsr__report_text(line, "variant"))) {
            return e;
        }
    }
    return NULL;
}

static void free_estimate(wsr__report_estimate *e)
{
    wsr__free(e->net);
    wsr__free(e->variant);
    wsr__free(e->points);
}

// Found, or made without points.
static wsr_status estimate_of(wsr__report_estimate **out, wsr__report *report,
                              const wsr_log_reader *line)
{
    *out = find(report, line);
    if (*out != NULL) {
        return WSR_OK;
    }
    void *all = report->estimates;
    const wsr_status status = wsr__reserve(&all, &report->estimates_capacity,
                                           report->n_estimates + 1,
                                           sizeof(*report->estimates));
    report->estimates = all;
    if (status != WSR_OK) {
        return status;
    }
    wsr__report_estimate made = {
        .net = wsr__strdup(wsr__report_text(line, "net")),
        .variant = wsr__strdup(wsr__report_text(line, "variant")),
        .seconds_pgd = NAN,
        .seconds = NAN};
    if (made.net == NULL || made.variant == NULL) {
        free_estimate(&made);
        return WSR_NOMEM;
    }
    *out = &report->estimates[report->n_estimates];
    report->estimates[report->n_estimates++] = made;
    return WSR_OK;
}

static wsr__report_match match_of(const wsr_log_reader *line)
{
    return (wsr__report_match){
        .eps = wsr_log_reader_number(line, "eps"),
        .clean = wsr_log_reader_number(line, "clean_accuracy"),
        .count = wsr_log_reader_number(line, "count"),
        .pgd = wsr_log_reader_number(line, "pgd_accuracy"),
        .pgd_low = wsr_log_reader_number(line, "pgd_low"),
        .pgd_high = wsr_log_reader_number(line, "pgd_high"),
        .own = wsr_log_reader_number(line, "estimated_accuracy"),
        .low = wsr_log_reader_number(line, "low"),
        .high = wsr_log_reader_number(line, "high"),
        .cosine = wsr_log_reader_number(line, "cosine")};
}

// Strengths ascend.
static wsr_status put_match(wsr__report_estimate *e, const wsr__report_match *m)
{
    void *points = e->points;
    const wsr_status status =
        wsr__reserve(&points, &e->capacity, e->n + 1, sizeof(*m));
    e->points = points;
    if (status != WSR_OK) {
        return status;
    }
    size_t at = e->n;
    while (at > 0 && e->points[at - 1].eps >= m->eps) {
        at--;
    }
    if (at == e->n || e->points[at].eps > m->eps) {
        memmove(&e->points[at + 1], &e->points[at], (e->n - at) * sizeof(*m));
        e->n++;
    }
    e->points[at] = *m;
    return WSR_OK;
}

wsr_status wsr__report_on_estimate(wsr__report *report,
                                   const wsr_log_reader *line)
{
    wsr_status status = WSR_OK;
    wsr__report_estimate *e = NULL;
    const wsr__report_match match = match_of(line);
    if (isnan(match.eps) || isnan(match.pgd) || isnan(match.own)) {
        return WSR_OK;
    }
    WSR_TRY(estimate_of(&e, report, line));
    WSR_TRY(put_match(e, &match));
out:
    return status;
}

wsr_status wsr__report_on_estimate_time(wsr__report *report,
                                        const wsr_log_reader *line)
{
    wsr__report_estimate *e = NULL;
    const wsr_status status = estimate_of(&e, report, line);
    if (status == WSR_OK) {
        e->seconds_pgd = wsr_log_reader_number(line, "seconds_pgd");
        e->seconds = wsr_log_reader_number(line, "seconds_estimate");
    }
    return status;
}

// A line for each network and variant; the networks are the phases.
wsr_status wsr__report_on_leave_one_out(wsr__report *report,
                                        const wsr_log_reader *line)
{
    const wsr__report_point point = {wsr_log_reader_number(line, "epoch"),
                                     wsr_log_reader_number(line, "mse")};
    if (isnan(point.x) || isnan(point.y)) {
        return WSR_OK;
    }
    return wsr__report_put(report, WSR__REPORT_MSE,
                           wsr__report_text(line, "net"),
                           wsr__report_text(line, "variant"), point);
}

void wsr__report_clear_estimates(wsr__report *report)
{
    for (size_t i = 0; i < report->n_estimates; i++) {
        free_estimate(&report->estimates[i]);
    }
    wsr__free(report->estimates);
}
