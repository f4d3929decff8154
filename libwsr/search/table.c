// SPDX-License-Identifier: Apache-2.0
//
// The run that makes a table: every architecture of a sample is trained alone,
// with the recipe of the sections `net` and `train`, and evaluated as `eval`
// says. A row is a network; it stands in table.jsonl as soon as it is done, and
// training begins again with the row that was under way when the run stopped.
// The architectures are in cells.txt from the beginning, so that files that
// they came from are not needed again.
//
// Architectures and seeds are numbered; shard i of n does the numbers i, i + n,
// ... The rows of all shards, one after the other, are the table.

#include "search/table.h"

#include "eval/result.h"

#include <math.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#define AT(field) offsetof(wsr__table_params, field)

const wsr__option wsr__table_schema[] = {
    {"random", WSR__INT, AT(random), "0", 0, 100000, "",
     "random architectures to train alone, for a table; then nothing is "
     "searched",
     NULL},
    {"edge_cases", WSR__BOOL, AT(edge_cases), "true", 0, 0, "",
     "train cells of one operation, of mostly pools and of mostly none as well",
     NULL},
    {"genotypes", WSR__TEXT, AT(genotypes), "[]", 0, 0, "",
     "list of genotypes, names or files, that are trained first, with every "
     "seed",
     NULL},
    {"repeated", WSR__INT, AT(repeated), "16", 0, 100000, "",
     "random architectures that are trained with every seed, the others with "
     "the first",
     NULL},
    {"seeds", WSR__INT, AT(seeds), "3", 1, 60, "", "seeds, from 1", NULL},
    {"shard", WSR__TEXT, AT(shard), "1/1", 0, 0, "",
     "part of the table that this run makes, i/n", NULL},
    {0},
};

static const char cells_name[] = "cells.txt";
static const char table_name[] = "table.jsonl";

typedef struct method {
    wsr__run_self super;
    wsr__search_config config;
    wsr_dataset *train;
    wsr_dataset *test;
    const wsr__space_class *space;
    wsr__table_cells cells;
    size_t shard[2]; // i and n
    size_t jobs;     // of this shard
    uint64_t done;   // of these
    wsr__str rows;   // lines of those
    double part;     // of a job that is its training
    wsr__needs needs;
} method;

static void sections(void *self, wsr__section *out)
{
    method *const m = self;
    wsr__search_sections(&m->config, out);
}

// -------------------------------------------------------------------- parts

static wsr_status read_shard(method *m)
{
    const wsr__text *const text = &m->config.table.shard;
    wsr__text left = *text;
    char *const slash = strchr(left.s, '/');
    int64_t parts[2] = {0, 0};
    if (slash != NULL) {
        *slash = '\0';
    }
    if (slash == NULL || !wsr__parse_int(&parts[0], left.s) ||
        !wsr__parse_int(&parts[1], slash + 1) || parts[0] < 1 ||
        parts[0] > parts[1]) {
        return WSR_FAIL(WSR_CONFIG,
                        "table.shard: '%.40s' is no i/n with 1 <= i <= n",
                        text->s);
    }
    m->shard[0] = (size_t)parts[0];
    m->shard[1] = (size_t)parts[1];
    return WSR_OK;
}

static wsr_status decoded(void *self, const wsr_config *config)
{
    method *const m = self;
    wsr__search_decoded(&m->config, config);
    if (m->config.eval.attack.s[0] == '\0') {
        return WSR_FAIL(WSR_CONFIG,
                        "eval.attack: is empty, a table needs an attack");
    }
    return WSR_OK;
}

// Network `job` of the whole table: architecture and seed. Architectures with
// every seed come first.
static void job_at(size_t *cell, uint64_t *seed, const method *m, size_t job)
{
    const size_t seeds = (size_t)m->config.table.seeds;
    size_t repeated = 0;
    while (repeated < m->cells.n && m->cells.list[repeated].repeated) {
        repeated++;
    }
    const bool every = job < repeated * seeds;
    *cell = every ? job / seeds : job - repeated * (seeds - 1);
    *seed = every ? job % seeds + 1 : 1;
}

static size_t count_jobs(const method *m)
{
    size_t n = 0;
    for (size_t i = 0; i < m->cells.n; i++) {
        n += m->cells.list[i].repeated ? (size_t)m->config.table.seeds : 1;
    }
    return n;
}

// A network with its training.
typedef struct candidate {
    wsr_net *net;
    wsr__training *training;
    wsr__evaluated evaluated;
} candidate;

static void drop(candidate *c)
{
    wsr__evaluated_free(&c->evaluated);
    wsr__training_free(c->training);
    wsr_net_free(c->net);
    *c = (candidate){0};
}

static wsr_status make(candidate *c, const method *m, size_t cell,
                       uint64_t seed)
{
    wsr_status status = WSR_OK;
    *c = (candidate){0};
    status = wsr__network_from_config(
        &c->net, &wsr__net_network, &m->config.net.super,
        m->cells.list[cell].genotype, m->train, seed);
    if (status == WSR_CONFIG || status == WSR_SHAPE) {
        status = wsr__fail_at(status, "%s", m->cells.list[cell].name);
    }
    WSR_TRY(status);
    const wsr__training_of of = {c->net, m->train, m->test, seed};
    WSR_TRY(wsr__training_new(&c->training, &of, &m->config.train));
out:
    return status;
}

static wsr__eval_stage_of eval_of(const method *m, const candidate *c,
                                  uint64_t seed)
{
    return (wsr__eval_stage_of){.net = c->net, .test = m->test, .seed = seed};
}

// What one of the networks cannot be, or cannot do, shows before the first is
// trained.
static wsr_status check_all(method *m)
{
    wsr_status status = WSR_OK;
    candidate c = {0};
    double passes = 0;
    WSR_TRY(wsr__eval_stage_check(&m->config.eval));
    for (size_t i = 0; i < m->cells.n; i++) {
        drop(&c);
        WSR_TRY(make(&c, m, i, 1));
    }
    WSR_TRY(wsr__training_prepare(c.training));
    const wsr__eval_stage_of of = eval_of(m, &c, 1);
    WSR_TRY(wsr__eval_stage_prepare(&passes, &of, &m->config.eval));
    const double training = wsr__training_passes(c.training);
    m->part = training / (training + passes);
    wsr__training_needs(&m->needs, c.training);
out:
    drop(&c);
    return status;
}

static wsr_status read_cells(method *m, const wsr__run *run)
{
    wsr_status status = WSR_OK;
    unsigned char *text = NULL;
    size_t size = 0;
    char *path = NULL;
    WSR_TRY(wsr__run_path(&path, run, cells_name));
    WSR_TRY(wsr__file_read(&text, &size, path, 1U << 28));
    WSR_TRY(wsr__table_cells_parse(&m->cells, (char *)text, path));
out:
    wsr__free(text);
    wsr__free(path);
    return status;
}

static wsr_status prepare(void *self, const wsr__run *run, bool resume)
{
    wsr_status status = WSR_OK;
    method *const m = self;
    WSR_TRY(read_shard(m));
    WSR_TRY(wsr__space_find(&m->space, m->config.supernet.cells.s));
    WSR_TRY(wsr__source_load(&m->train, &m->test, &m->config.source));
    if (resume) {
        WSR_TRY(read_cells(m, run));
    } else {
        WSR_TRY(wsr__table_cells_choose(&m->cells, &m->config.table, m->space,
                                        (uint64_t)m->super.common.seed));
    }
    m->jobs = (count_jobs(m) + m->shard[1] - m->shard[0]) / m->shard[1];
    if (m->jobs == 0) {
        status = WSR_FAIL(WSR_CONFIG, "table.shard: %s has no rows",
                          m->config.table.shard.s);
        goto out;
    }
    WSR_TRY(check_all(m));
out:
    return status;
}

// One network at a time.
static void needs(const void *self, wsr__needs *out)
{
    const method *const m = self;
    *out = m->needs;
    wsr__source_needs(out, m->train, m->test);
}

static wsr_status store(const void *self, const wsr__run *run)
{
    wsr_status status = WSR_OK;
    const method *const m = self;
    char *text = NULL;
    WSR_TRY(wsr__table_cells_print(&text, &m->cells));
    WSR_TRY(wsr__run_write(run, cells_name, text));
out:
    wsr__free(text);
    return status;
}

static wsr_status describe(const void *self, wsr__json *line)
{
    const method *const m = self;
    wsr__json_text(line, "space", m->space->super.name);
    wsr__json_integer(line, "architectures", (int64_t)m->cells.n);
    wsr__json_integer(line, "rows", (int64_t)m->jobs);
    wsr__json_integer(line, "train_images",
                      (int64_t)wsr_dataset_count(m->train));
    return WSR_OK;
}

static wsr_status save(const void *self, wsr__st_builder *builder)
{
    wsr_status status = WSR_OK;
    const method *const m = self;
    WSR_TRY(wsr__st_add_u64(builder, "rows", &m->done, 1));
    if (m->rows.len > 0) {
        WSR_TRY(wsr__st_add_u8(builder, "text", (unsigned char *)m->rows.s,
                               m->rows.len));
    }
out:
    return status;
}

static wsr_status load(void *self, const wsr__st *checkpoint)
{
    wsr_status status = WSR_OK;
    method *const m = self;
    unsigned char *text = NULL;
    const wsr__st_tensor *const tensor = wsr__st_find(checkpoint, "text");
    WSR_TRY(wsr__st_read_u64(&m->done, checkpoint, "rows", 1));
    if (m->done > m->jobs) {
        return WSR_FAIL(WSR_FORMAT, "checkpoint: has %llu rows of %zu",
                        (unsigned long long)m->done, m->jobs);
    }
    if (tensor != NULL) {
        const size_t n = tensor->count;
        text = wsr__alloc(n + 1, 1);
        WSR_TRY(text == NULL ? WSR_NOMEM : WSR_OK);
        WSR_TRY(wsr__st_read_u8(text, checkpoint, "text", n));
        wsr__str_addn(&m->rows, (const char *)text, n);
        WSR_TRY(wsr__str_status(&m->rows));
    }
out:
    wsr__free(text);
    return status;
}

// ------------------------------------------------------------------ working

// The run of one network has no folder; its progress is that of ours.
typedef struct relay {
    wsr__run *run;
    const char *cell;
    uint64_t seed;
} relay;

static bool forward(const wsr_progress *p, void *user)
{
    const relay *const r = user;
    char phase[2 * WSR__GENOTYPE_NAME];
    wsr_progress mine = *p;
    if (p->line != NULL) {
        return !r->run->canceled;
    }
    (void)snprintf(phase, sizeof(phase), "%s, seed %llu: %s", r->cell,
                   (unsigned long long)r->seed, p->phase);
    mine.phase = phase;
    mine.done = p->part;
    return wsr__run_tell(r->run, &mine) == WSR_OK;
}

static wsr_status train(candidate *c, const method *m, relay *to)
{
    wsr_status status = WSR_OK;
    wsr__run *run = NULL;
    const wsr__eval_stage_of of = eval_of(m, c, to->seed);
    WSR_TRY(wsr__run_open(&run, NULL, false, forward, to));
    WSR_TRY(wsr__run_begin(run, NULL));
    run->stage[1] = m->part;
    WSR_TRY(wsr__training_run(c->training, run));
    wsr__training_finish(c->training);
    run->stage[0] = m->part;
    run->stage[1] = 1;
    wsr__run_span(run, 0, 1);
    WSR_TRY(wsr__eval_stage_run(&c->evaluated, run, &of, &m->config.eval));
out:
    wsr__run_close(run);
    return status;
}

// Multiply-adds of one image.
static wsr_status count_madds(double *madds, const wsr_net *net)
{
    wsr_graph *graph = NULL;
    const wsr_status status = wsr_net_graph(&graph, net, false);
    *madds = 0;
    for (size_t i = 0; status == WSR_OK && i < graph->count; i++) {
        *madds += wsr__graph_madds(graph, i);
    }
    wsr_graph_free(graph);
    return status;
}

// Accuracies over the strengths: of each attack under "NAME_accuracy", and of
// the worst case over all of the first one's norm.
static void put_accuracies(wsr__json *json, const wsr_eval *eval)
{
    double eps[WSR__LIST_SIZE];
    double worst[WSR__LIST_SIZE];
    const size_t n = wsr_eval_strengths(eval);
    const char *const norm = wsr_attack_norm(wsr_eval_attack(eval, 0));
    double sum = 0;
    double above = 0;
    for (size_t e = 0; e < n; e++) {
        eps[e] = (double)wsr_eval_eps(eval, e);
        eps[e] = round(1e6 * eps[e]) / 1e6; // as it was configured
        worst[e] = wsr_eval_worst(eval, norm, e);
        sum += eps[e] > 0 ? worst[e] : 0;
        above += eps[e] > 0 ? 1 : 0;
    }
    wsr__json_number(json, "clean_accuracy",
                     wsr_eval_get(eval, 0, 0, WSR_EVAL_CLEAN));
    wsr__json_number(json, "mean_robust_accuracy", sum / above);
    wsr__json_numbers(json, "eps", eps, n);
    wsr__json_numbers(json, "robust_accuracy", worst, n);
    for (size_t a = 0; a < wsr_eval_attacks(eval); a++) {
        double own[WSR__LIST_SIZE];
        char key[96];
        (void)snprintf(key, sizeof(key), "%.64s_accuracy",
                       wsr_attack_name(wsr_eval_attack(eval, a)));
        for (size_t e = 0; e < n; e++) {
            own[e] = wsr_eval_get(eval, a, e, WSR_EVAL_ROBUST);
        }
        wsr__json_numbers(json, key, own, n);
    }
}

typedef struct times {
    double wall;
    double processor;
} times;

static times now(void)
{
    return (times){wsr__seconds(), (double)clock() / CLOCKS_PER_SEC};
}

// The line of a network, for log and table.
static wsr_status describe_row(char **out, const method *m, const candidate *c,
                               const relay *to, const times *begin)
{
    wsr_status status = WSR_OK;
    wsr__json *json = NULL;
    wsr__str text = {0};
    double madds = 0;
    const times end = now();
    const wsr_genotype *const genotype = wsr_net_genotype(c->net);
    wsr__genotype_print_line(&text, genotype);
    WSR_TRY(wsr__str_status(&text));
    WSR_TRY(count_madds(&madds, c->net));
    WSR_TRY(wsr__json_new(&json));
    wsr__json_text(json, "event", "row");
    wsr__json_text(json, "cell", to->cell);
    wsr__json_text(json, "space", m->space->super.name);
    wsr__json_text(json, "genotype", text.s);
    wsr__json_integer(json, "seed", (int64_t)to->seed);
    wsr__json_integer(json, "parameters",
                      wsr_params_scalars(wsr_net_params(c->net)));
    wsr__json_number(json, "multiply_adds", madds);
    wsr__json_integer(json, "images",
                      (int64_t)wsr_eval_count(c->evaluated.eval, 0));
    put_accuracies(json, c->evaluated.eval);
    wsr__json_float(json, "seconds", (float)(end.wall - begin->wall));
    wsr__json_float(json, "processor_seconds",
                    (float)(end.processor - begin->processor));
    WSR_TRY(wsr__json_line(out, json));
out:
    wsr__json_free(json);
    wsr__str_free(&text);
    return status;
}

static wsr_status add_row(method *m, wsr__run *run)
{
    wsr_status status = WSR_OK;
    candidate c = {0};
    char *line = NULL;
    size_t cell = 0;
    relay to = {.run = run};
    const times begin = now();
    job_at(&cell, &to.seed, m, m->shard[0] - 1 + m->done * m->shard[1]);
    to.cell = m->cells.list[cell].name;
    wsr__run_span(run, (double)m->done / (double)m->jobs,
                  (double)(m->done + 1) / (double)m->jobs);
    WSR_TRY(make(&c, m, cell, to.seed));
    WSR_TRY(train(&c, m, &to));
    WSR_TRY(describe_row(&line, m, &c, &to, &begin));
    WSR_TRY(wsr__run_log_text(run->log, line));
    wsr__str_addf(&m->rows, "%s\n", line);
    WSR_TRY(wsr__str_status(&m->rows));
    WSR_TRY(wsr__run_write(run, table_name, m->rows.s));
    m->done++;
    WSR_TRY(wsr__run_checkpoint(run));
out:
    wsr__free(line);
    drop(&c);
    return status;
}

static wsr_status train_all(void *self, wsr__run *run)
{
    wsr_status status = WSR_OK;
    method *const m = self;
    while (m->done < m->jobs) {
        WSR_TRY(add_row(m, run));
    }
out:
    return status;
}

// ------------------------------------------------------------------ summary

static void name_measure(char out[32], const wsr__table *table, int which)
{
    if (which >= 0) {
        (void)snprintf(out, 32, "eps_%g", table->eps[which]);
    } else {
        (void)snprintf(out, 32, "%s",
                       which == WSR__TABLE_CLEAN ? "clean" : "mean_robust");
    }
}

static wsr_status log_spread(wsr__run *run, const char *name,
                             const wsr__table_spread *s)
{
    wsr_status status = WSR_OK;
    wsr__json *line = NULL;
    WSR_TRY(wsr__run_log_begin(&line, run->log, "table"));
    wsr__json_text(line, "measure", name);
    wsr__json_integer(line, "architectures", (int64_t)s->n);
    wsr__json_number(line, "mean", s->mean);
    wsr__json_number(line, "deviation_cells", sqrt(s->cells));
    wsr__json_number(line, "deviation_seeds", sqrt(s->seeds));
    wsr__json_number(line, "deviation_rest", sqrt(s->rest));
    wsr__json_number(line, "variance_ratio", s->cells / s->rest);
    wsr__json_number(line, "tau_seeds", s->tau);
    WSR_TRY(wsr__run_log_end(run->log));
out:
    return status;
}

// The lines "table" of the log, and the same for a person. Without a folder
// there is no table to be read.
static wsr_status summarise(void *self, wsr__run *run)
{
    wsr_status status = WSR_OK;
    wsr__table table = {0};
    wsr__str text = {0};
    char *path = NULL;
    (void)self;
    if (run->folder == NULL) {
        return WSR_OK;
    }
    WSR_TRY(wsr__run_path(&path, run, table_name));
    WSR_TRY(wsr__table_read(&table, path));
    wsr__str_addf(&text,
                  "%zu networks. Of the architectures with all seeds:\n\n"
                  "| accuracy | mean | deviation, cells | seeds | rest | "
                  "ratio of variances | tau, seeds |\n"
                  "|---|---|---|---|---|---|---|\n",
                  table.n);
    for (int i = WSR__TABLE_CLEAN; i < (int)table.n_eps; i++) {
        wsr__table_spread s;
        char name[32];
        name_measure(name, &table, i);
        WSR_TRY(wsr__table_spread_of(&s, &table, i));
        WSR_TRY(log_spread(run, name, &s));
        wsr__str_addf(&text,
                      "| %s | %.4f | %.4f | %.4f | %.4f | %.2f | %.2f |\n",
                      name, s.mean, sqrt(s.cells), sqrt(s.seeds), sqrt(s.rest),
                      s.cells / s.rest, s.tau);
    }
    WSR_TRY(wsr__str_status(&text));
    WSR_TRY(wsr__run_write(run, "table.md", text.s));
out:
    wsr__free(path);
    wsr__str_free(&text);
    wsr__table_free(&table);
    return status;
}

// A table has no network to hand out.
static wsr_status result(wsr_result **out, void *self, bool failed)
{
    (void)self;
    return failed ? WSR_OK : wsr__result_new(out);
}

static void release(void *self)
{
    method *const m = self;
    wsr__str_free(&m->rows);
    wsr__table_cells_free(&m->cells);
    wsr_dataset_free(m->test);
    wsr_dataset_free(m->train);
}

// The summary is nothing beside the training.
static void work(const void *self, double *out)
{
    (void)self;
    out[0] = 1;
    out[1] = 0;
}

static const wsr__run_stage stages[] = {train_all, summarise, NULL};
static const char *const stage_names[] = {"train", "summary"};

static const char *const files[] = {
    cells_name, "config.yaml", "log.jsonl",   "checkpoint.safetensors",
    table_name, "table.md",    "report.html", NULL};

static const wsr__family *const families[] = {NULL};

const wsr__run_class wsr__tabling = {
    .tool = "search",
    .size = sizeof(method),
    .n_sections = WSR__SEARCH_SECTIONS,
    .files = files,
    .families = families,
    .sections = sections,
    .decoded = decoded,
    .prepare = prepare,
    .needs = needs,
    .store = store,
    .describe = describe,
    .save = save,
    .load = load,
    .stages = stages,
    .stage_names = stage_names,
    .work = work,
    .result = result,
    .free = release,
};
