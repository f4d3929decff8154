// SPDX-License-Identifier: Apache-2.0
//
// The method of a search run on top of run/: stages that search a genotype,
// train a network of it from scratch, and evaluate that network.

#include "search/table.h"

#include "eval/result.h"

#include <math.h>
#include <string.h>

static const char skips_remedy[] =
    "compare with fewer epochs or a smaller learning rate of the alphas, and "
    "with another searcher: the earlier genotypes are in log.jsonl";

typedef struct method {
    wsr__run_self super;
    wsr__search_config config;
    wsr_dataset *train;
    wsr_dataset *test;
    wsr_search *search;
    wsr_genotype *genotype;
    wsr_net *net;
    wsr__training *training; // NULL until the search is done
    wsr__evaluated evaluated;
    wsr__needs after;    // of the training that follows the search
    double train_passes; // of images through the network found
    double eval_passes;  // likewise
} method;

static void sections(void *self, wsr__section *out)
{
    method *const m = self;
    wsr__search_sections(&m->config, out);
}

static wsr_status decoded(void *self, const wsr_config *config)
{
    method *const m = self;
    wsr__search_decoded(&m->config, config);
    return WSR_OK;
}

// ------------------------------------------------------------------- parts

static uint64_t seed_of(const method *m)
{
    return (uint64_t)m->super.common.seed;
}

// The network of the current alphas with its training. Before the search it
// serves as a trial.
static wsr_status make_training(method *m)
{
    wsr_status status = WSR_OK;
    const uint64_t seed = seed_of(m);
    const wsr__searcher_class *const cls = m->search->cls;
    const wsr__net_class *kind = &wsr__net_network;
    const wsr__net_options *options = &m->config.net.super;
    void *own = NULL;
    WSR_TRY(wsr_search_genotype(&m->genotype, m->search, "found"));
    if (cls->found != NULL) {
        WSR_TRY(cls->found(&own, &kind, m->search, options));
        options = own;
    }
    WSR_TRY(wsr__network_from_config(&m->net, kind, options, m->genotype,
                                     m->train, seed));
    const wsr__training_of of = {m->net, m->train, m->test, seed};
    WSR_TRY(wsr__training_new(&m->training, &of, &m->config.train));
out:
    wsr__free(own);
    return status;
}

static void release_training(method *m)
{
    wsr__training_free(m->training);
    wsr_net_free(m->net);
    wsr_genotype_free(m->genotype);
    m->training = NULL;
    m->net = NULL;
    m->genotype = NULL;
}

static wsr__eval_stage_of eval_of(const method *m)
{
    return (wsr__eval_stage_of){
        .net = m->net, .test = m->test, .seed = seed_of(m)};
}

// With a table of accuracies nothing is trained; the network of what was found
// carries its genotype.
static wsr_status make_untrained(method *m)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr_search_genotype(&m->genotype, m->search, "found"));
    WSR_TRY(wsr__network_from_config(&m->net, &wsr__net_network,
                                     &m->config.net.super, m->genotype,
                                     m->train, seed_of(m)));
out:
    return status;
}

// Everything that follows the search is made once before it, so that errors
// and a lack of memory show before hours of work.
static wsr_status check_rest(method *m)
{
    wsr_status status = WSR_OK;
    if (m->search->lookup != NULL) {
        return WSR_OK;
    }
    if (m->config.net.cells.s[0] != '\0') {
        return WSR_FAIL(WSR_CONFIG,
                        "net.%s: is what the search is to find, leave it out",
                        wsr__net_network.cells.key);
    }
    if (m->config.train.init.s[0] != '\0') {
        return WSR_FAIL(WSR_CONFIG,
                        "train.init: has parameters of one architecture, "
                        "which the search is to find, leave it out");
    }
    WSR_TRY(wsr__eval_stage_check(&m->config.eval));
    WSR_TRY(make_training(m));
    WSR_TRY(wsr__training_prepare(m->training));
    const wsr__eval_stage_of of = eval_of(m);
    WSR_TRY(wsr__eval_stage_prepare(&m->eval_passes, &of, &m->config.eval));
    wsr__training_needs(&m->after, m->training);
    m->train_passes = wsr__training_passes(m->training);
out:
    release_training(m);
    return status;
}

// Data sets, the search, and the trial of what follows it.
static wsr_status prepare(void *self, const wsr__run *run, bool resume)
{
    wsr_status status = WSR_OK;
    method *const m = self;
    const bool tested = (m->config.train.eval_every > 0 ||
                         m->config.eval.attack.s[0] != '\0') &&
                        m->config.search.table.s[0] == '\0';
    (void)run;
    if (!resume) {
        WSR_TRY(wsr__divide(&m->config.search.shards,
                            m->config.search.deterministic.s, "search"));
        WSR_TRY(wsr__train_divide(&m->config.train));
    }
    WSR_TRY(wsr__source_load(&m->train, tested ? &m->test : NULL,
                             &m->config.source));
    WSR_TRY(wsr__search_configured(&m->search, &m->config, m->train, seed_of(m),
                                   resume));
    WSR_TRY(check_rest(m));
    WSR_TRY(wsr__search_prepare(m->search));
out:
    return status;
}

static void needs(const void *self, wsr__needs *out)
{
    const method *const m = self;
    wsr__source_needs(out, m->train, m->test);
    wsr__search_needs(out, m->search);
    for (size_t i = 0; i < m->after.n; i++) {
        wsr__needs_memory(out, m->after.memory[i].what,
                          m->after.memory[i].bytes);
    }
    out->disk += m->after.disk;
}

// Before the training the checkpoint holds the search alone.
static wsr_status save(const void *self, wsr__st_builder *builder)
{
    wsr_status status = WSR_OK;
    const method *const m = self;
    WSR_TRY(wsr__search_add_state(m->search, builder));
    if (m->training != NULL) {
        WSR_TRY(wsr__training_save(m->training, builder, "train."));
    }
out:
    return status;
}

// The alphas are final when a training exists, so they give its genotype
// again.
static wsr_status load(void *self, const wsr__st *checkpoint)
{
    wsr_status status = WSR_OK;
    method *const m = self;
    WSR_TRY(wsr__search_read_state(m->search, checkpoint));
    if (wsr__st_find(checkpoint, "train.position") != NULL) {
        WSR_TRY(make_training(m));
        WSR_TRY(wsr__training_load(m->training, checkpoint, "train."));
    }
out:
    return status;
}

// The line "start" describes the supernet; the network does not exist yet.
static wsr_status describe(const void *self, wsr__json *line)
{
    const method *const m = self;
    wsr__json_integer(line, "parameters",
                      wsr_params_scalars(wsr_net_params(m->search->net)));
    wsr__json_integer(line, "train_images",
                      (int64_t)wsr_dataset_count(m->search->train));
    wsr__json_integer(line, "held_out_images",
                      (int64_t)wsr_dataset_count(m->search->held_out));
    return WSR_OK;
}

// ------------------------------------------------------------------- stages

// What makes the genotype doubtful, for log and report.
static wsr_status log_skips(const method *m, wsr__run *run)
{
    wsr_status status = WSR_OK;
    wsr__skips skips;
    wsr__json *line = NULL;
    wsr__str detail = {0};
    WSR_TRY(wsr__search_skips(&skips, m->search));
    if (!wsr__skips_collapse(&skips, m->search)) {
        return WSR_OK;
    }
    wsr__skips_describe(&detail, &skips, m->search);
    WSR_TRY(wsr__str_status(&detail));
    WSR_TRY(wsr__run_log_begin(&line, run->log, "warning"));
    wsr__json_text(line, "warning", "skip_connections");
    wsr__json_text(line, "attack", NULL); // it is about none
    wsr__json_text(line, "norm", NULL);
    wsr__json_float(line, "eps", INFINITY); // null
    wsr__json_text(line, "detail", detail.s);
    wsr__json_text(line, "remedy", skips_remedy);
    WSR_TRY(wsr__run_log_end(run->log));
out:
    wsr__str_free(&detail);
    return status;
}

// Nothing is left of the search when a resumed run has its training.
static wsr_status search(void *self, wsr__run *run)
{
    wsr_status status = WSR_OK;
    const method *const m = self;
    if (m->training != NULL) {
        return WSR_OK;
    }
    WSR_TRY(wsr__search_loop(m->search, run));
    WSR_TRY(wsr__search_compare_found(m->search, run));
    WSR_TRY(wsr__search_log_evidence(m->search, run));
    WSR_TRY(log_skips(m, run));
out:
    return status;
}

// Written before the training, so that an interrupted run shows what it found.
static wsr_status write_genotype(const method *m, const wsr__run *run)
{
    wsr_status status = WSR_OK;
    char *text = NULL;
    WSR_TRY(wsr_genotype_print(&text, m->genotype));
    WSR_TRY(wsr__run_write(run, "genotype.yaml", text));
out:
    wsr_text_free(text);
    return status;
}

// For the attack `estimator`. A searcher that estimates nothing leaves it
// untrained.
static wsr_status write_estimator(const method *m, const wsr__run *run)
{
    wsr_status status = WSR_OK;
    char *path = NULL;
    if (!m->search->cls->estimates || run->folder == NULL) {
        return WSR_OK;
    }
    WSR_TRY(wsr__run_path(&path, run, "estimator.safetensors"));
    WSR_TRY(wsr_estimator_save(m->search->estimator, path));
out:
    wsr__free(path);
    return status;
}

static wsr_status write_found(const method *m, const wsr__run *run)
{
    const wsr_status status = write_genotype(m, run);
    return status == WSR_OK ? write_estimator(m, run) : status;
}

// A resumed run has its training already.
static wsr_status train_found(void *self, wsr__run *run)
{
    wsr_status status = WSR_OK;
    method *const m = self;
    char *path = NULL;
    if (m->search->lookup != NULL) {
        WSR_TRY(make_untrained(m));
        return write_genotype(m, run);
    }
    if (m->training == NULL) {
        WSR_TRY(make_training(m));
    }
    WSR_TRY(wsr__comm_agree(write_found(m, run)));
    WSR_TRY(wsr__training_run(m->training, run));
    wsr__training_finish(m->training);
    if (run->folder != NULL) {
        WSR_TRY(wsr__run_path(&path, run, "net.safetensors"));
    }
    WSR_TRY(wsr__comm_agree(run->folder != NULL ? wsr_net_save(m->net, path)
                                                : WSR_OK));
out:
    wsr__free(path);
    return status;
}

static wsr_status evaluate(void *self, wsr__run *run)
{
    method *const m = self;
    const wsr__eval_stage_of of = eval_of(m);
    if (m->search->lookup != NULL) {
        return WSR_OK;
    }
    return wsr__eval_stage_run(&m->evaluated, run, &of, &m->config.eval);
}

// The result of a run that is complete, from the files in its folder.
static wsr_status restore(void *self, wsr__run *run)
{
    method *const m = self;
    const wsr__eval_stage_of of = eval_of(m);
    if (m->search->lookup != NULL) {
        return make_untrained(m);
    }
    wsr__training_finish(m->training);
    return wsr__eval_stage_restore(&m->evaluated, run, &of, &m->config.eval);
}

// Said once more at the end, where nobody has to look for it in the log.
static void warn_of_skips(const method *m)
{
    wsr__skips skips;
    wsr__str detail = {0};
    if (wsr__search_skips(&skips, m->search) == WSR_OK &&
        wsr__skips_collapse(&skips, m->search)) {
        wsr__skips_describe(&detail, &skips, m->search);
        if (wsr__str_status(&detail) == WSR_OK) {
            wsr__log(WSR_LOG_WARNING, "skip connections: %s; %s", detail.s,
                     skips_remedy);
        }
    }
    wsr__str_free(&detail);
}

static void tell_evidence(const method *m)
{
    wsr__str text = {0};
    wsr__search_evidence(&text, m->search);
    if (wsr__str_status(&text) == WSR_OK) {
        wsr__log(WSR_LOG_INFO, "%s", text.s);
    }
    wsr__str_free(&text);
}

// Moves what the run made into the result.
static wsr_status result(wsr_result **out, void *self, bool failed)
{
    method *const m = self;
    if (!failed) {
        warn_of_skips(m);
        tell_evidence(m);
    }
    return wsr__result_of_stage(out, &m->evaluated, &m->net, &m->test, failed);
}

static void release(void *self)
{
    method *const m = self;
    wsr__evaluated_free(&m->evaluated);
    release_training(m);
    wsr_search_free(m->search);
    wsr_dataset_free(m->test);
    wsr_dataset_free(m->train);
}

// Work of a pass through a network, in proportion: both networks see the same
// images, and a convolution's work grows with the square of its channels. Of
// networks with a base the sections do not tell.
static double size_of(int64_t layers, int64_t channels)
{
    return (double)layers * (double)channels * (double)channels;
}

static void work(const void *self, double *out)
{
    const method *const m = self;
    const bool told = m->search->cls->network == NULL;
    const double path =
        told ? size_of(m->config.supernet.layers, m->config.supernet.channels)
             : 1;
    const double net =
        told ? size_of(m->config.net.layers, m->config.net.channels) : 1;
    const double looked_up = m->search->lookup != NULL ? 1 : 0;
    out[0] = looked_up + path * wsr__search_work(m->search);
    out[1] = net * m->train_passes;
    out[2] = net * m->eval_passes;
}

enum { EVALUATE = 2 }; // number of the stage

// The network of a trial is untrained, so an evaluation of it would end early;
// the time of its passes is measured instead.
static wsr_status seconds(double *out, void *self, size_t stage)
{
    const method *const m = self;
    const wsr__eval_stage_of of = eval_of(m);
    *out = -1;
    return stage == EVALUATE ? wsr__eval_stage_seconds(
                                   out, &of, &m->config.eval, m->eval_passes)
                             : WSR_OK;
}

static const wsr__run_stage stages[] = {search, train_found, evaluate, NULL};
static const char *const stage_names[] = {"search", "train", "eval"};

// Files that the run may write, which a resumed run must be able to replace.
static const char *const files[] = {
    "genotype.yaml",          "config.yaml",           "log.jsonl",
    "checkpoint.safetensors", "estimator.safetensors", "net.safetensors",
    "eval.safetensors",       "report.html",           NULL};

// Families that --help lists, because option values name their members.
static const wsr__family *const families[] = {
    &wsr__attacks, &wsr__augments, &wsr__datasets,
    &wsr__optims,  &wsr__scheds,   &wsr__trainers,
    NULL};

static const wsr__run_class searching = {
    .tool = "search",
    .size = sizeof(method),
    .n_sections = WSR__SEARCH_SECTIONS,
    .files = files,
    .families = families,
    .sections = sections,
    .decoded = decoded,
    .prepare = prepare,
    .needs = needs,
    .describe = describe,
    .save = save,
    .load = load,
    .stages = stages,
    .stage_names = stage_names,
    .seconds = seconds,
    .work = work,
    .restore = restore,
    .result = result,
    .free = release,
};

// Whether an option of a list is given and not empty.
static bool has_list(const wsr_config *config, const char *key)
{
    const char *const text = config == NULL ? NULL
                                            : wsr_config_text(config, key);
    return text != NULL && text[strspn(text, " []")] != '\0';
}

// A search, or several searchers, or architectures that are trained alone.
static const wsr__run_class *class_of(const wsr_config *config)
{
    const char *const random =
        config == NULL ? NULL : wsr_config_text(config, "table.random");
    if ((random != NULL && !wsr__streq(random, "0")) ||
        has_list(config, "table.genotypes")) {
        return &wsr__tabling;
    }
    return has_list(config, "compare") ? &wsr__comparing : &searching;
}

// A resumed run asks its folder; a folder that cannot say so is left to the
// search, which refuses it.
static wsr_status choose(const wsr__run_class **out, const wsr_config *config,
                         const char *dir, bool resume)
{
    wsr_status status = WSR_OK;
    wsr_config *stored = NULL;
    char *path = NULL;
    if (resume && dir != NULL) {
        path = wsr__path_join(dir, "config.yaml");
        WSR_TRY(path == NULL ? WSR_NOMEM : wsr_config_new(&stored));
        config = wsr_config_load(stored, path) == WSR_OK ? stored : NULL;
    }
    *out = class_of(config);
out:
    wsr_config_free(stored);
    wsr__free(path);
    return status;
}

wsr_status wsr_search_run(wsr_result **result, const wsr_config *config,
                          const char *dir, bool resume, wsr_progress_hook hook,
                          void *user)
{
    wsr_status status = WSR_OK;
    const wsr__run_request request = {config, dir, resume, hook, user, NULL};
    const wsr__run_class *cls = NULL;
    WSR_TRY(choose(&cls, config, dir, resume));
    WSR_TRY(wsr__run_execute(result, cls, &request));
out:
    return status;
}

// The searches of a comparison cost what one of them costs, each.
wsr_status wsr_search_cost(wsr_cost *cost, const wsr_config *config,
                           wsr_progress_hook hook, void *user)
{
    const wsr__run_class *const cls = class_of(config);
    return wsr__run_cost(cost, cls == &wsr__tabling ? cls : &searching, config,
                         hook, user);
}

wsr_status wsr_search_help(char **out, const char *topic)
{
    return wsr__run_help(out, &searching, topic);
}
