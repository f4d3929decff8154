// SPDX-License-Identifier: Apache-2.0
//
// A configured run: search, then train the genotype that was found from
// scratch and measure its accuracy over the spectrum.

#include "search/search.h"

#include <stdio.h>
#include <string.h>

enum {
    TOP,
    DATA,
    SUPERNET,
    SEARCH,
    SEARCHER,
    ESTIMATOR,
    PREDICTOR,
    NET,
    TRAIN,
    SPECTRUM,
    SECTIONS,
    HELP_WIDTH = 80
};

typedef struct top_params {
    wsr__text fidelity;
    int64_t seed;
    int64_t threads;
} top_params;

static const wsr__option top_schema[] = {
    {"fidelity", WSR__WORD, offsetof(top_params, fidelity), "intended", 0, 0,
     "",
     "of every section that does not say its own: as the released research "
     "code or as the paper says",
     wsr__fidelity_words},
    {"seed", WSR__INT, offsetof(top_params, seed), "0", 0, 9007199254740991.0,
     "", "of all random numbers", NULL},
    {"threads", WSR__INT, offsetof(top_params, threads), "0", 0, 1024, "",
     "of the kernels, 0: as set before, by default all processors", NULL},
    {0},
};

typedef struct run {
    top_params top;
    wsr__source_params source;
    wsr__net_options supernet;
    wsr__search_params search_params;
    wsr__student_params student;
    wsr__train_params train_params;
    wsr__assess_params assess;
    wsr__section sections[SECTIONS];
    wsr__job *job;
    wsr__st *checkpoint;
    wsr_dataset *train;
    wsr_dataset *test;
    wsr__search *search;
    wsr_genotype *genotype;
    wsr_net *net;
    wsr__training *training; // NULL until the search is done
    uint64_t done;
} run;

static void set_sections(run *r)
{
    const wsr__section sections[SECTIONS] = {
        [TOP] = {.prefix = "", .schema = top_schema, .params = &r->top},
        [DATA] = {.prefix = "data",
                  .schema = wsr__source_schema,
                  .params = &r->source},
        [SUPERNET] = {.prefix = "supernet",
                      .schema = wsr__supernet_schema,
                      .params = &r->supernet},
        [SEARCH] = {.prefix = "search",
                    .schema = wsr__search_schema,
                    .params = &r->search_params},
        [SEARCHER] = {.prefix = "searcher",
                      .family = &wsr__searchers,
                      .fallback = "wsr"},
        [ESTIMATOR] = {.prefix = "estimator",
                       .family = &wsr__estimators,
                       .fallback = "an"},
        [PREDICTOR] = {.prefix = "predictor",
                       .family = &wsr__predictors,
                       .fallback = "lstm"},
        [NET] = {.prefix = "net",
                 .schema = wsr__student_schema,
                 .params = &r->student},
        [TRAIN] = {.prefix = "train",
                   .schema = wsr__train_schema,
                   .params = &r->train_params},
        [SPECTRUM] = {.prefix = "spectrum",
                      .schema = wsr__assess_schema,
                      .params = &r->assess}};
    for (size_t i = 0; i < SECTIONS; i++) {
        r->sections[i] = sections[i];
        if (sections[i].schema != NULL) {
            wsr__params_default(sections[i].params, sections[i].schema);
        }
    }
}

wsr_status wsr_search_help(char **out)
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

// Sections that were not given a fidelity of their own take that of the top.
static void spread_fidelity(run *r, const wsr_config *config)
{
    for (size_t i = TOP + 1; i < SECTIONS; i++) {
        const wsr__section *const section = &r->sections[i];
        const wsr__option *const option = wsr__schema_find(
            section->selected != NULL ? section->selected->schema
                                      : section->schema,
            "fidelity");
        char key[64];
        (void)snprintf(key, sizeof(key), "%s.fidelity", section->prefix);
        if (option != NULL && wsr_config_text(config, key) == NULL) {
            memcpy((char *)section->params + option->offset, &r->top.fidelity,
                   sizeof(r->top.fidelity));
        }
    }
}

// ------------------------------------------------------------------- parts

static void spec_of(wsr__str *out, const wsr__section *section)
{
    wsr__class_print(out, section->selected, section->params);
}

static wsr_status make_search(run *r)
{
    wsr_status status = WSR_OK;
    wsr__str supernet = {0};
    wsr__str estimator = {0};
    wsr__str predictor = {0};
    wsr__str_add(&supernet, "");
    wsr__params_summary(&supernet, &r->supernet, wsr__supernet_schema);
    spec_of(&estimator, &r->sections[ESTIMATOR]);
    spec_of(&predictor, &r->sections[PREDICTOR]);
    WSR_TRY(wsr__str_status(&supernet));
    WSR_TRY(wsr__str_status(&estimator));
    WSR_TRY(wsr__str_status(&predictor));
    const wsr__search_of of = {.data = r->train,
                               .supernet = supernet.s == NULL ? "" : supernet.s,
                               .estimator = estimator.s,
                               .predictor = predictor.s,
                               .seed = (uint64_t)r->top.seed};
    WSR_TRY(wsr__search_new(&r->search, r->sections[SEARCHER].selected->name,
                            &of, &r->search_params));
out:
    wsr__str_free(&supernet);
    wsr__str_free(&estimator);
    wsr__str_free(&predictor);
    return status;
}

static wsr_status make_training(run *r)
{
    wsr_status status = WSR_OK;
    const uint64_t seed = (uint64_t)r->top.seed;
    WSR_TRY(wsr__search_genotype(&r->genotype, r->search, "found"));
    WSR_TRY(wsr__student_new(&r->net, &r->student, r->genotype, NULL, r->train,
                             seed));
    const wsr__training_of of = {r->net, r->train, r->test, seed};
    WSR_TRY(wsr__training_new(&r->training, &of, &r->train_params));
out:
    return status;
}

static void free_training(run *r)
{
    wsr__training_free(r->training);
    wsr_net_free(r->net);
    wsr_genotype_free(r->genotype);
    r->training = NULL;
    r->net = NULL;
    r->genotype = NULL;
}

// What follows the search is made once before it, for what cannot be made is
// better known now than after hours of work.
static wsr_status check_rest(run *r)
{
    wsr_status status = WSR_OK;
    const wsr__student_params *const student = &r->student;
    if (student->genotype.s[0] != '\0' || student->codes.s[0] != '\0') {
        return WSR_FAIL(WSR_CONFIG,
                        "net.%s: is what the search is to find, leave it out",
                        student->codes.s[0] != '\0' ? "codes" : "genotype");
    }
    WSR_TRY(wsr__assess_check(&r->assess));
    WSR_TRY(make_training(r));
out:
    free_training(r);
    return status;
}

static wsr_status state(wsr__st_builder *builder, void *ctx)
{
    wsr_status status = WSR_OK;
    const run *const r = ctx;
    WSR_TRY(wsr__st_add_u64(builder, "done", &r->done, 1));
    WSR_TRY(wsr__search_save(r->search, builder));
    if (r->training != NULL) {
        WSR_TRY(wsr__training_save(r->training, builder, "train."));
    }
out:
    return status;
}

static wsr_status restore(run *r)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__st_read_u64(&r->done, r->checkpoint, "done", 1));
    WSR_TRY(wsr__search_load(r->search, r->checkpoint));
    if (wsr__st_find(r->checkpoint, "train.position") != NULL) {
        WSR_TRY(make_training(r));
        WSR_TRY(wsr__training_load(r->training, r->checkpoint, "train."));
    }
out:
    return status;
}

static wsr_status log_start(const run *r)
{
    wsr_status status = WSR_OK;
    wsr__json *line = NULL;
    WSR_TRY(wsr__journal_begin(&line, r->job->journal, "start"));
    wsr__json_text(line, "tool", "search");
    wsr__json_text(line, "version", wsr_version());
    wsr__json_text(line, "build", wsr_build_info());
    wsr__json_integer(line, "threads", r->top.threads);
    wsr__json_integer(line, "seed", r->top.seed);
    wsr__json_integer(line, "parameters",
                      wsr_params_scalars(wsr_net_params(r->search->net)));
    wsr__json_integer(line, "train_images",
                      (int64_t)wsr_dataset_count(r->search->train));
    wsr__json_integer(line, "held_out_images",
                      (int64_t)wsr_dataset_count(r->search->held_out));
    WSR_TRY(wsr__journal_end(r->job->journal));
out:
    return status;
}

// ----------------------------------------------------------------- running

static wsr_status begin(run *r, const wsr_config *config, bool resume)
{
    wsr_status status = WSR_OK;
    if (resume) {
        WSR_TRY(wsr__job_stored(r->job, r->sections, SECTIONS, config));
    }
    if (r->top.threads > 0) {
        wsr_set_threads((size_t)r->top.threads);
    }
    r->top.threads = (int64_t)wsr_threads();
    const bool tested = r->train_params.eval_every > 0 ||
                        r->assess.attack.s[0] != '\0';
    WSR_TRY(wsr__source_load(&r->train, tested ? &r->test : NULL, &r->source));
    WSR_TRY(make_search(r));
    WSR_TRY(check_rest(r));
    if (!resume) {
        // A folder with a configuration can be resumed, so that comes last.
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

static wsr_status write_genotype(const run *r)
{
    wsr_status status = WSR_OK;
    char *text = NULL;
    WSR_TRY(wsr_genotype_print(&text, r->genotype));
    WSR_TRY(wsr__job_write(r->job, "genotype.yaml", text));
out:
    wsr_text_free(text);
    return status;
}

static wsr_status write_estimator(const run *r)
{
    wsr_status status = WSR_OK;
    char *path = NULL;
    if (!r->search->cls->estimates) {
        return WSR_OK; // it has learned nothing
    }
    WSR_TRY(wsr__job_path(&path, r->job, "estimator.safetensors"));
    WSR_TRY(wsr_estimator_save(r->search->estimator, path));
out:
    wsr__free(path);
    return status;
}

static wsr_status train_found(run *r)
{
    wsr_status status = WSR_OK;
    char *path = NULL;
    if (r->training == NULL) {
        WSR_TRY(make_training(r));
    }
    WSR_TRY(write_genotype(r));
    WSR_TRY(write_estimator(r));
    WSR_TRY(wsr__training_run(r->training, r->job));
    wsr__training_finish(r->training);
    WSR_TRY(wsr__job_path(&path, r->job, "net.safetensors"));
    WSR_TRY(wsr_net_save(r->net, path));
out:
    wsr__free(path);
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
    const double begun = wsr__seconds();
    if (r->done != 0) {
        return WSR_OK;
    }
    WSR_TRY(wsr__search_loop(r->search, r->job));
    WSR_TRY(train_found(r));
    const wsr__assess_of of = {
        .net = r->net, .test = r->test, .seed = (uint64_t)r->top.seed};
    WSR_TRY(wsr__assess(r->job, &of, &r->assess));
    WSR_TRY(log_done(r, wsr__seconds() - begun));
    r->done = 1;
    WSR_TRY(wsr__job_checkpoint(r->job));
out:
    return status;
}

static void free_run(run *r)
{
    free_training(r);
    wsr__search_free(r->search);
    wsr_dataset_free(r->test);
    wsr_dataset_free(r->train);
    wsr__st_free(r->checkpoint);
    wsr__job_close(r->job);
    wsr__sections_free(r->sections, SECTIONS);
    wsr__free(r);
}

wsr_status wsr_search_run(const wsr_config *config, const char *dir,
                          bool resume, wsr_progress_hook hook, void *user)
{
    wsr_status status = WSR_OK;
    run *r = wsr__alloc(1, sizeof(*r));
    if (r == NULL) {
        return WSR_NOMEM;
    }
    set_sections(r);
    if (!resume) {
        // What is wrong with the configuration shows before a folder is made.
        if (config == NULL) {
            status = WSR_FAIL(WSR_ARG, "config: is missing for a new run");
            goto out;
        }
        WSR_TRY(wsr__config_decode(config, r->sections, SECTIONS));
        spread_fidelity(r, config);
    }
    WSR_TRY(wsr__job_open(&r->job, dir, resume, hook, user));
    WSR_TRY(begin(r, config, resume));
    WSR_TRY(work(r));
out:
    free_run(r);
    return status;
}
