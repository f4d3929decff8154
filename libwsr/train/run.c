// SPDX-License-Identifier: Apache-2.0
//
// A training run from its configuration to a network file and a spectrum.

#include "train/train.h"

enum { TOP, DATA, NET, TRAIN, SPECTRUM, SECTIONS, HELP_WIDTH = 80 };

typedef struct top_params {
    int64_t seed;
    int64_t threads;
} top_params;

static const wsr__option top_schema[] = {
    {"seed", WSR__INT, offsetof(top_params, seed), "0", 0, 9007199254740991.0,
     "", "of all random numbers", NULL},
    {"threads", WSR__INT, offsetof(top_params, threads), "0", 0, 1024, "",
     "of the kernels, 0: as set before, by default all processors", NULL},
    {0},
};

typedef struct run {
    top_params top;
    wsr__source_params source;
    wsr__student_params student;
    wsr__train_params train_params;
    wsr__assess_params assess;
    wsr__section sections[SECTIONS];
    wsr__job *job;
    wsr__st *checkpoint;
    wsr_dataset *train;
    wsr_dataset *test;
    wsr_net *net;
    wsr__training *training;
    uint64_t done; // 1: nothing is left to do
} run;

static void set_sections(run *r)
{
    r->sections[TOP] =
        (wsr__section){.prefix = "", .schema = top_schema, .params = &r->top};
    r->sections[DATA] = (wsr__section){
        .prefix = "data", .schema = wsr__source_schema, .params = &r->source};
    r->sections[NET] = (wsr__section){
        .prefix = "net", .schema = wsr__student_schema, .params = &r->student};
    r->sections[TRAIN] = (wsr__section){.prefix = "train",
                                        .schema = wsr__train_schema,
                                        .params = &r->train_params};
    r->sections[SPECTRUM] = (wsr__section){.prefix = "spectrum",
                                           .schema = wsr__assess_schema,
                                           .params = &r->assess};
    for (size_t i = 0; i < SECTIONS; i++) {
        wsr__params_default(r->sections[i].params, r->sections[i].schema);
    }
}

wsr_status wsr_train_help(char **out)
{
    wsr__str text = {0};
    run *r = wsr__alloc(1, sizeof(*r));
    *out = NULL;
    if (r == NULL) {
        return WSR_NOMEM;
    }
    set_sections(r);
    wsr__config_help(&text, r->sections, SECTIONS, HELP_WIDTH);
    wsr__free(r);
    return wsr__str_give(out, &text);
}

// ----------------------------------------------------------- configuration

static wsr_status check_given(const wsr_config *config)
{
    return config != NULL
               ? WSR_OK
               : WSR_FAIL(WSR_ARG, "config: is missing for a new run");
}

static void adopt_threads(run *r)
{
    if (r->top.threads > 0) {
        wsr_set_threads((size_t)r->top.threads);
    }
    // Results depend on it in the last bits, so it is written down.
    r->top.threads = (int64_t)wsr_threads();
}

// ------------------------------------------------------------------- parts

// What a run's network is made of is kept in its folder: the file that it came
// from may change, or lie elsewhere when the run is taken up.
static wsr_status load_cells(wsr_genotype **genotype, wsr_robnet_codes **codes,
                             const run *r)
{
    wsr_status status = WSR_OK;
    char *path = NULL;
    if (r->student.genotype.s[0] != '\0') {
        WSR_TRY(wsr__job_path(&path, r->job, "genotype.yaml"));
        WSR_TRY(wsr_genotype_load(genotype, path));
    } else if (r->student.codes.s[0] != '\0') {
        WSR_TRY(wsr__job_path(&path, r->job, "codes.yaml"));
        WSR_TRY(wsr_robnet_codes_load(codes, path));
    }
out:
    wsr__free(path);
    return status;
}

static wsr_status write_cells(const run *r)
{
    wsr_status status = WSR_OK;
    char *text = NULL;
    const wsr_genotype *const genotype = wsr_net_genotype(r->net);
    if (genotype != NULL) {
        WSR_TRY(wsr_genotype_print(&text, genotype));
        WSR_TRY(wsr__job_write(r->job, "genotype.yaml", text));
    } else {
        WSR_TRY(wsr_robnet_codes_print(&text, r->net->codes));
        WSR_TRY(wsr__job_write(r->job, "codes.yaml", text));
    }
out:
    wsr_text_free(text);
    return status;
}

static wsr_status make_parts(run *r, bool resume)
{
    wsr_status status = WSR_OK;
    wsr_genotype *genotype = NULL;
    wsr_robnet_codes *codes = NULL;
    const uint64_t seed = (uint64_t)r->top.seed;
    const bool tested = r->train_params.eval_every > 0 ||
                        r->assess.attack.s[0] != '\0';
    WSR_TRY(wsr__source_load(&r->train, tested ? &r->test : NULL, &r->source));
    if (resume) {
        WSR_TRY(load_cells(&genotype, &codes, r));
    }
    WSR_TRY(wsr__student_new(&r->net, &r->student, genotype, codes, r->train,
                             seed));
    const wsr__training_of of = {r->net, r->train, r->test, seed};
    WSR_TRY(wsr__training_new(&r->training, &of, &r->train_params));
out:
    wsr_genotype_free(genotype);
    wsr_robnet_codes_free(codes);
    return status;
}

static wsr_status state(wsr__st_builder *builder, void *ctx)
{
    wsr_status status = WSR_OK;
    const run *const r = ctx;
    WSR_TRY(wsr__st_add_u64(builder, "done", &r->done, 1));
    WSR_TRY(wsr__training_save(r->training, builder, "train."));
out:
    return status;
}

static wsr_status restore(run *r)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__st_read_u64(&r->done, r->checkpoint, "done", 1));
    WSR_TRY(wsr__training_load(r->training, r->checkpoint, "train."));
out:
    return status;
}

static wsr_status log_start(const run *r)
{
    wsr_status status = WSR_OK;
    wsr__json *line = NULL;
    char *text = NULL;
    WSR_TRY(wsr_net_describe(&text, r->net));
    WSR_TRY(wsr__journal_begin(&line, r->job->journal, "start"));
    wsr__json_text(line, "tool", "train");
    wsr__json_text(line, "version", wsr_version());
    wsr__json_text(line, "build", wsr_build_info());
    wsr__json_integer(line, "threads", r->top.threads);
    wsr__json_integer(line, "seed", r->top.seed);
    wsr__json_text(line, "net", text);
    wsr__json_integer(line, "parameters",
                      wsr_params_scalars(wsr_net_params(r->net)));
    wsr__json_integer(line, "train_images",
                      (int64_t)wsr_dataset_count(r->train));
    wsr__json_integer(line, "test_images",
                      r->test == NULL ? 0
                                      : (int64_t)wsr_dataset_count(r->test));
    WSR_TRY(wsr__journal_end(r->job->journal));
out:
    wsr_text_free(text);
    return status;
}

// ----------------------------------------------------------------- running

static wsr_status begin(run *r, const wsr_config *config, bool resume)
{
    wsr_status status = WSR_OK;
    if (resume) {
        WSR_TRY(wsr__job_stored(r->job, r->sections, SECTIONS, config));
    }
    adopt_threads(r);
    WSR_TRY(wsr__assess_check(&r->assess));
    WSR_TRY(make_parts(r, resume));
    if (!resume) {
        // A folder with a configuration can be resumed, so that comes last.
        WSR_TRY(write_cells(r));
        WSR_TRY(wsr__job_store(r->job, r->sections, SECTIONS));
    } else {
        WSR_TRY(wsr__job_load(&r->checkpoint, r->job));
    }
    r->job->state = state;
    r->job->ctx = r;
    WSR_TRY(wsr__job_begin(r->job, r->checkpoint));
    if (r->checkpoint != NULL) {
        WSR_TRY(restore(r));
    } else {
        WSR_TRY(log_start(r));
    }
out:
    return status;
}

static wsr_status log_done(const run *r, double seconds)
{
    wsr_status status = WSR_OK;
    wsr__json *line = NULL;
    WSR_TRY(wsr__journal_begin(&line, r->job->journal, "done"));
    wsr__json_float(line, "seconds", (float)seconds);
    WSR_TRY(wsr__journal_end(r->job->journal));
out:
    return status;
}

static wsr_status work(run *r)
{
    wsr_status status = WSR_OK;
    char *path = NULL;
    const double begun = wsr__seconds();
    const wsr__assess_of of = {
        .net = r->net, .test = r->test, .seed = (uint64_t)r->top.seed};
    if (r->done != 0) {
        return WSR_OK;
    }
    WSR_TRY(wsr__training_run(r->training, r->job));
    wsr__training_finish(r->training);
    WSR_TRY(wsr__job_path(&path, r->job, "net.safetensors"));
    WSR_TRY(wsr_net_save(r->net, path));
    WSR_TRY(wsr__assess(r->job, &of, &r->assess));
    WSR_TRY(log_done(r, wsr__seconds() - begun));
    r->done = 1;
    WSR_TRY(wsr__job_checkpoint(r->job));
out:
    wsr__free(path);
    return status;
}

static void free_run(run *r)
{
    wsr__training_free(r->training);
    wsr_net_free(r->net);
    wsr_dataset_free(r->test);
    wsr_dataset_free(r->train);
    wsr__st_free(r->checkpoint);
    wsr__job_close(r->job);
    wsr__free(r);
}

wsr_status wsr_train_run(const wsr_config *config, const char *dir, bool resume,
                         wsr_progress_hook hook, void *user)
{
    wsr_status status = WSR_OK;
    run *r = wsr__alloc(1, sizeof(*r));
    if (r == NULL) {
        return WSR_NOMEM;
    }
    set_sections(r);
    if (!resume) {
        // What is wrong with the configuration shows before a folder is made.
        WSR_TRY(check_given(config));
        WSR_TRY(wsr__config_decode(config, r->sections, SECTIONS));
    }
    WSR_TRY(wsr__job_open(&r->job, dir, resume, hook, user));
    WSR_TRY(begin(r, config, resume));
    WSR_TRY(work(r));
out:
    free_run(r);
    return status;
}
