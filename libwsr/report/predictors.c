// SPDX-License-Identifier: Apache-2.0
//
// The table of predictors: how each ranks architectures that it never saw,
// events "predictor" of the log. A column for every loss, with Kendall's tau
// and the 95 % interval of its bootstrap.

#include "report/collect.h"
#include "report/rows.h"

#include <math.h>
#include <string.h>

static const char begin[] = "holdout_";
static const char end[] = "_tau";

// "holdout_eps_0.03_tau" is about the loss "eps_0.03". 0: about none.
static size_t loss_length(const char *key)
{
    const size_t n = strlen(key);
    const size_t around = sizeof(begin) - 1 + sizeof(end) - 1;
    const bool is = n > around && strncmp(key, begin, sizeof(begin) - 1) == 0 &&
                    wsr__streq(key + n - (sizeof(end) - 1), end);
    return is ? n - around : 0;
}

static void put_tau(wsr__report_predictor *p, const wsr_log_reader *line,
                    const char *key, size_t length)
{
    wsr__report_tau *const t = &p->taus[p->n];
    char other[96];
    if (p->n == WSR__REPORT_TAUS || length >= sizeof(t->loss)) {
        return; // more than a table can show
    }
    memcpy(t->loss, key + sizeof(begin) - 1, length);
    t->loss[length] = '\0';
    t->tau = wsr_log_reader_number(line, key);
    (void)snprintf(other, sizeof(other), "%s%s_low", begin, t->loss);
    t->low = wsr_log_reader_number(line, other);
    (void)snprintf(other, sizeof(other), "%s%s_high", begin, t->loss);
    t->high = wsr_log_reader_number(line, other);
    p->n++;
}

// A predictor of the same name is replaced: an epoch that was repeated after a
// stop compares again.
static wsr_status find(wsr__report_predictor **out, wsr__report *report,
                       const char *name)
{
    for (size_t i = 0; i < report->n_predictors; i++) {
        *out = &report->predictors[i];
        if (wsr__streq((*out)->name, name)) {
            return WSR_OK;
        }
    }
    void *all = report->predictors;
    const wsr_status status = wsr__reserve(&all, &report->predictors_capacity,
                                           report->n_predictors + 1,
                                           sizeof(*report->predictors));
    report->predictors = all;
    if (status != WSR_OK) {
        return status;
    }
    *out = &report->predictors[report->n_predictors];
    **out = (wsr__report_predictor){.name = wsr__strdup(name)};
    if ((*out)->name == NULL) {
        return WSR_NOMEM;
    }
    report->n_predictors++;
    return WSR_OK;
}

wsr_status wsr__report_on_predictor(wsr__report *report,
                                    const wsr_log_reader *line)
{
    wsr_status status = WSR_OK;
    wsr__report_predictor *p = NULL;
    WSR_TRY(find(&p, report, wsr__report_text(line, "predictor")));
    p->n = 0;
    p->architectures = wsr_log_reader_number(line, "architectures");
    p->remembered = wsr_log_reader_number(line, "remembered");
    for (size_t i = 0; i < wsr_log_reader_keys(line); i++) {
        const char *const key = wsr_log_reader_key(line, i);
        const size_t length = loss_length(key);
        if (length > 0) {
            put_tau(p, line, key, length);
        }
    }
out:
    return status;
}

void wsr__report_clear_predictors(wsr__report *report)
{
    for (size_t i = 0; i < report->n_predictors; i++) {
        wsr__free(report->predictors[i].name);
    }
    wsr__free(report->predictors);
}

// ------------------------------------------------------------------- drawing

static void add_tau(wsr__str *out, const wsr__report_tau *t)
{
    wsr__str_add(out, "<td class=\"n\">");
    if (isnan(t->tau)) {
        wsr__str_add(out, "–");
    } else {
        wsr__str_addf(out, "%.2f", t->tau);
    }
    if (!isnan(t->low) && !isnan(t->high)) {
        wsr__str_addf(out, "<br/><small>%.2f to %.2f</small>", t->low, t->high);
    }
    wsr__str_add(out, "</td>");
}

static void add_row(wsr__str *out, const wsr__report_predictor *p)
{
    wsr__str_add(out, "<tr><td>");
    wsr__html_text(out, p->name);
    wsr__str_add(out, "</td>");
    for (size_t i = 0; i < p->n; i++) {
        add_tau(out, &p->taus[i]);
    }
    wsr__str_add(out, "</tr>\n");
}

// A row for each predictor and loss.
static wsr_status save(wsr__str *out, const wsr__report *report)
{
    wsr__rows rows = {0};
    for (size_t i = 0; i < report->n_predictors; i++) {
        const wsr__report_predictor *const p = &report->predictors[i];
        for (size_t k = 0; k < p->n; k++) {
            wsr__rows_text(&rows, "predictor", p->name);
            wsr__rows_number(&rows, "architectures", p->architectures);
            wsr__rows_text(&rows, "loss", p->taus[k].loss);
            wsr__rows_number(&rows, "tau", p->taus[k].tau);
            wsr__rows_number(&rows, "low", p->taus[k].low);
            wsr__rows_number(&rows, "high", p->taus[k].high);
            wsr__rows_next(&rows);
        }
    }
    return wsr__html_rows(out, &rows, "predictors");
}

// The predictors of one log have the same losses.
wsr_status wsr__html_predictors(wsr__str *out, const wsr__report *report)
{
    if (report->n_predictors == 0) {
        return WSR_OK;
    }
    const wsr__report_predictor *const first = &report->predictors[0];
    wsr__html_heading(out, "Predictors");
    wsr__str_addf(
        out,
        "<p>Kendall's τ of predicted and "
        "measured losses, over %g architectures that no predictor "
        "saw, with 95 %% intervals of the bootstrap. The first row is "
        "the predictor of the search; all learnt from the same %g "
        "architectures.</p>\n",
        first->architectures, first->remembered);
    wsr__html_table_begin(out, "", "predictors");
    wsr__str_add(out, "<tr>");
    wsr__html_column(out, "predictor", false);
    for (size_t i = 0; i < first->n; i++) {
        wsr__str_add(out, "<th scope=\"col\" class=\"n\">");
        wsr__html_name(out, first->taus[i].loss);
        wsr__str_add(out, "</th>");
    }
    wsr__str_add(out, "</tr>\n");
    for (size_t i = 0; i < report->n_predictors; i++) {
        add_row(out, &report->predictors[i]);
    }
    wsr__html_table_end(out);
    return save(out, report);
}
