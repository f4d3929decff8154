// SPDX-License-Identifier: Apache-2.0
//
// The table of a comparison of searchers: events "compare" of the log. Every
// search has a report of its own in the folder of its name.

#include "report/collect.h"
#include "report/rows.h"

// A column: the field of the log, its heading, and whether it is a share.
typedef struct column {
    const char *key;
    const char *heading;
    bool percent;
} column;

static const column columns[WSR__REPORT_COLUMNS] = {
    {"passes", "passes", false},
    {"search_seconds", "seconds", false},
    {"objective", "objective", false},
    {"random_baseline_objective", "of random ones", false},
    {"random_baseline_error", "its error", false},
    {"random_baseline_better", "better ones", false},
    {"rank_correlation", "rank correlation", false},
    {"skip_share", "skips", true},
    {"clean_accuracy", "clean", true},
    {"robust_accuracy", "robust", true},
};

// A line without a name has no place in the table.
wsr_status wsr__report_on_compare(wsr__report *report,
                                  const wsr_log_reader *line)
{
    wsr__report_searcher made = {0};
    void *all = report->searchers;
    const wsr_status status = wsr__reserve(&all, &report->searchers_capacity,
                                           report->n_searchers + 1,
                                           sizeof(*report->searchers));
    report->searchers = all;
    if (status != WSR_OK) {
        return status;
    }
    made.name = wsr__strdup(wsr__report_text(line, "searcher"));
    if (made.name == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < WSR__REPORT_COLUMNS; i++) {
        made.values[i] = wsr_log_reader_number(line, columns[i].key);
    }
    report->searchers[report->n_searchers++] = made;
    return WSR_OK;
}

static void add_row(wsr__str *out, const wsr__report_searcher *s)
{
    wsr__str_add(out, "<tr><td>");
    wsr__html_name(out, s->name);
    wsr__str_add(out, "</td>");
    for (size_t i = 0; i < WSR__REPORT_COLUMNS; i++) {
        wsr__str_add(out, "<td class=\"n\">");
        wsr__html_number(out, s->values[i], columns[i].percent);
        wsr__str_add(out, "</td>");
    }
    wsr__str_add(out, "</tr>\n");
}

static wsr_status save(wsr__str *out, const wsr__report *report)
{
    wsr__rows rows = {0};
    for (size_t i = 0; i < report->n_searchers; i++) {
        const wsr__report_searcher *const s = &report->searchers[i];
        wsr__rows_text(&rows, "searcher", s->name);
        for (size_t k = 0; k < WSR__REPORT_COLUMNS; k++) {
            wsr__rows_number(&rows, columns[k].key, s->values[k]);
        }
        wsr__rows_next(&rows);
    }
    return wsr__html_rows(out, &rows, "searchers");
}

wsr_status wsr__html_searchers(wsr__str *out, const wsr__report *report)
{
    if (report->n_searchers == 0) {
        return WSR_OK;
    }
    wsr__html_heading(out, "Searchers");
    wsr__str_add(
        out, "<p>What each search took, forward-backward "
             "passes of images; how the cells it found do with its shared "
             "weights beside random cells; and how the network trained from "
             "them does. Objectives of different searchers belong to different "
             "weights: compare their distances from random cells.</p>\n");
    wsr__html_table_begin(out, "", "searchers");
    wsr__str_add(out, "<tr>");
    wsr__html_column(out, "searcher", false);
    for (size_t i = 0; i < WSR__REPORT_COLUMNS; i++) {
        wsr__html_column(out, columns[i].heading, true);
    }
    wsr__str_add(out, "</tr>\n");
    for (size_t i = 0; i < report->n_searchers; i++) {
        add_row(out, &report->searchers[i]);
    }
    wsr__html_table_end(out);
    return save(out, report);
}

void wsr__report_clear_searchers(wsr__report *report)
{
    for (size_t i = 0; i < report->n_searchers; i++) {
        wsr__free(report->searchers[i].name);
    }
    wsr__free(report->searchers);
}
