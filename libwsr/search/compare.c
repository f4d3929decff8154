// SPDX-License-Identifier: Apache-2.0
//
// The run that compares searchers: every searcher of the option `compare` runs
// in a folder of its own below that of the run, with the same settings and
// seed, and with search.budget at the same cost. Its stage is done again after
// an interruption: searches that are complete then only bring back their
// results, the others are resumed.
//
// A row of the table says what a search took, how the architecture it found
// does with its shared weights beside random architectures with the same
// weights, and how the network trained from it does under attack.

#include "search/search.h"

#include "eval/result.h"
#include "wsr/log.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

// What the log of a search and its result say. NAN: not measured.
typedef struct row {
    char searcher[64];
    double passes;
    double forward;
    double seconds;
    double objective;
    double random;
    double error;  // of the mean of random ones
    double better; // random ones that are better
    double tau;    // mean rank correlation of the predictor
    double skips;  // share of skip connections in the genotype
    double clean;  // accuracies of the trained network
    double robust; // mean over the strengths
    double images;
} row;

enum { MOST = 16 };

typedef struct comparison {
    wsr__run_self super;
    wsr__search_config config;
    wsr_result *best;
    row rows[MOST];
    size_t n;
    double gain; // of the best one
} comparison;

static void sections(void *self, wsr__section *out)
{
    comparison *const c = self;
    wsr__search_sections(&c->config, out);
}

// ------------------------------------------------------------ configuration

// Splits the option into names of the family, each at most once.
static wsr_status list_searchers(comparison *c)
{
    wsr_status status = WSR_OK;
    const char *at = c->config.top.compare.s;
    for (c->n = 0; *at != '\0';) {
        const wsr__class *cls = NULL;
        char name[sizeof(c->rows[0].searcher)] = "";
        at += strspn(at, " ,");
        const size_t length = strcspn(at, " ,");
        if (length == 0) {
            break;
        }
        (void)snprintf(name, sizeof(name), "%.*s", (int)length, at);
        WSR_TRY(wsr__class_find(&cls, &wsr__searchers, name));
        for (size_t i = 0; i < c->n; i++) {
            if (wsr__streq(c->rows[i].searcher, name)) {
                return WSR_FAIL(WSR_CONFIG, "compare: has %s twice", name);
            }
        }
        if (c->n == MOST) {
            return WSR_FAIL(WSR_CONFIG, "compare: more than %d searchers",
                            MOST);
        }
        memcpy(c->rows[c->n++].searcher, name, sizeof(name));
        at += length;
    }
    if (c->n < 2) {
        status = WSR_FAIL(WSR_CONFIG,
                          "compare: '%s' is fewer than the two "
                          "searchers that a comparison needs",
                          c->config.top.compare.s);
    }
out:
    return status;
}

static wsr_status decoded(void *self, const wsr_config *config)
{
    comparison *const c = self;
    wsr__search_decoded(&c->config, config);
    return list_searchers(c);
}

// The configuration of one search. Options of the searcher section belong to
// the class that it names, and are passed over for others.
static wsr_status config_of(wsr_config **out, const comparison *c, size_t i)
{
    wsr_status status = WSR_OK;
    wsr__str text = {0};
    char number[32];
    wsr__sections_print(&text, c->config.sections, WSR__SEARCH_SECTIONS);
    WSR_TRY(wsr__str_status(&text));
    WSR_TRY(wsr_config_new(out));
    WSR_TRY(wsr_config_load_text(*out, text.s, "compare"));
    WSR_TRY(wsr_config_put(*out, "compare", "", "compare"));
    if (!wsr__streq(c->config.sections[WSR__SECTION_SEARCHER].selected->name,
                    c->rows[i].searcher)) {
        WSR_TRY(wsr_config_put(*out, "searcher.name", c->rows[i].searcher,
                               "compare"));
    }
    (void)snprintf(number, sizeof(number), "%lld",
                   (long long)c->super.common.seed);
    WSR_TRY(wsr_config_put(*out, "seed", number, "compare"));
    (void)snprintf(number, sizeof(number), "%lld",
                   (long long)c->super.common.threads);
    WSR_TRY(wsr_config_put(*out, "threads", number, "compare"));
out:
    wsr__str_free(&text);
    return status;
}

// Every search is made once, so that what one of them cannot do shows before
// the first one starts.
static wsr_status prepare(void *self, const wsr__run *run, bool resume)
{
    wsr_status status = WSR_OK;
    comparison *const c = self;
    wsr_dataset *train = NULL;
    (void)run;
    if (wsr__comm_many()) {
        return WSR_FAIL(WSR_CONFIG,
                        "search.compare: runs in one process; start "
                        "a search for each searcher instead");
    }
    if (resume) {
        WSR_TRY(list_searchers(c));
    }
    WSR_TRY(wsr__source_load(&train, NULL, &c->config.source));
    for (size_t i = 0; i < c->n && !resume; i++) {
        wsr_config *config = NULL;
        wsr_search *search = NULL;
        status = config_of(&config, c, i);
        if (status == WSR_OK) {
            status = wsr_search_new(&search, train, config);
        }
        wsr_search_free(search);
        wsr_config_free(config);
        WSR_TRY(status);
    }
out:
    wsr_dataset_free(train);
    return status;
}

static wsr_status describe(const void *self, wsr__json *line)
{
    const comparison *const c = self;
    wsr__json_text(line, "searchers", c->config.top.compare.s);
    return WSR_OK;
}

// Folders of the searches hold all state.
static wsr_status save(const void *self, wsr__st_builder *builder)
{
    (void)self;
    (void)builder;
    return WSR_OK;
}

static wsr_status load(void *self, const wsr__st *checkpoint)
{
    (void)self;
    (void)checkpoint;
    return WSR_OK;
}

// ------------------------------------------------------------- what it found

// Sums and last values of the lines about the search; phases of the training
// that follows have other names.
static void read_line(row *r, const wsr_log_reader *log, double *taus)
{
    const char *const event = wsr_log_reader_event(log);
    const char *const phase = wsr_log_reader_text(log, "phase");
    if (wsr__streq(event, "found")) {
        r->passes = wsr_log_reader_number(log, "passes");
        r->forward = wsr_log_reader_number(log, "forward_passes");
        r->objective = wsr_log_reader_number(log, "objective");
        r->random = wsr_log_reader_number(log, "random_baseline_objective");
        r->error = wsr_log_reader_number(log, "random_baseline_error");
        r->better = wsr_log_reader_number(log, "random_baseline_better");
    }
    const double skips = wsr_log_reader_number(log, "skip_share");
    if (!wsr__streq(event, "epoch") || isnan(skips) || phase == NULL) {
        return;
    }
    const double tau = wsr_log_reader_number(log, "rank_correlation");
    r->seconds += wsr_log_reader_number(log, "seconds");
    r->skips = skips;
    if (wsr__streq(phase, wsr__phase_names[WSR_PHASE_SEARCH]) && !isnan(tau)) {
        r->tau = (isnan(r->tau) ? 0 : r->tau * *taus) + tau;
        *taus += 1;
        r->tau /= *taus;
    }
}

static wsr_status read_log(row *r, const char *dir)
{
    wsr_status status = WSR_OK;
    wsr_log_reader *log = NULL;
    bool more = true;
    double taus = 0;
    char *const path = wsr__path_join(dir, "log.jsonl");
    WSR_TRY(path == NULL ? WSR_NOMEM : wsr_log_reader_open(&log, path));
    while (more) {
        WSR_TRY(wsr_log_reader_next(&more, log));
        if (more) {
            read_line(r, log, &taus);
        }
    }
out:
    wsr_log_reader_close(log);
    wsr__free(path);
    return status;
}

// The mean is over the strengths above 0 of the first attack.
static void read_eval(row *r, const wsr_result *result)
{
    const wsr_eval *const eval = wsr_result_eval(result);
    if (eval != NULL && wsr_eval_attacks(eval) > 0) {
        r->clean = wsr_eval_get(eval, 0, 0, WSR_EVAL_CLEAN);
        r->robust = wsr_eval_mean(eval, 0);
        r->images = (double)wsr_eval_count(eval, 0);
    }
}

// The result of the comparison is that of the searcher that gains most over
// random architectures; without a baseline that of the first one.
static void take_best(comparison *c, const row *r, wsr_result **result)
{
    const double gain = r->random - r->objective;
    if (c->best == NULL || (!isnan(gain) && !(gain <= c->gain))) {
        wsr_result_free(c->best);
        c->best = *result;
        c->gain = gain;
        *result = NULL;
    }
}

// ------------------------------------------------------------------ working

typedef struct relay {
    wsr__run *run;
    const char *searcher;
} relay;

// The lines of a search are in its own log.
static bool forward(const wsr_progress *p, void *user)
{
    const relay *const r = user;
    char phase[96];
    wsr_progress mine = *p;
    if (p->line != NULL) {
        return !r->run->canceled;
    }
    (void)snprintf(phase, sizeof(phase), "%s: %s", r->searcher, p->phase);
    mine.phase = phase;
    mine.done = p->part;
    return wsr__run_tell(r->run, &mine) == WSR_OK;
}

// A folder with a configuration holds a search that was begun.
static wsr_status run_one(comparison *c, wsr__run *run, size_t i)
{
    wsr_status status = WSR_OK;
    row *const r = &c->rows[i];
    wsr_config *config = NULL;
    wsr_result *result = NULL;
    char *dir = NULL;
    char *begun = NULL;
    relay to = {run, r->searcher};
    const double n = (double)c->n;
    WSR_TRY(wsr__run_path(&dir, run, r->searcher));
    begun = wsr__path_join(dir, "config.yaml");
    WSR_TRY(begun == NULL ? WSR_NOMEM : config_of(&config, c, i));
    const bool resume = wsr__file_exists(begun);
    wsr__run_span(run, (double)i / n, (double)(i + 1) / n);
    WSR_TRY(wsr_search_run(&result, resume ? NULL : config, dir, resume,
                           forward, &to));
    memset(&r->passes, 0, sizeof(*r) - offsetof(row, passes));
    r->objective = r->random = r->error = r->better = r->tau = (double)NAN;
    r->clean = r->robust = (double)NAN;
    WSR_TRY(read_log(r, dir));
    read_eval(r, result);
    take_best(c, r, &result);
out:
    wsr_result_free(result);
    wsr_config_free(config);
    wsr__free(begun);
    wsr__free(dir);
    return status;
}

static wsr_status run_all(comparison *c, wsr__run *run)
{
    wsr_status status = WSR_OK;
    for (size_t i = 0; i < c->n; i++) {
        WSR_TRY(run_one(c, run, i));
    }
out:
    return status;
}

static wsr_status log_row(const row *r, wsr__run *run)
{
    wsr_status status = WSR_OK;
    wsr__json *line = NULL;
    WSR_TRY(wsr__run_log_begin(&line, run->log, "compare"));
    wsr__json_text(line, "searcher", r->searcher);
    wsr__json_number(line, "passes", r->passes);
    wsr__json_number(line, "forward_passes", r->forward);
    wsr__json_number(line, "search_seconds", r->seconds);
    wsr__json_number(line, "objective", r->objective);
    wsr__json_number(line, "random_baseline_objective", r->random);
    wsr__json_number(line, "random_baseline_error", r->error);
    wsr__json_number(line, "random_baseline_better", r->better);
    wsr__json_number(line, "rank_correlation", r->tau);
    wsr__json_number(line, "skip_share", r->skips);
    wsr__json_number(line, "clean_accuracy", r->clean);
    wsr__json_number(line, "robust_accuracy", r->robust);
    wsr__json_number(line, "images", r->images);
    WSR_TRY(wsr__run_log_end(run->log));
out:
    return status;
}

// A number of the table, or a dash.
static void add_cell(wsr__str *out, const char *format, double value)
    __attribute__((format(printf, 2, 0)));

static void add_cell(wsr__str *out, const char *format, double value)
{
    char text[64] = "-";
    if (!isnan(value)) {
        (void)snprintf(text, sizeof(text), format, value);
    }
    wsr__str_addf(out, " %s |", text);
}

// Half the width of a 95 % interval of a share of `n` images.
static double interval(double share, double n)
{
    return 1.96 * sqrt(share * (1 - share) / n);
}

static void add_row(wsr__str *out, const row *r)
{
    wsr__str_addf(out, "| %s |", r->searcher);
    add_cell(out, "%.3g", r->passes / 1e6);
    add_cell(out, "%.0f", r->seconds);
    add_cell(out, "%.4f", r->objective);
    add_cell(out, "%.4f", r->random);
    add_cell(out, "%+.4f", r->objective - r->random);
    add_cell(out, "%.4f", 1.96 * r->error);
    add_cell(out, "%.0f", r->better);
    add_cell(out, "%.2f", r->tau);
    add_cell(out, "%.0f %%", 100 * r->skips);
    add_cell(out, "%.1f %%", 100 * r->clean);
    add_cell(out, "%.1f %%", 100 * r->robust);
    add_cell(out, "%.1f", 100 * interval(r->robust, r->images));
    wsr__str_add(out, "\n");
}

static wsr_status write_table(const comparison *c, const wsr__run *run)
{
    wsr_status status = WSR_OK;
    wsr__str text = {0};
    wsr__str_add(
        &text,
        "| searcher | passes, millions | seconds | objective | random | "
        "difference | +- | random ones better | tau | skips | clean | robust "
        "| +- |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < c->n; i++) {
        add_row(&text, &c->rows[i]);
    }
    WSR_TRY(wsr__str_status(&text));
    WSR_TRY(wsr__run_write(run, "compare.md", text.s));
out:
    wsr__str_free(&text);
    return status;
}

static wsr_status compare(void *self, wsr__run *run)
{
    wsr_status status = WSR_OK;
    comparison *const c = self;
    WSR_TRY(run_all(c, run));
    for (size_t i = 0; i < c->n; i++) {
        WSR_TRY(log_row(&c->rows[i], run));
    }
    WSR_TRY(write_table(c, run));
out:
    return status;
}

// Complete searches bring back their results.
static wsr_status restore(void *self, wsr__run *run)
{
    return run_all(self, run);
}

static wsr_status result(wsr_result **out, void *self, bool failed)
{
    comparison *const c = self;
    if (!failed) {
        *out = c->best;
        c->best = NULL;
    }
    return WSR_OK;
}

static void release(void *self)
{
    comparison *const c = self;
    wsr_result_free(c->best);
}

static const wsr__run_stage stages[] = {compare, NULL};

static const char *const files[] = {
    "config.yaml", "log.jsonl",   "checkpoint.safetensors",
    "compare.md",  "report.html", NULL};

static const wsr__family *const families[] = {NULL};

const wsr__run_class wsr__comparing = {
    .tool = "search",
    .size = sizeof(comparison),
    .n_sections = WSR__SEARCH_SECTIONS,
    .files = files,
    .families = families,
    .sections = sections,
    .decoded = decoded,
    .prepare = prepare,
    .describe = describe,
    .save = save,
    .load = load,
    .stages = stages,
    .restore = restore,
    .result = result,
    .free = release,
};
