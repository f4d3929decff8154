// SPDX-License-Identifier: Apache-2.0
//
// The rows of a table, and how far they depend on the architecture and how far
// on the seed. Of the k architectures that have all s seeds, with mean squares
// MSC of the architectures, MSS of the seeds and MSE of what is left,
//
//   cells = (MSC - MSE) / s,   seeds = (MSS - MSE) / k,   rest = MSE
//
// are the variance components of a two-way analysis with random effects (Searle
// 1971). What a seed does to all architectures alike does not change their
// order; `rest` does. A table can rank architectures where `cells` is several
// times `rest`.

#include "search/table.h"

#include "wsr/log.h"

#include <math.h>
#include <string.h>

// ------------------------------------------------------------------ reading

static wsr_status fail_row(const wsr_log_reader *log, const char *path,
                           const char *what)
{
    return WSR_FAIL(WSR_FORMAT, "a row %s (%s:%zu)", what, path,
                    wsr_log_reader_line(log));
}

// The strengths are those of the first row.
static wsr_status take_eps(wsr__table *table, const wsr_log_reader *log,
                           const char *path)
{
    const size_t n = wsr_log_reader_length(log, "eps");
    if (n == 0 || n > WSR__LIST_SIZE) {
        return fail_row(log, path, "has no list 'eps', or too long a one");
    }
    for (size_t i = 0; i < n; i++) {
        const double eps = wsr_log_reader_item(log, "eps", i);
        if (table->n == 0) {
            table->eps[i] = eps;
        } else if (n != table->n_eps || table->eps[i] != eps) {
            return fail_row(log, path, "has other strengths than the first");
        }
    }
    table->n_eps = n;
    return WSR_OK;
}

// An accuracy; the rest of the library divides by nothing that is not in range.
static bool is_share(double value)
{
    return value >= 0 && value <= 1;
}

static wsr_status take_accuracies(wsr__table_row *row,
                                  const wsr_log_reader *log, const char *path,
                                  const wsr__table *table)
{
    double sum = 0;
    double n = 0;
    row->clean = wsr_log_reader_number(log, "clean_accuracy");
    bool valid = is_share(row->clean);
    for (size_t i = 0; i < table->n_eps; i++) {
        row->robust[i] = wsr_log_reader_item(log, "robust_accuracy", i);
        valid = valid && is_share(row->robust[i]);
        sum += table->eps[i] > 0 ? row->robust[i] : 0;
        n += table->eps[i] > 0 ? 1 : 0;
    }
    row->mean = n > 0 ? sum / n : (double)NAN;
    return valid ? WSR_OK : fail_row(log, path, "lacks accuracies in [0, 1]");
}

static wsr_status take_row(wsr__table *table, size_t *capacity,
                           const wsr_log_reader *log, const char *path)
{
    wsr_status status = WSR_OK;
    const char *const cell = wsr_log_reader_text(log, "cell");
    const char *const genotype = wsr_log_reader_text(log, "genotype");
    wsr__table_row row = {0};
    void *rows = table->rows;
    if (cell == NULL || genotype == NULL || strlen(cell) >= sizeof(row.cell)) {
        return fail_row(log, path, "lacks 'cell' or 'genotype'");
    }
    (void)snprintf(row.cell, sizeof(row.cell), "%s", cell);
    row.seed = wsr_log_reader_number(log, "seed");
    row.parameters = wsr_log_reader_number(log, "parameters");
    WSR_TRY(take_eps(table, log, path));
    WSR_TRY(take_accuracies(&row, log, path, table));
    WSR_TRY(wsr__reserve(&rows, capacity, table->n + 1, sizeof(row)));
    table->rows = rows;
    row.genotype = wsr__strdup(genotype);
    if (row.genotype == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    table->rows[table->n++] = row;
out:
    return status;
}

wsr_status wsr__table_read(wsr__table *out, const char *path)
{
    wsr_status status = WSR_OK;
    wsr_log_reader *log = NULL;
    size_t capacity = 0;
    bool more = true;
    *out = (wsr__table){0};
    WSR_TRY(wsr_log_reader_open(&log, path));
    while (more) {
        WSR_TRY(wsr_log_reader_next(&more, log));
        if (more && wsr__streq(wsr_log_reader_event(log), "row")) {
            WSR_TRY(take_row(out, &capacity, log, path));
        }
    }
out:
    wsr_log_reader_close(log);
    if (status != WSR_OK) {
        wsr__table_free(out);
    }
    return status;
}

void wsr__table_free(wsr__table *table)
{
    for (size_t i = 0; i < table->n; i++) {
        wsr__free(table->rows[i].genotype);
    }
    wsr__free(table->rows);
    *table = (wsr__table){0};
}

// ----------------------------------------------------------------- spread

double wsr__table_measure(const wsr__table_row *row, int which)
{
    return which == WSR__TABLE_CLEAN  ? row->clean
           : which == WSR__TABLE_MEAN ? row->mean
                                      : row->robust[which];
}

// The row of an architecture with a seed, NULL: there is none.
static const wsr__table_row *row_of(const wsr__table *table, const char *cell,
                                    double seed)
{
    for (size_t i = 0; i < table->n; i++) {
        const wsr__table_row *const row = &table->rows[i];
        if (row->seed == seed && wsr__streq(row->cell, cell)) {
            return row;
        }
    }
    return NULL;
}

// Values of the architectures that both seeds have. Returns their number.
static size_t common(double *a, double *b, const wsr__table *table,
                     const double seeds[2], int which)
{
    size_t n = 0;
    for (size_t i = 0; i < table->n; i++) {
        const wsr__table_row *const row = &table->rows[i];
        const wsr__table_row *const other =
            row->seed == seeds[0] ? row_of(table, row->cell, seeds[1]) : NULL;
        if (other != NULL) {
            a[n] = wsr__table_measure(row, which);
            b[n++] = wsr__table_measure(other, which);
        }
    }
    return n;
}

enum { MOST_SEEDS = 64 };

static size_t seeds_of(double seeds[MOST_SEEDS], const wsr__table *table)
{
    size_t n = 0;
    for (size_t i = 0; i < table->n; i++) {
        size_t k = 0;
        while (k < n && seeds[k] != table->rows[i].seed) {
            k++;
        }
        if (k == n && n < MOST_SEEDS) {
            seeds[n++] = table->rows[i].seed;
        }
    }
    return n;
}

// Mean over the pairs of seeds that share three architectures or more.
static wsr_status mean_tau(double *out, const wsr__table *table, int which)
{
    double seeds[MOST_SEEDS];
    double sum = 0;
    double pairs = 0;
    const size_t n = seeds_of(seeds, table);
    double *const both = wsr__alloc(2 * table->n, sizeof(*both));
    if (both == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            const double pair[] = {seeds[i], seeds[j]};
            double *const other = both + table->n;
            const size_t cells = common(both, other, table, pair, which);
            if (cells >= 3) {
                sum += wsr_kendall_tau(both, other, cells);
                pairs += 1;
            }
        }
    }
    wsr__free(both);
    *out = pairs > 0 ? sum / pairs : (double)NAN;
    return WSR_OK;
}

// Rows of the architectures that have all seeds: the value of architecture i
// with seed j at i * seeds + j. Returns the number of architectures.
static size_t complete(double *values, const wsr__table *table,
                       const double *seeds, size_t n, int which)
{
    size_t cells = 0;
    for (size_t i = 0; i < table->n; i++) {
        const wsr__table_row *const row = &table->rows[i];
        size_t j = 0;
        for (; row->seed == seeds[0] && j < n; j++) {
            const wsr__table_row *const one =
                row_of(table, row->cell, seeds[j]);
            if (one == NULL) {
                break;
            }
            values[cells * n + j] = wsr__table_measure(one, which);
        }
        cells += j == n;
    }
    return cells;
}

// Sum of squared differences from `mean` of the n means of m values each, that
// lie `step` apart and begin `next` apart.
static double squares_of_means(const double *values, double mean,
                               const size_t size[2], size_t next, size_t step)
{
    double sum = 0;
    for (size_t i = 0; i < size[0]; i++) {
        double own = 0;
        for (size_t j = 0; j < size[1]; j++) {
            own += values[i * next + j * step] / (double)size[1];
        }
        sum += (own - mean) * (own - mean);
    }
    return sum;
}

static void analyse(wsr__table_spread *out, const double *values, size_t k,
                    size_t s)
{
    const size_t by_cell[] = {k, s};
    const size_t by_seed[] = {s, k};
    const size_t by_row[] = {k * s, 1};
    const double n[] = {(double)k, (double)s};
    for (size_t i = 0; i < k * s; i++) {
        out->mean += values[i] / (n[0] * n[1]);
    }
    const double cells = n[1] *
                         squares_of_means(values, out->mean, by_cell, s, 1);
    const double seeds = n[0] *
                         squares_of_means(values, out->mean, by_seed, 1, s);
    const double all = squares_of_means(values, out->mean, by_row, 1, 1);
    const double rest = fmax(0, all - cells - seeds) /
                        ((n[0] - 1) * (n[1] - 1));
    out->cells = fmax(0, (cells / (n[0] - 1) - rest) / n[1]);
    out->seeds = fmax(0, (seeds / (n[1] - 1) - rest) / n[0]);
    out->rest = rest;
}

wsr_status wsr__table_spread_of(wsr__table_spread *out, const wsr__table *table,
                                int which)
{
    double seeds[MOST_SEEDS];
    const size_t n = seeds_of(seeds, table);
    double *const values = wsr__alloc(table->n * (n + 1), sizeof(*values));
    if (values == NULL) {
        return WSR_NOMEM;
    }
    *out = (wsr__table_spread){
        .cells = (double)NAN, .seeds = (double)NAN, .rest = (double)NAN};
    out->n = n < 2 ? 0 : complete(values, table, seeds, n, which);
    if (out->n > 1) {
        analyse(out, values, out->n, n);
    } else {
        out->mean = (double)NAN;
    }
    wsr__free(values);
    return mean_tau(&out->tau, table, which);
}
