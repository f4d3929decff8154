// SPDX-License-Identifier: Apache-2.0
//
// The result of the bench: a row for each network, variant and strength. Times
// come from the log where they were measured before the run was resumed.

#include "estimate/estimate.h"
#include "wsr/log.h"

#include <math.h>

// A number of the line, where it is about this network and variant.
static void take_times(wsr__estimate *b, const wsr_log_reader *line)
{
    const char *const net = wsr_log_reader_text(line, "net");
    const char *const variant = wsr_log_reader_text(line, "variant");
    for (size_t i = 0; i < b->n_nets && net != NULL; i++) {
        wsr__estimate_test *const test = &b->test_of[i];
        for (size_t v = 0; v < b->n_variants && variant != NULL; v++) {
            if (wsr__streq(net, b->nets[i].label) &&
                wsr__streq(variant, b->variants[v].label)) {
                test->pgd_seconds = wsr_log_reader_number(line, "seconds_pgd");
                test->seconds[v] =
                    wsr_log_reader_number(line, "seconds_estimate");
            }
        }
    }
}

wsr_status wsr__estimate_read_times(wsr__estimate *b, const char *path)
{
    wsr_status status = WSR_OK;
    wsr_log_reader *log = NULL;
    bool more = true;
    WSR_TRY(wsr_log_reader_open(&log, path));
    WSR_TRY(wsr_log_reader_next(&more, log));
    while (more) {
        const char *const event = wsr_log_reader_event(log);
        if (event != NULL && wsr__streq(event, "estimate_time")) {
            take_times(b, log);
        }
        WSR_TRY(wsr_log_reader_next(&more, log));
    }
out:
    wsr_log_reader_close(log);
    return status;
}

static wsr_estimate_row row_of(const wsr__estimate *b, size_t net, size_t v,
                               size_t j)
{
    const wsr__estimate_test *const t = &b->test_of[net];
    const double n = (double)t->seen;
    wsr_estimate_row row = {.net = b->nets[net].label,
                            .variant = b->variants[v].label,
                            .seen = wsr__estimate_is_seen(b, net),
                            .count = (size_t)t->seen,
                            .eps = b->config->attack.eps.v[j],
                            .norm = t->norm[j] / n,
                            .clean_accuracy = (double)t->clean / n,
                            .pgd_accuracy = (double)t->real[j] / n,
                            .accuracy = (double)t->estimated[v][j] / n,
                            .cosine = t->cosine[v][j] / n,
                            .mse = t->mse[v][j] / n,
                            .pgd_seconds = t->pgd_seconds,
                            .seconds = t->seconds[v]};
    wsr__wilson(&row.pgd_low, &row.pgd_high, row.pgd_accuracy, n);
    wsr__wilson(&row.low, &row.high, row.accuracy, n);
    return row;
}

// The result keeps copies of the names that its rows point to.
static wsr_status keep_name(const char **out, wsr_result *result,
                            const char *name)
{
    char *const copy = wsr__strdup(name);
    *out = copy;
    if (copy == NULL) {
        return WSR_NOMEM;
    }
    result->estimate_names[result->n_estimate_names++] = copy;
    return WSR_OK;
}

wsr_status wsr__estimate_rows(wsr_result *out, const wsr__estimate *b)
{
    wsr_status status = WSR_OK;
    const size_t strengths = b->config->attack.eps.n;
    const size_t rows = b->n_nets * b->n_variants * strengths;
    const char *names[WSR__ESTIMATE_NETS + WSR__ESTIMATE_VARIANTS];
    out->estimates = wsr__alloc(rows, sizeof(*out->estimates));
    out->estimate_names =
        wsr__alloc(b->n_nets + b->n_variants, sizeof(*out->estimate_names));
    if (out->estimates == NULL || out->estimate_names == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < b->n_nets; i++) {
        WSR_TRY(keep_name(&names[i], out, b->nets[i].label));
    }
    for (size_t v = 0; v < b->n_variants; v++) {
        WSR_TRY(keep_name(&names[b->n_nets + v], out, b->variants[v].label));
    }
    for (size_t r = 0; r < rows; r++) {
        const size_t j = r % strengths;
        const size_t v = r / strengths % b->n_variants;
        const size_t i = r / strengths / b->n_variants;
        if (b->test_of[i].seen > 0) { // not where the run was stopped before
            wsr_estimate_row row = row_of(b, i, v, j);
            row.net = names[i];
            row.variant = names[b->n_nets + v];
            out->estimates[out->n_estimates++] = row;
        }
    }
out:
    return status;
}

static void add_number(wsr__str *out, double value, char end)
{
    char text[32] = ""; // of what is no number
    if (isfinite(value)) {
        wsr__format_double(text, value);
    }
    wsr__str_addf(out, "%s%c", text, end);
}

wsr_status wsr__estimate_csv(wsr__str *out, const wsr_result *result)
{
    wsr__str_add(out, "net,seen,variant,eps,norm,count,clean_accuracy,"
                      "pgd_accuracy,pgd_low,pgd_high,estimated_accuracy,low,"
                      "high,cosine,mse\n");
    for (size_t i = 0; i < result->n_estimates; i++) {
        const wsr_estimate_row *const r = &result->estimates[i];
        const double values[] = {
            r->eps,          r->norm,    (double)r->count, r->clean_accuracy,
            r->pgd_accuracy, r->pgd_low, r->pgd_high,      r->accuracy,
            r->low,          r->high,    r->cosine,        r->mse};
        const size_t n = sizeof(values) / sizeof(values[0]);
        wsr__str_add_csv(out, r->net);
        wsr__str_addf(out, ",%s,", r->seen ? "true" : "false");
        wsr__str_add_csv(out, r->variant);
        wsr__str_add(out, ",");
        for (size_t k = 0; k < n; k++) {
            add_number(out, values[k], k + 1 < n ? ',' : '\n');
        }
    }
    return wsr__str_status(out);
}
