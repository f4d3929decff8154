// SPDX-License-Identifier: Apache-2.0
//
// The lines of a log about corrupted images. Of two lines about one corruption
// at one severity the later one counts.

#include "report/collect.h"

#include <math.h>

static wsr__report_corruption *find(const wsr__report *report,
                                    const wsr_log_reader *line)
{
    const double severity = wsr_log_reader_number(line, "severity");
    for (size_t i = 0; i < report->n_corruptions; i++) {
        wsr__report_corruption *const c = &report->corruptions[i];
        if (wsr__streq(c->name, wsr__report_text(line, "corruption")) &&
            !(c->severity < severity) && !(c->severity > severity)) {
            return c;
        }
    }
    return NULL;
}

// An entry without numbers.
static wsr_status add(wsr__report_corruption **out, wsr__report *report,
                      const wsr_log_reader *line)
{
    wsr_status status = WSR_OK;
    void *all = report->corruptions;
    wsr__report_corruption made = {0};
    status = wsr__reserve(&all, &report->corruptions_capacity,
                          report->n_corruptions + 1,
                          sizeof(*report->corruptions));
    report->corruptions = all;
    WSR_TRY(status);
    made.name = wsr__strdup(wsr__report_text(line, "corruption"));
    made.group = wsr__strdup(wsr__report_text(line, "group"));
    if (made.name == NULL || made.group == NULL) {
        wsr__free(made.name);
        wsr__free(made.group);
        return WSR_NOMEM;
    }
    *out = &report->corruptions[report->n_corruptions];
    report->corruptions[report->n_corruptions++] = made;
out:
    return status;
}

wsr_status wsr__report_on_corruption(wsr__report *report,
                                     const wsr_log_reader *line)
{
    wsr_status status = WSR_OK;
    wsr__report_corruption *c = find(report, line);
    if (isnan(wsr_log_reader_number(line, "severity")) ||
        isnan(wsr_log_reader_number(line, "accuracy"))) {
        return WSR_OK;
    }
    if (c == NULL) {
        WSR_TRY(add(&c, report, line));
    }
    c->severity = wsr_log_reader_number(line, "severity");
    c->accuracy = wsr_log_reader_number(line, "accuracy");
    c->low = wsr_log_reader_number(line, "low");
    c->high = wsr_log_reader_number(line, "high");
    c->count = wsr_log_reader_number(line, "count");
out:
    return status;
}

void wsr__report_clear_corruptions(wsr__report *report)
{
    for (size_t i = 0; i < report->n_corruptions; i++) {
        wsr__free(report->corruptions[i].name);
        wsr__free(report->corruptions[i].group);
    }
    wsr__free(report->corruptions);
}
