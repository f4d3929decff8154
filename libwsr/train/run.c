// SPDX-License-Identifier: Apache-2.0
//
// The method of a training run on top of run/: stages that train a network and
// evaluate it.
//
// A resumed run needs nothing but its folder and the data: what the cells are
// made of and initial parameters are copied into the folder when the run
// begins, since the files that they came from may change or move.

#include "train/train.h"

#include "eval/result.h"

enum { DATA, NET, TRAIN, EVAL, SECTIONS };

static const char init_name[] = "init.safetensors";

typedef struct method {
    wsr__run_self super;
    wsr__source_params source;
    const wsr__section *net_config;
    wsr__train_params train_params;
    wsr__eval_stage_params eval;
    wsr_dataset *train;
    wsr_dataset *test;
    wsr_net *net;
    wsr__training *training;
    wsr__evaluated evaluated;
    double eval_passes; // of the evaluation
} method;

// The sections of the configuration and the structs that they are decoded
// into.
static void sections(void *self, wsr__section *out)
{
    method *const m = self;
    out[DATA] = (wsr__section){
        .prefix = "data", .schema = wsr__source_schema, .params = &m->source};
    out[NET] = (wsr__section){.prefix = "net",
                              .family = wsr__nets_for_data(),
                              .fallback = wsr__net_network.super.name,
                              .selector = wsr__net_selector};
    out[TRAIN] = (wsr__section){.prefix = "train",
                                .schema = wsr__train_schema,
                                .params = &m->train_params};
    out[EVAL] = (wsr__section){
        .prefix = "eval", .schema = wsr__eval_stage_schema, .params = &m->eval};
    m->net_config = &out[NET];
}

// ------------------------------------------------------------------- parts

static bool has_init(const method *m)
{
    return m->train_params.init.s[0] != '\0';
}

// The parameters that training starts from: from the option's file, in a
// resumed run from the copy in the folder.
static wsr_status load_init(const method *m, const wsr__run *run, bool resume)
{
    wsr_status status = WSR_OK;
    char *kept = NULL;
    if (resume) {
        WSR_TRY(wsr__run_path(&kept, run, init_name));
    }
    status =
        wsr_net_load_params(m->net, resume ? kept : m->train_params.init.s);
    if (status != WSR_OK && status != WSR_NOMEM) {
        status = wsr__fail_at(status, "train.init");
    }
out:
    wsr__free(kept);
    return status;
}

static wsr_status write_init(const method *m, const wsr__run *run)
{
    wsr_status status = WSR_OK;
    char *path = NULL;
    WSR_TRY(wsr__run_path(&path, run, init_name));
    WSR_TRY(wsr_net_save(m->net, path));
out:
    wsr__free(path);
    return status;
}

// Called once, when a new run has its folder.
static wsr_status store(const void *self, const wsr__run *run)
{
    wsr_status status = WSR_OK;
    const method *const m = self;
    WSR_TRY(wsr__run_store_cells(run, m->net));
    if (has_init(m)) {
        WSR_TRY(write_init(m, run));
    }
out:
    return status;
}

static uint64_t seed_of(const method *m)
{
    return (uint64_t)m->super.common.seed;
}

static wsr_status make_net(method *m, const wsr__run *run, bool resume)
{
    wsr_status status = WSR_OK;
    const wsr__net_class *const kind = wsr__net_kind(m->net_config->selected);
    void *cells = NULL;
    if (resume) {
        WSR_TRY(wsr__run_load_cells(&cells, run, kind));
    }
    WSR_TRY(wsr__network_from_config(&m->net, kind, m->net_config->params,
                                     cells, m->train, seed_of(m)));
    if (has_init(m)) {
        WSR_TRY(load_init(m, run, resume));
    }
out:
    if (cells != NULL) {
        kind->cells.free(cells);
    }
    return status;
}

static wsr__eval_stage_of eval_of(const method *m)
{
    return (wsr__eval_stage_of){
        .net = m->net, .test = m->test, .seed = seed_of(m)};
}

// Makes everything that the run needs, plans included, so that errors show
// before the first step. Test images are read only if a validation or the
// evaluation uses them.
static wsr_status prepare(void *self, const wsr__run *run, bool resume)
{
    wsr_status status = WSR_OK;
    method *const m = self;
    const bool tested = m->train_params.eval_every > 0 ||
                        m->eval.attack.s[0] != '\0';
    WSR_TRY(wsr__eval_stage_check(&m->eval));
    WSR_TRY(wsr__source_load(&m->train, tested ? &m->test : NULL, &m->source));
    WSR_TRY(make_net(m, run, resume));
    if (!resume) {
        WSR_TRY(wsr__train_divide(&m->train_params));
    }
    const wsr__training_of of = {m->net, m->train, m->test, seed_of(m)};
    const wsr__eval_stage_of evaluated = eval_of(m);
    WSR_TRY(wsr__training_new(&m->training, &of, &m->train_params));
    WSR_TRY(wsr__training_prepare(m->training));
    WSR_TRY(wsr__eval_stage_prepare(&m->eval_passes, &evaluated, &m->eval));
out:
    return status;
}

// Memory and disk space that the run needs, for the check before it starts.
static void needs(const void *self, wsr__needs *out)
{
    const method *const m = self;
    wsr__source_needs(out, m->train, m->test);
    wsr__training_needs(out, m->training);
    if (has_init(m)) {
        out->disk += sizeof(float) *
                     (double)wsr_params_scalars(wsr_net_params(m->net));
    }
}

// The evaluation has a file of its own, so the checkpoint is that of the
// training.
static wsr_status save(const void *self, wsr__st_builder *builder)
{
    const method *const m = self;
    return wsr__training_save(m->training, builder, "train.");
}

static wsr_status load(void *self, const wsr__st *checkpoint)
{
    method *const m = self;
    return wsr__training_load(m->training, checkpoint, "train.");
}

// Fields of the line "start" that only a training has.
static wsr_status describe(const void *self, wsr__json *line)
{
    const method *const m = self;
    char *text = NULL;
    const wsr_status status = wsr_net_describe(&text, m->net);
    if (status == WSR_OK) {
        wsr__json_text(line, "net", text);
        if (has_init(m)) {
            wsr__json_text(line, "init", m->train_params.init.s);
        }
        wsr__json_integer(line, "parameters",
                          wsr_params_scalars(wsr_net_params(m->net)));
        wsr__json_integer(line, "train_images",
                          (int64_t)wsr_dataset_count(m->train));
        wsr__json_integer(
            line, "test_images",
            m->test == NULL ? 0 : (int64_t)wsr_dataset_count(m->test));
    }
    wsr_text_free(text);
    return status;
}

// ------------------------------------------------------------------- stages

static wsr_status write_net(const method *m, const wsr__run *run,
                            const char *ending)
{
    wsr_status status = WSR_OK;
    char name[64];
    char *path = NULL;
    (void)snprintf(name, sizeof(name), "net.%.40s", ending);
    WSR_TRY(wsr__run_path(&path, run, name));
    WSR_TRY(wsr_net_save(m->net, path));
out:
    wsr__free(path);
    return status;
}

// The network is written with the parameters that the option `keep` chooses.
static wsr_status train(void *self, wsr__run *run)
{
    wsr_status status = WSR_OK;
    method *const m = self;
    const char *const also = m->train_params.export.s;
    WSR_TRY(wsr__training_run(m->training, run));
    wsr__training_finish(m->training);
    if (run->folder != NULL) {
        status = write_net(m, run, "safetensors");
        if (status == WSR_OK && !wsr__streq(also, "none")) {
            status = write_net(m, run, also);
        }
    }
    WSR_TRY(wsr__comm_agree(status));
out:
    return status;
}

static wsr_status evaluate(void *self, wsr__run *run)
{
    method *const m = self;
    const wsr__eval_stage_of of = eval_of(m);
    return wsr__eval_stage_run(&m->evaluated, run, &of, &m->eval);
}

// The result of a run that is complete, from the files in its folder.
static wsr_status restore(void *self, wsr__run *run)
{
    method *const m = self;
    const wsr__eval_stage_of of = eval_of(m);
    wsr__training_finish(m->training);
    return wsr__eval_stage_restore(&m->evaluated, run, &of, &m->eval);
}

static wsr_status result(wsr_result **out, void *self, bool failed)
{
    method *const m = self;
    return wsr__result_of_stage(out, &m->evaluated, &m->net, &m->test, failed);
}

static void release(void *self)
{
    method *const m = self;
    wsr__evaluated_free(&m->evaluated);
    wsr__training_free(m->training);
    wsr_net_free(m->net);
    wsr_dataset_free(m->test);
    wsr_dataset_free(m->train);
}

// Passes of images through the network in each stage, by which progress is
// divided.
static void work(const void *self, double *out)
{
    const method *const m = self;
    out[0] = wsr__training_passes(m->training);
    out[1] = m->eval_passes;
}

enum { EVALUATE = 1 }; // number of the stage

// The network of a trial is untrained, so an evaluation of it would end early;
// the time of its passes is measured instead.
static wsr_status seconds(double *out, void *self, size_t stage)
{
    const method *const m = self;
    const wsr__eval_stage_of of = eval_of(m);
    *out = -1;
    return stage == EVALUATE
               ? wsr__eval_stage_seconds(out, &of, &m->eval, m->eval_passes)
               : WSR_OK;
}

static const wsr__run_stage stages[] = {train, evaluate, NULL};
static const char *const stage_names[] = {"train", "eval"};

// Files that the run may write, which a resumed run must be able to replace.
// What the cells are made of is written before anything else.
static const char *const files[] = {init_name,         "config.yaml",
                                    "log.jsonl",       "checkpoint.safetensors",
                                    "net.safetensors", "eval.safetensors",
                                    "net.pth",         "net.npz",
                                    "report.html",     NULL};

// Families that --help lists, because option values name their members.
static const wsr__family *const families[] = {
    &wsr__attacks, &wsr__augments, &wsr__datasets,
    &wsr__optims,  &wsr__scheds,   &wsr__trainers,
    NULL};

static const wsr__run_class training = {
    .tool = "train",
    .size = sizeof(method),
    .n_sections = SECTIONS,
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
    .seconds = seconds,
    .work = work,
    .restore = restore,
    .result = result,
    .free = release,
};

wsr_status wsr_train_run(wsr_result **result, const wsr_config *config,
                         const char *dir, bool resume, wsr_progress_hook hook,
                         void *user)
{
    const wsr__run_request request = {config, dir, resume, hook, user, NULL};
    return wsr__run_execute(result, &training, &request);
}

wsr_status wsr_train_cost(wsr_cost *cost, const wsr_config *config,
                          wsr_progress_hook hook, void *user)
{
    return wsr__run_cost(cost, &training, config, hook, user);
}

wsr_status wsr_train_help(char **out, const char *topic)
{
    return wsr__run_help(out, &training, topic);
}
