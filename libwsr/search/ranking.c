// SPDX-License-Identifier: Apache-2.0
//
// Whether a search can tell good architectures from bad ones: how it ranks
// architectures of a table whose networks were each trained alone
// (search.ranking, table.h). Kendall's tau, every few epochs, of what the table
// says with
//
//   shared     losses with shared weights, batch norms with the statistics of
//              the batch
//   running    the same with running statistics, which all paths have moved
//   predictor  losses by the predictor, which never remembers these
//
// and of the predictor with `shared`. The sign is that of agreement: low loss,
// high accuracy. Each strength is compared with that of the table, where it has
// it, and the objective with the mean accuracy over all strengths. What is lost
// between alphas and genotype is in the objectives of the path that takes the
// largest alpha on every edge, and of the genotype.
//
// All are for the log, and leave no trace in the search.

#include "search/table.h"

#include <math.h>
#include <string.h>

// The architectures of the table, their accuracies the mean over seeds.
struct wsr__ranking {
    const wsr__space_class *space;
    wsr__table table; // a row for each architecture
    wsr__pairs *pairs;
    wsr__ranked_taus last;
};

void wsr__ranking_free(wsr__ranking *ranking)
{
    if (ranking != NULL) {
        wsr__table_free(&ranking->table);
        wsr__free(ranking->pairs);
        wsr__free(ranking);
    }
}

// Keeps the first row of each architecture, with the mean over its rows.
static void merge_seeds(wsr__table *table)
{
    size_t n = 0;
    for (size_t i = 0; i < table->n; i++) {
        wsr__table_row *const row = &table->rows[i];
        size_t k = 0;
        while (k < n && !wsr__streq(table->rows[k].cell, row->cell)) {
            k++;
        }
        if (k < n) {
            wsr__table_row *const sum = &table->rows[k];
            sum->seed += 1;
            sum->clean += (row->clean - sum->clean) / sum->seed;
            sum->mean += (row->mean - sum->mean) / sum->seed;
            for (size_t e = 0; e < table->n_eps; e++) {
                sum->robust[e] += (row->robust[e] - sum->robust[e]) / sum->seed;
            }
            wsr__free(row->genotype);
        } else {
            row->seed = 1; // from here on the number of rows
            table->rows[n++] = *row;
        }
    }
    table->n = n;
}

static wsr_status take_cells(wsr__ranking *r, size_t most)
{
    wsr_status status = WSR_OK;
    wsr_genotype *genotype = NULL;
    while (r->table.n > most && most > 0) {
        wsr__free(r->table.rows[--r->table.n].genotype);
    }
    r->pairs = wsr__alloc(r->table.n, sizeof(*r->pairs));
    WSR_TRY(r->pairs == NULL ? WSR_NOMEM : WSR_OK);
    for (size_t i = 0; i < r->table.n; i++) {
        wsr_genotype_free(genotype);
        WSR_TRY(wsr_genotype_parse(&genotype, r->table.rows[i].genotype,
                                   r->table.rows[i].cell));
        WSR_TRY(wsr__pairs_take(&r->pairs[i], r->space, genotype));
    }
    if (r->table.n < 3) {
        status = WSR_FAIL(WSR_CONFIG,
                          "%zu architectures have no ranking to speak of",
                          r->table.n);
    }
out:
    wsr_genotype_free(genotype);
    return status;
}

wsr_status wsr__ranking_open(wsr__ranking **out, const wsr_search *s)
{
    wsr_status status = WSR_OK;
    wsr__ranking *r = wsr__alloc(1, sizeof(*r));
    *out = NULL;
    if (r == NULL) {
        return WSR_NOMEM;
    }
    r->space = wsr__search_space(s);
    if (s->cls->network != NULL) {
        status = WSR_FAIL(WSR_CONFIG, "%s has no supernet of paths",
                          s->cls->super.name);
        goto out;
    }
    WSR_TRY(wsr__table_read(&r->table, s->params.ranking.s));
    merge_seeds(&r->table);
    WSR_TRY(take_cells(r, (size_t)s->params.ranking_architectures));
    *out = r;
    r = NULL;
out:
    wsr__ranking_free(r);
    return status == WSR_OK || status == WSR_NOMEM
               ? status
               : wsr__fail_at(status, "search.ranking");
}

// ---------------------------------------------------------------- measuring

// What a column ranks by: the clean loss, slots, the objective.
enum { WSR__COLUMNS = WSR__SLOTS + 1 };

typedef struct columns {
    double *values; // (columns, n)
    size_t n;
    size_t columns;
} columns;

static wsr_status columns_new(columns *c, const wsr_search *s)
{
    c->n = s->ranking->table.n;
    c->columns = wsr__search_slots(s) + 2;
    c->values = wsr__alloc(c->n * c->columns, sizeof(double));
    return c->values == NULL ? WSR_NOMEM : WSR_OK;
}

static const double *column(const columns *c, size_t i)
{
    return c->values + i * c->n;
}

// Losses of architecture `k`, negated, and their objective.
static void put(columns *c, const wsr_search *s, size_t k, const double *losses)
{
    for (size_t i = 0; i + 1 < c->columns; i++) {
        c->values[i * c->n + k] = -losses[i];
    }
    c->values[(c->columns - 1) * c->n + k] = -wsr_search_objective(s, losses);
}

// What the table says of a column: at a strength that it has not, the mean over
// its strengths.
static double told(const wsr_search *s, size_t i, size_t k)
{
    const wsr__table *const table = &s->ranking->table;
    const wsr__table_row *const row = &table->rows[k];
    if (i == 0) {
        return row->clean;
    }
    if (i <= wsr__search_slots(s)) {
        const double eps = wsr__search_slot_eps(s, i - 1);
        for (size_t e = 0; e < table->n_eps; e++) {
            if (fabs(table->eps[e] - eps) < 1e-4) {
                return row->robust[e];
            }
        }
    }
    return row->mean;
}

// All strengths are attacked.
static wsr_status measure(double *losses, wsr_search *s, const wsr__path *path,
                          unsigned norms)
{
    wsr_status status = WSR_OK;
    wsr_plan *plan = NULL;
    WSR_TRY(wsr__path_plan(&plan, s, path, (size_t)s->params.batch,
                           WSR_GRAD_INPUT | norms));
    WSR_TRY(wsr__search_measure(losses, s, plan));
out:
    wsr_plan_free(plan);
    return status;
}

// Before the search phase the predictor has not learned.
static bool predicts(const wsr_search *s)
{
    return s->cls->estimates && s->phase == WSR_PHASE_SEARCH;
}

typedef struct measured {
    columns table;
    columns shared;
    columns running;
    columns predictor;
} measured;

static wsr_status measure_all(measured *m, wsr_search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    double losses[WSR__SLOTS];
    wsr__path path = {0};
    WSR_TRY(wsr__path_new(&path, &s->arch));
    for (size_t k = 0; k < m->table.n; k++) {
        wsr__pairs_path(&path, &s->ranking->pairs[k], s->ranking->space);
        for (size_t i = 0; i < m->table.columns; i++) {
            m->table.values[i * m->table.n + k] = told(s, i, k);
        }
        WSR_TRY(measure(losses, s, &path, WSR_TRAIN));
        put(&m->shared, s, k, losses);
        WSR_TRY(measure(losses, s, &path, 0));
        put(&m->running, s, k, losses);
        if (predicts(s)) {
            WSR_TRY(wsr_predictor_run(losses, s->predictor, path.weights, 1));
            put(&m->predictor, s, k, losses);
        }
        WSR_TRY(wsr__run_progress(run, wsr__phase_names[s->phase], k + 1,
                                  m->table.n, "ranking architectures"));
    }
out:
    wsr__path_free(&path);
    return status;
}

// ------------------------------------------------------------------ logging

// "shared_eps_0.03_tau", and for the objective the interval as well.
static wsr_status log_taus(wsr__json *line, const wsr_search *s,
                           const char *what, const columns *of[2],
                           double objective[3])
{
    wsr_status status = WSR_OK;
    const columns *const a = of[0];
    const columns *const b = of[1];
    for (size_t i = 0; i < a->columns; i++) {
        const bool last = i + 1 == a->columns;
        double *const tau = objective; // the last one stays
        char loss[32] = "clean";
        char key[80];
        if (i > 0) {
            (void)snprintf(loss, sizeof(loss), "eps_%g",
                           last ? 0 : wsr__search_slot_eps(s, i - 1));
        }
        WSR_TRY(wsr__holdout_tau(tau, s, column(a, i), column(b, i), a->n));
        (void)snprintf(key, sizeof(key), "%s_%s_tau", what,
                       last ? "objective" : loss);
        wsr__json_number(line, key, tau[0]);
        if (last) {
            (void)snprintf(key, sizeof(key), "%s_low", what);
            wsr__json_number(line, key, tau[1]);
            (void)snprintf(key, sizeof(key), "%s_high", what);
            wsr__json_number(line, key, tau[2]);
        }
    }
out:
    return status;
}

// The path of the largest alphas, and that of the genotype.
static wsr_status log_derivation(wsr__json *line, wsr_search *s)
{
    wsr_status status = WSR_OK;
    const wsr__arch *const arch = &s->arch;
    const float *const table = wsr__search_table(s);
    double losses[WSR__SLOTS];
    wsr__path path = {0};
    wsr__pairs pairs;
    WSR_TRY(wsr__path_new(&path, arch));
    wsr__arch_choose(path.choices, path.top, arch, table);
    for (size_t i = 0; i < arch->rows; i++) {
        path.top[i] = 1;
    }
    WSR_TRY(measure(losses, s, &path, WSR_TRAIN));
    wsr__json_number(line, "alphas_objective", wsr_search_objective(s, losses));
    WSR_TRY(wsr__pairs_derive(&pairs, s->ranking->space, table));
    wsr__pairs_path(&path, &pairs, s->ranking->space);
    WSR_TRY(measure(losses, s, &path, WSR_TRAIN));
    wsr__json_number(line, "genotype_objective",
                     wsr_search_objective(s, losses));
out:
    wsr__path_free(&path);
    return status;
}

static wsr_status log_all(const measured *m, wsr_search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    wsr__json *line = NULL;
    const columns *shared[] = {&m->shared, &m->table};
    const columns *running[] = {&m->running, &m->table};
    const columns *predictor[] = {&m->predictor, &m->table};
    const columns *unseen[] = {&m->predictor, &m->shared};
    wsr__ranked_taus last = {.architectures = (double)m->table.n,
                             .predictor = {(double)NAN}};
    double others[3];
    WSR_TRY(wsr__run_log_begin(&line, run->log, "ranking"));
    wsr__json_text(line, "phase", wsr__phase_names[s->phase]);
    wsr__json_integer(line, "epoch", (int64_t)s->epoch);
    wsr__json_integer(line, "architectures", (int64_t)m->table.n);
    WSR_TRY(log_taus(line, s, "shared", shared, last.shared));
    WSR_TRY(log_taus(line, s, "running", running, others));
    if (predicts(s)) {
        WSR_TRY(log_taus(line, s, "predictor", predictor, last.predictor));
        WSR_TRY(log_taus(line, s, "unseen", unseen, others));
    }
    s->ranking->last = last;
    WSR_TRY(log_derivation(line, s));
    WSR_TRY(wsr__run_log_end(run->log));
out:
    return status;
}

wsr_status wsr__search_rank(wsr_search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    const size_t every = (size_t)s->params.ranking_every;
    const bool last = s->phase == WSR_PHASE_SEARCH &&
                      s->epoch + 1 == wsr__phase_epochs(s, s->phase);
    const wsr__passes counted = s->counted;
    measured m = {0};
    if (s->ranking == NULL || run->log == NULL ||
        ((wsr__search_serial(s) + 1) % every != 0 && !last)) {
        return WSR_OK;
    }
    WSR_TRY(columns_new(&m.table, s));
    WSR_TRY(columns_new(&m.shared, s));
    WSR_TRY(columns_new(&m.running, s));
    WSR_TRY(columns_new(&m.predictor, s));
    WSR_TRY(measure_all(&m, s, run));
    WSR_TRY(log_all(&m, s, run));
out:
    s->counted = counted; // they are not the searcher's work
    wsr__free(m.table.values);
    wsr__free(m.shared.values);
    wsr__free(m.running.values);
    wsr__free(m.predictor.values);
    return status;
}

const wsr__ranked_taus *wsr__ranking_last(const wsr__ranking *r)
{
    return r == NULL || r->last.architectures == 0 ? NULL : &r->last;
}

static const char ranked_name[] = "search.ranked";
enum { RANKED = sizeof(wsr__ranked_taus) / sizeof(double) };

wsr_status wsr__ranking_save(const wsr__ranking *r, wsr__st_builder *builder)
{
    const wsr__ranked_taus *const last = wsr__ranking_last(r);
    return last == NULL ? WSR_OK
                        : wsr__st_add_f64(builder, ranked_name,
                                          &last->architectures, RANKED);
}

wsr_status wsr__ranking_load(wsr__ranking *r, const wsr__st *checkpoint)
{
    return r == NULL || wsr__st_find(checkpoint, ranked_name) == NULL
               ? WSR_OK
               : wsr__st_read_f64(&r->last.architectures, checkpoint,
                                  ranked_name, RANKED);
}
