// SPDX-License-Identifier: Apache-2.0
//
// The method of the test bench on top of run/: stages that train the networks,
// train the estimators on their noises with leave-one-out between epochs, and
// compare estimates with PGD.

#include "estimate/estimate.h"

#include <math.h>
#include <string.h>

typedef struct method {
    wsr__run_self super;
    wsr__estimate_config config;
    wsr__estimate *bench;
    const wsr__run *run;     // [borrowed]
    wsr__training *training; // of network bench->trained, NULL: not begun
    wsr__needs needs;        // of the trainings
    double train_work;       // of the trainings
} method;

static void sections(void *self, wsr__section *out)
{
    method *const m = self;
    wsr__estimate_sections(&m->config, out);
}

// ------------------------------------------------------------------- parts

// All errors in options show before any file is read.
static wsr_status make_bench(method *m)
{
    wsr_status status = WSR_OK;
    wsr__estimate *const b = wsr__alloc(1, sizeof(*b));
    m->bench = b;
    if (b == NULL) {
        return WSR_NOMEM;
    }
    b->config = &m->config;
    b->quirks = wsr__estimate_resolve(&m->config);
    b->seed = (uint64_t)m->super.common.seed;
    WSR_TRY(wsr__estimate_check(&m->config));
    WSR_TRY(
        wsr__estimate_list_variants(b->variants, &b->n_variants, &m->config));
    WSR_TRY(wsr__estimate_list_nets(b->nets, &b->n_nets, &m->config));
out:
    return status;
}

static double size_of(const wsr__estimate_net *net)
{
    return (double)wsr_params_scalars(wsr_net_params(net->net));
}

static wsr_status make_training(method *m, size_t i)
{
    wsr_status status = WSR_OK;
    wsr__estimate *const b = m->bench;
    wsr__training *training = NULL;
    const wsr__training_of of = {b->nets[i].net, b->train, b->test,
                                 b->seed + i};
    WSR_TRY(wsr__training_new(&training, &of, &m->config.train));
    training->phase = b->nets[i].label;
    m->training = training;
out:
    return status;
}

// Each training is made once before the first step, so that errors and a lack
// of memory show at once.
static wsr_status try_training(method *m, size_t i)
{
    wsr_status status = WSR_OK;
    wsr__needs one = {.n = 0};
    WSR_TRY(make_training(m, i));
    WSR_TRY(wsr__training_prepare(m->training));
    wsr__training_needs(&one, m->training);
    if (wsr__needs_sum(&one) > wsr__needs_sum(&m->needs)) {
        const double disk = m->needs.disk;
        m->needs = one;
        m->needs.disk = disk > one.disk ? disk : one.disk;
    }
    m->train_work += wsr__training_passes(m->training) *
                     size_of(&m->bench->nets[i]);
out:
    wsr__training_free(m->training);
    m->training = NULL;
    return status;
}

// Names of files depend on the lists, so they are checked here.
static wsr_status check_files(const wsr__estimate *b, const wsr__run *run)
{
    enum { NAME = 192, NAMES = WSR__ESTIMATE_NETS + WSR__ESTIMATE_VARIANTS };
    wsr_status status = WSR_OK;
    const char *names[NAMES + 1] = {NULL};
    size_t n = 0;
    char *const text = wsr__alloc(NAMES, NAME);
    if (text == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < b->n_nets + b->n_variants; i++) {
        const bool net = i < b->n_nets;
        (void)snprintf(text + i * NAME, NAME, "%s-%s.safetensors",
                       net ? "network" : "estimator",
                       net ? b->nets[i].label
                           : b->variants[i - b->n_nets].label);
        names[n++] = text + i * NAME;
    }
    status = run->folder == NULL ? WSR_OK
                                 : wsr__folder_check_files(run->folder, names);
    wsr__free(text);
    return status;
}

static wsr_status prepare(void *self, const wsr__run *run, bool resume)
{
    wsr_status status = WSR_OK;
    method *const m = self;
    m->run = run;
    if (!resume) {
        WSR_TRY(wsr__train_divide(&m->config.train));
    }
    WSR_TRY(make_bench(m));
    wsr__estimate *const b = m->bench;
    if (resume) {
        WSR_TRY(check_files(b, run));
    }
    WSR_TRY(wsr__source_load(&b->train, &b->test, &m->config.source));
    for (size_t i = 0; i < b->n_nets; i++) {
        WSR_TRY(wsr__estimate_make_net(b, i, run, resume));
    }
    for (size_t i = 0; i < b->n_nets; i++) {
        if (!b->nets[i].is_file) {
            WSR_TRY(try_training(m, i));
        }
    }
    WSR_TRY(wsr__estimate_open(b));
out:
    return status;
}

static void needs(const void *self, wsr__needs *out)
{
    const method *const m = self;
    const wsr__estimate *const b = m->bench;
    const double image = (double)(b->batch * b->pixels * sizeof(float));
    double disk = 0;
    double estimators = 0;
    double networks = 0;
    *out = m->needs;
    wsr__source_needs(out, b->train, b->test);
    for (size_t v = 0; v < b->n_variants; v++) {
        const wsr_estimator *const e = b->variants[v].estimator;
        estimators += b->variants[v].bytes;
        disk += 4 * sizeof(float) * (double)wsr_params_scalars(e->params);
    }
    wsr__needs_memory(out, "estimators", estimators);
    wsr__needs_memory(
        out, "noises",
        image * (double)(b->sources + 1 + 2 * m->config.attack.eps.n));
    for (size_t i = 0; i < b->n_nets; i++) {
        disk += sizeof(float) * size_of(&b->nets[i]);
        networks = fmax(networks, (double)wsr_plan_bytes(b->nets[i].attack));
    }
    wsr__needs_memory(out, "attacks on networks", networks);
    out->disk += disk;
}

static wsr_status store(const void *self, const wsr__run *run)
{
    wsr_status status = WSR_OK;
    const method *const m = self;
    for (size_t i = 0; i < m->bench->n_nets; i++) {
        WSR_TRY(wsr__estimate_store_net(m->bench, i, run));
    }
out:
    return status;
}

static wsr_status describe(const void *self, wsr__json *line)
{
    wsr_status status = WSR_OK;
    const method *const m = self;
    const wsr__estimate *const b = m->bench;
    wsr__str nets = {0};
    wsr__str variants = {0};
    for (size_t i = 0; i < b->n_nets; i++) {
        wsr__str_addf(&nets, "%s%s", i > 0 ? "," : "", b->nets[i].label);
    }
    for (size_t v = 0; v < b->n_variants; v++) {
        wsr__str_addf(&variants, "%s%s", v > 0 ? "," : "",
                      b->variants[v].label);
    }
    WSR_TRY(wsr__str_status(&nets));
    WSR_TRY(wsr__str_status(&variants));
    wsr__json_text(line, "networks", nets.s);
    wsr__json_text(line, "variants", variants.s);
    wsr__json_integer(line, "train_images",
                      (int64_t)wsr_dataset_count(b->train));
    wsr__json_integer(line, "test_images", (int64_t)wsr_dataset_count(b->test));
out:
    wsr__str_free(&nets);
    wsr__str_free(&variants);
    return status;
}

static wsr_status save(const void *self, wsr__st_builder *builder)
{
    wsr_status status = WSR_OK;
    const method *const m = self;
    WSR_TRY(wsr__estimate_save(m->bench, builder));
    if (m->training != NULL) {
        WSR_TRY(wsr__training_save(m->training, builder, "train."));
    }
out:
    return status;
}

// Networks that were trained are read from their files.
static wsr_status load(void *self, const wsr__st *checkpoint)
{
    wsr_status status = WSR_OK;
    method *const m = self;
    wsr__estimate *const b = m->bench;
    char *path = NULL;
    WSR_TRY(wsr__estimate_load(b, checkpoint));
    if (b->trained < b->n_nets &&
        wsr__st_find(checkpoint, "train.position") != NULL) {
        WSR_TRY(make_training(m, b->trained));
        WSR_TRY(wsr__training_load(m->training, checkpoint, "train."));
    }
    for (size_t i = 0; i < b->trained; i++) {
        if (!b->nets[i].is_file) {
            WSR_TRY(wsr__estimate_net_path(&path, b, i, m->run));
            WSR_TRY(wsr_net_load_params(b->nets[i].net, path));
            wsr__free(path);
            path = NULL;
        }
    }
out:
    wsr__free(path);
    return status;
}

// ------------------------------------------------------------------- stages

static wsr_status train_network(method *m, wsr__run *run, size_t i)
{
    wsr_status status = WSR_OK;
    char *path = NULL;
    if (m->training == NULL) {
        WSR_TRY(make_training(m, i));
    }
    WSR_TRY(wsr__training_run(m->training, run));
    wsr__training_finish(m->training);
    if (run->folder != NULL) {
        WSR_TRY(wsr__estimate_net_path(&path, m->bench, i, run));
        WSR_TRY(wsr_net_save(m->bench->nets[i].net, path));
    }
    wsr__training_free(m->training);
    m->training = NULL;
out:
    wsr__free(path);
    return status;
}

static wsr_status train_networks(void *self, wsr__run *run)
{
    wsr_status status = WSR_OK;
    method *const m = self;
    wsr__estimate *const b = m->bench;
    while (b->trained < b->n_nets) {
        const double n = (double)b->n_nets;
        wsr__run_span(run, (double)b->trained / n,
                      (double)(b->trained + 1) / n);
        if (!b->nets[b->trained].is_file) {
            WSR_TRY(train_network(m, run, b->trained));
        }
        b->trained++;
    }
    wsr__run_span(run, 0, 1);
out:
    return status;
}

static wsr_status write_estimators(const method *m, const wsr__run *run)
{
    wsr_status status = WSR_OK;
    const wsr__estimate *const b = m->bench;
    char *path = NULL;
    for (size_t v = 0; run->folder != NULL && v < b->n_variants; v++) {
        char name[192];
        (void)snprintf(name, sizeof(name), "estimator-%s.safetensors",
                       b->variants[v].label);
        WSR_TRY(wsr__run_path(&path, run, name));
        WSR_TRY(wsr_estimator_save(b->variants[v].estimator, path));
        wsr__free(path);
        path = NULL;
    }
out:
    wsr__free(path);
    return status;
}

// Estimators are written before their comparison: as released a comparison
// moves the running statistics of some.
static wsr_status end_part(method *m, wsr__run *run)
{
    wsr_status status = WSR_OK;
    wsr__estimate *const b = m->bench;
    if (b->part == WSR__ESTIMATE_FIT) {
        b->epoch++;
        b->part = WSR__ESTIMATE_VALIDATE;
    } else if (b->epoch < (size_t)m->config.estimator.epochs) {
        b->part = WSR__ESTIMATE_FIT;
    } else {
        WSR_TRY(write_estimators(m, run));
        b->part = WSR__ESTIMATE_STRENGTHS;
    }
    b->net = 0;
    b->at = 0;
    WSR_TRY(wsr__run_checkpoint(run));
out:
    return status;
}

// A run that is stopped stands between two batches or in an attack, before
// anything was counted.
static wsr_status keep(wsr_status status, wsr__run *run)
{
    if (status != WSR_CANCELED) {
        return status;
    }
    char reason[512];
    (void)snprintf(reason, sizeof(reason), "%s", wsr_error_detail());
    const wsr_status saved = wsr__run_checkpoint(run);
    return saved == WSR_OK ? WSR_FAIL(status, "%s", reason) : saved;
}

static wsr_status fit_estimators(void *self, wsr__run *run)
{
    wsr_status status = WSR_OK;
    method *const m = self;
    wsr__estimate *const b = m->bench;
    b->saved = wsr__seconds();
    while (b->part < WSR__ESTIMATE_STRENGTHS) {
        WSR_TRY(b->part == WSR__ESTIMATE_FIT ? wsr__estimate_fit_epoch(b, run)
                                             : wsr__estimate_validate(b, run));
        WSR_TRY(end_part(m, run));
    }
out:
    return keep(status, run);
}

static wsr_status write_results(const method *m, const wsr__run *run)
{
    wsr_status status = WSR_OK;
    wsr_result *result = NULL;
    wsr__str text = {0};
    WSR_TRY(wsr__result_new(&result));
    WSR_TRY(wsr__estimate_rows(result, m->bench));
    WSR_TRY(wsr__estimate_csv(&text, result));
    WSR_TRY(wsr__run_write(run, "results.csv", text.s));
out:
    wsr__str_free(&text);
    wsr_result_free(result);
    return status;
}

static wsr_status compare(void *self, wsr__run *run)
{
    wsr_status status = WSR_OK;
    method *const m = self;
    wsr__estimate *const b = m->bench;
    if (b->part !=
        WSR__ESTIMATE_STRENGTHS) { // after a trial of the stage before
        b->part = WSR__ESTIMATE_STRENGTHS;
        b->net = 0;
        b->at = 0;
    }
    WSR_TRY(wsr__estimate_strengths(b, run));
    WSR_TRY(write_results(m, run));
out:
    return keep(status, run);
}

// Passes of images through networks, in proportion to their sizes.
static void work(const void *self, double *out)
{
    const method *const m = self;
    const wsr__estimate *const b = m->bench;
    const double steps = (double)m->config.attack.steps;
    const double noises = (double)(b->sources + 1);
    const double strengths = (double)m->config.attack.eps.n;
    const double epochs = (double)m->config.estimator.epochs;
    const double ways = 1 + (double)b->n_variants; // true and estimated
    const double validated = (double)(b->val_batches * b->batch) *
                             (noises * steps + 1 + ways * noises);
    const double tested =
        (double)(b->val_batches * b->batch) *
        ((noises - 1 + strengths) * steps + 1 + ways * strengths);
    double sizes = 0;
    for (size_t i = 0; i < b->n_nets; i++) {
        sizes += size_of(&b->nets[i]);
    }
    out[0] = m->train_work;
    out[1] = sizes * (epochs + 1) * validated +
             sizes / (double)b->n_nets * epochs *
                 (double)(b->train_batches * b->batch) * noises * steps;
    out[2] = sizes * tested;
}

// ------------------------------------------------------------------- result

static wsr_status result(wsr_result **out, void *self, bool failed)
{
    wsr_status status = WSR_OK;
    method *const m = self;
    char *path = NULL;
    if (failed && m->bench->test_of[0].seen == 0) {
        return WSR_OK;
    }
    WSR_TRY(wsr__run_path(&path, m->run, "log.jsonl"));
    WSR_TRY(wsr__estimate_read_times(m->bench, path));
    WSR_TRY(wsr__result_new(out));
    WSR_TRY(wsr__estimate_rows(*out, m->bench));
out:
    if (status != WSR_OK) {
        wsr_result_free(*out);
        *out = NULL;
    }
    wsr__free(path);
    return status;
}

static void release(void *self)
{
    method *const m = self;
    wsr__training_free(m->training);
    if (m->bench != NULL) {
        wsr__estimate_close(m->bench);
    }
    wsr__free(m->bench);
}

static const wsr__run_stage stages[] = {train_networks, fit_estimators, compare,
                                        NULL};
static const char *const stage_names[] = {"train", "estimators", "strengths"};

// Files that the run may write, which a resumed run must be able to replace;
// check_files() has those whose names depend on the configuration.
static const char *const files[] = {
    "config.yaml", "log.jsonl",   "checkpoint.safetensors",
    "results.csv", "report.html", NULL};

// Families that --help lists, because option values name their members.
static const wsr__family *const families[] = {
    &wsr__estimators, &wsr__attacks, &wsr__augments, &wsr__datasets,
    &wsr__optims,     &wsr__scheds,  &wsr__trainers, NULL};

static const wsr__run_class estimating = {
    .tool = "estimate",
    .size = sizeof(method),
    .n_sections = WSR__ESTIMATE_SECTIONS,
    .files = files,
    .families = families,
    .sections = sections,
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

wsr_status wsr_estimate_run(wsr_result **result, const wsr_config *config,
                            const char *dir, bool resume,
                            wsr_progress_hook hook, void *user)
{
    const wsr__run_request request = {config, dir, resume, hook, user, NULL};
    return wsr__run_execute(result, &estimating, &request);
}

wsr_status wsr_estimate_cost(wsr_cost *cost, const wsr_config *config,
                             wsr_progress_hook hook, void *user)
{
    return wsr__run_cost(cost, &estimating, config, hook, user);
}

wsr_status wsr_estimate_help(char **out, const char *topic)
{
    return wsr__run_help(out, &estimating, topic);
}
