// SPDX-License-Identifier: Apache-2.0
//
// Draws how the time of a run divides: one bar, cut into the things that the
// seconds were spent on.

#include "report/report.h"

enum { WIDTH = 760, HEIGHT = 34, GAP = 2 };

// Seconds spent on one thing in all phases.
typedef struct share {
    const char *name;
    double seconds;
} share;

enum { SHARES = WSR__REPORT_COLOURS }; // the last one takes what is left

// Over all epochs.
static double sum_of(const wsr__report_series *s)
{
    double sum = 0.0;
    for (size_t i = 0; i < s->n; i++) {
        sum += s->points[i].y;
    }
    return sum;
}

// In the order in which the log first names them. Series of one name in
// different phases are one share; behind the last colour all are "other".
static size_t gather(share shares[SHARES], const wsr__report *report)
{
    size_t n = 0;
    for (size_t i = 0; i < report->n_series; i++) {
        const wsr__report_series *const s = &report->series[i];
        size_t k = 0;
        if (s->kind != WSR__REPORT_TIME) {
            continue;
        }
        while (k < n && k < SHARES - 1 &&
               !wsr__streq(shares[k].name, s->name)) {
            k++;
        }
        if (k == n) {
            shares[n++] = (share){s->name, 0.0};
        } else if (!wsr__streq(shares[k].name, s->name)) {
            shares[k].name = "other";
        }
        shares[k].seconds += sum_of(s);
    }
    return n;
}

// An entry of the legend: name, time, share.
static void add_share(wsr__str *out, const share *part, double total)
{
    wsr__html_name(out, part->name);
    wsr__str_add(out, " <b>");
    wsr__html_seconds(out, part->seconds);
    wsr__str_addf(out, "</b>, %.0f %%", 100.0 * part->seconds / total);
}

// Very thin pieces keep their whole width, so that they are seen.
wsr_status wsr__svg_time(wsr__str *out, const wsr__report *report)
{
    share shares[SHARES];
    double total = 0.0;
    double x = 0.0;
    wsr__figure figure = {.style = "chart",
                          .label = "how the time divides",
                          .width = WIDTH,
                          .height = HEIGHT};
    const size_t n = gather(shares, report);
    for (size_t i = 0; i < n; i++) {
        total += shares[i].seconds;
    }
    if (!(total > 0.0)) {
        return WSR_OK;
    }
    for (size_t i = 0; i < n; i++) {
        const double width = WIDTH * shares[i].seconds / total;
        const double shown = width > 2 * GAP ? width - GAP : width;
        wsr__str_addf(&figure.body,
                      "<rect class=\"share c%zu\" x=\"%.1f\" y=\"2\" "
                      "width=\"%.1f\" height=\"28\" rx=\"2\"><title>",
                      i, x, shown);
        wsr__html_name(&figure.body, shares[i].name);
        wsr__str_addf(&figure.body, ": %.1f %%</title></rect>\n",
                      100.0 * shares[i].seconds / total);
        wsr__legend_area(&figure, i);
        add_share(&figure.entry, &shares[i], total);
        wsr__legend_end(&figure);
        x += width;
    }
    return wsr__html_figure(out, &figure, "time");
}
