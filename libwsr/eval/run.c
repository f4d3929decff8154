// SPDX-License-Identifier: Apache-2.0
//
// The method of an evaluation run on top of run/, with or without a folder. The
// state of the evaluation is the run's checkpoint. Results are written also
// when the run is stopped or fails, for the images that are done.

#include "eval/result.h"
#include "eval/run_params.h"
#include "eval/target.h"

#include <string.h>

typedef struct method {
    wsr__run_self super;
    wsr__eval_run_params p;
    wsr__eval_target target; // what is evaluated
    wsr__eval_target source; // that attacks work on, NULL: the same
    wsr__needs needs;
    wsr_dataset *dataset;
    wsr_eval *eval; // NULL with the released measure and without attacks
    wsr__measures measures;          // after the attacks
    uint64_t stages_done;            // whose results are in the log
    double accuracy[WSR__STRENGTHS]; // of the released measure
} method;

static void sections(void *self, wsr__section *out)
{
    method *const m = self;
    wsr__eval_run_sections(&m->p, out);
}

static wsr_status decoded(void *self, const wsr_config *config)
{
    method *const m = self;
    return wsr__eval_run_fidelity(&m->p, config);
}

// ------------------------------------------------------------------- parts

// Adversarial images to keep: all for attack.save, those of a folder's report.
static size_t wanted_images(const method *m, const wsr__run *run)
{
    const bool all = m->p.attack.save.s[0] != '\0';
    if (all) {
        return m->dataset == NULL ? 0 : wsr_dataset_count(m->dataset);
    }
    return run->dir != NULL ? (size_t)m->p.attack.show : 0;
}

static wsr__eval_params params_of(const method *m, const wsr__run *run)
{
    wsr__eval_params params = {.attacks = m->p.attack.list.s,
                               .eps = m->p.eps,
                               .n_eps = m->p.n_eps,
                               .settings = m->p.attack.settings};
    params.settings.attack.seed = m->super.common.seed;
    params.settings.keep = (int64_t)wanted_images(m, run);
    return params;
}

static wsr_status make_eval(wsr_eval **out, const method *m,
                            const wsr__run *run)
{
    const wsr__eval_params params = params_of(m, run);
    return wsr__eval_make(out, &params);
}

static wsr_status need(const wsr__text *text, const char *key, const char *what)
{
    return text->s[0] != '\0'
               ? WSR_OK
               : WSR_FAIL(WSR_CONFIG, "%s: is missing, %s", key, what);
}

// The place of a folder of pictures, which may be there already.
static wsr_status check_folder(const char *path)
{
    wsr_status status = WSR_OK;
    wsr__str place = {0};
    wsr__str_addn(&place, path, strlen(path) - 1);
    WSR_TRY(wsr__str_status(&place));
    if (place.len > 0 && !wsr__file_exists(path)) {
        WSR_TRY(wsr__file_check_place(place.s));
    }
out:
    wsr__str_free(&place);
    return status;
}

// A path that cannot be written is found before the attack, not after it.
static wsr_status check_save(const method *m)
{
    const char *const path = m->p.attack.save.s;
    const bool folder = path[0] != '\0' && wsr__eval_is_folder(path);
    const wsr_status status = path[0] == '\0' ? WSR_OK
                              : folder        ? check_folder(path)
                                              : wsr__file_check_place(path);
    return status == WSR_IO ? wsr__fail_at(WSR_CONFIG, "attack.save") : status;
}

// One array has room for one attack at one strength.
static wsr_status check_array(const method *m, const wsr_eval *eval)
{
    const char *const path = m->p.attack.save.s;
    if (eval == NULL || !wsr__eval_is_array(path) ||
        wsr_eval_attacks(eval) * wsr_eval_strengths(eval) == 1) {
        return WSR_OK;
    }
    return WSR_FAIL(WSR_CONFIG,
                    "attack.save: %s holds one array, there are %zu attacks at "
                    "%zu strengths; .npz holds several",
                    path, wsr_eval_attacks(eval), wsr_eval_strengths(eval));
}

static bool is_divided(const method *m)
{
    return !wsr__streq(m->p.attack.settings.shard.s, "1/1");
}

// A shard is for merging, which needs its checkpoint; nothing merges measures
// of other kinds.
static wsr_status check_shard(const method *m, const wsr__run *run)
{
    if (!is_divided(m)) {
        return WSR_OK;
    }
    if (m->p.released || wsr__measures_any(&m->p.measures)) {
        return WSR_FAIL(WSR_CONFIG,
                        "attack.shard: %s is measured of all images at once",
                        m->p.released ? "attack.fidelity=released"
                                      : "corruption.list or hessian.of");
    }
    return run->dir != NULL
               ? WSR_OK
               : WSR_FAIL(WSR_CONFIG, "attack.shard: a shard needs a folder, "
                                      "in which it stays for merging");
}

// An empty list of attacks is an error unless something else is measured.
static bool has_attacks(const method *m)
{
    return m->p.attack.list.s[0] != '\0' || !wsr__measures_any(&m->p.measures);
}

// All errors in options show before any file is read. `released` is decoded
// again, since a stored configuration may have been edited.
static wsr_status check_options(method *m, const wsr__run *run)
{
    wsr_status status = WSR_OK;
    wsr_eval *eval = NULL;
    WSR_TRY(need(&m->p.net.file, "net.file",
                 "the file of the network that is attacked"));
    WSR_TRY(
        need(&m->p.data.spec, "data.spec", "images, such as fashion-mnist"));
    WSR_TRY(check_save(m));
    WSR_TRY(wsr__eval_run_strengths(&m->p));
    m->p.measures.corruption.seed = m->super.common.seed;
    m->p.measures.hessian.seed = m->super.common.seed;
    WSR_TRY(wsr__measures_make(&m->measures, &m->p.measures));
    // Also where somebody wrote it into the configuration of a folder.
    m->p.released = wsr__streq(m->p.attack.fidelity.s, "released");
    WSR_TRY(check_shard(m, run));
    if (!m->p.released) {
        WSR_TRY(has_attacks(m) ? make_eval(&eval, m, run) : WSR_OK);
        WSR_TRY(check_array(m, eval));
    } else if (run->dir != NULL) {
        status = WSR_FAIL(WSR_CONFIG, "attack.fidelity: the released measure "
                                      "is shown alone, without a folder");
    }
out:
    wsr_eval_free(eval);
    return status;
}

// What looks into a network has nothing to look into where there is a program.
static wsr_status check_program(const method *m)
{
    const bool hessian = !wsr__streq(m->p.measures.hessian.of.s, "none");
    if (m->target.net != NULL || (!hessian && !m->p.released)) {
        return WSR_OK;
    }
    return WSR_FAIL(WSR_CONFIG,
                    "%s: needs the inside of the network, a program "
                    "gives logits alone",
                    hessian ? "hessian.of" : "attack.fidelity");
}

// Fewer classes than the network has are a mistake, but files in IDX format
// say nothing about their classes except by the labels that occur.
static wsr_status check_classes(const method *m)
{
    const size_t data = (size_t)wsr_dataset_classes(m->dataset);
    const size_t net = wsr_model_classes(m->target.model);
    return data == net || strncmp(m->p.data.spec.s, "idx:", 4) == 0
               ? WSR_OK
               : WSR_FAIL(WSR_ARG, "the data have %zu classes, the network %zu",
                          data, net);
}

static wsr_status open_eval(method *m, const wsr__run *run)
{
    wsr_status status = WSR_OK;
    wsr__needs_memory(&m->needs, "images", wsr__dataset_bytes(m->dataset));
    if (m->p.released || !has_attacks(m)) {
        return WSR_OK;
    }
    WSR_TRY(make_eval(&m->eval, m, run));
    WSR_TRY(wsr_eval_open(m->eval, m->target.model, m->dataset));
    if (m->source.model != NULL) {
        WSR_TRY(wsr_eval_transfer(m->eval, m->source.model));
    }
    WSR_TRY(wsr__eval_needs(&m->needs, m->eval, m->target.model));
out:
    return status;
}

static wsr_status prepare(void *self, const wsr__run *run, bool resume)
{
    wsr_status status = WSR_OK;
    method *const m = self;
    (void)resume;
    WSR_TRY(check_options(m, run));
    const int64_t batch = m->p.attack.settings.attack.batch;
    WSR_TRY(wsr__eval_target_open(&m->target, &m->p.net, batch));
    WSR_TRY(check_program(m));
    WSR_TRY(wsr__eval_target_open(&m->source, &m->p.source, batch));
    WSR_TRY(wsr__eval_open_data(&m->dataset, &m->p, m->target.model));
    WSR_TRY(check_classes(m));
    WSR_TRY(open_eval(m, run));
    WSR_TRY(wsr__measures_open(
        &m->needs, &m->measures, &m->p.measures,
        &(wsr__measured){m->target.net, m->target.model, m->dataset}));
out:
    return status;
}

static void needs(const void *self, wsr__needs *out)
{
    const method *const m = self;
    *out = m->needs;
}

// What the cells are made of, for a reader of the folder; the network's file
// holds it, too.
static wsr_status store(const void *self, const wsr__run *run)
{
    const method *const m = self;
    return m->target.net == NULL ? WSR_OK
                                 : wsr__run_store_cells(run, m->target.net);
}

static wsr_status describe(const void *self, wsr__json *line)
{
    const method *const m = self;
    char *text = NULL;
    const wsr_status status =
        wsr__eval_target_describe(&text, &m->target, m->p.net.file.s);
    if (status == WSR_OK) {
        wsr__json_text(line, "net", text);
        wsr__json_integer(line, "test_images",
                          (int64_t)wsr_dataset_count(m->dataset));
        if (is_divided(m)) {
            wsr__json_text(line, "shard", m->p.attack.settings.shard.s);
        }
    }
    wsr_text_free(text);
    return status;
}

static wsr_status save(const void *self, wsr__st_builder *builder)
{
    wsr_status status = WSR_OK;
    const method *const m = self;
    WSR_TRY(wsr__st_add_u64(builder, "stages", &m->stages_done, 1));
    if (m->eval != NULL) {
        WSR_TRY(wsr__eval_save_state(builder, m->eval));
    }
    WSR_TRY(wsr__measures_save(builder, &m->measures));
out:
    return status;
}

static wsr_status load(void *self, const wsr__st *checkpoint)
{
    wsr_status status = WSR_OK;
    method *const m = self;
    WSR_TRY(wsr__st_read_u64(&m->stages_done, checkpoint, "stages", 1));
    if (m->eval != NULL) {
        WSR_TRY(wsr__eval_load_state(m->eval, checkpoint));
    }
    WSR_TRY(wsr__measures_load(&m->measures, checkpoint));
out:
    return status;
}

// ------------------------------------------------------------------ results

// In an interrupted run: the images that all attacks are done with. Attacks
// see a batch in order, so the last one decides.
static wsr_status write_images(const method *m, const wsr__run *run)
{
    wsr_status status = WSR_OK;
    char *path = NULL;
    // The last attack is the last to see a batch.
    if (wsr_eval_count(m->eval, wsr_eval_attacks(m->eval) - 1) == 0) {
        return WSR_OK;
    }
    if (m->p.attack.save.s[0] != '\0') {
        WSR_TRY(wsr_eval_save_images(m->eval, 0, m->p.attack.save.s));
    }
    if (run->folder != NULL && m->p.attack.show > 0) {
        WSR_TRY(wsr__run_path(&path, run, "images.safetensors"));
        WSR_TRY(wsr_eval_save_images(m->eval, (size_t)m->p.attack.show, path));
    }
out:
    wsr__free(path);
    return status;
}

// Adds a text to another, and frees it.
static void join(wsr__str *out, char *text)
{
    wsr__str_add(out, text == NULL ? "" : text);
    wsr_text_free(text);
}

// The results of all stages so far.
static wsr_status write_jsonl(const method *m, const wsr__run *run)
{
    wsr_status status = WSR_OK;
    wsr__str all = {0};
    char *text = NULL;
    if (m->eval != NULL) {
        WSR_TRY(wsr_eval_json(&text, m->eval));
        join(&all, text);
    }
    WSR_TRY(wsr__measures_json(&text, &m->measures));
    join(&all, text);
    WSR_TRY(wsr__str_status(&all));
    WSR_TRY(wsr__run_write(run, "results.jsonl", all.s == NULL ? "" : all.s));
out:
    wsr__str_free(&all);
    return status;
}

// What became of each image, and accuracy at all strengths.
static wsr_status write_tables(const method *m, const wsr__run *run)
{
    wsr_status status = WSR_OK;
    char *csv = NULL;
    char *jsonl = NULL;
    char *text = NULL;
    WSR_TRY(wsr__run_path(&csv, run, "images.csv"));
    WSR_TRY(wsr__run_path(&jsonl, run, "images.jsonl"));
    WSR_TRY(wsr_eval_save_ledger(m->eval, csv, jsonl));
    WSR_TRY(wsr_eval_csv(&text, m->eval));
    WSR_TRY(wsr__run_write(run, "results.csv", text));
    wsr_text_free(text);
    WSR_TRY(wsr_eval_curves_csv(&text, m->eval));
    if (text[0] != '\0') {
        WSR_TRY(wsr__run_write(run, "curves.csv", text));
    }
out:
    wsr_text_free(text);
    wsr__free(csv);
    wsr__free(jsonl);
    return status;
}

// "cifar10" of "cifar10:/data/cifar.tar".
static wsr_status write_robustbench(const method *m, const wsr__run *run)
{
    wsr_status status = WSR_OK;
    wsr__str dataset = {0};
    char *architecture = NULL;
    char *entry = NULL;
    wsr__str_addn(&dataset, m->p.data.spec.s, strcspn(m->p.data.spec.s, ":"));
    WSR_TRY(wsr__str_status(&dataset));
    WSR_TRY(
        wsr__eval_target_describe(&architecture, &m->target, m->p.net.file.s));
    WSR_TRY(wsr__eval_robustbench(
        &entry, m->eval,
        &(wsr__robustbench_of){dataset.s == NULL ? "" : dataset.s,
                               architecture}));
    if (entry != NULL) {
        WSR_TRY(wsr__run_write(run, "robustbench.json", entry));
    }
out:
    wsr_text_free(entry);
    wsr_text_free(architecture);
    wsr__str_free(&dataset);
    return status;
}

static wsr_status write_here(const method *m, wsr__run *run)
{
    wsr_status status = WSR_OK;
    char *json = NULL;
    WSR_TRY(write_images(m, run));
    WSR_TRY(wsr_eval_json(&json, m->eval));
    if (run->folder != NULL) {
        WSR_TRY(write_jsonl(m, run));
        WSR_TRY(write_tables(m, run));
        WSR_TRY(is_divided(m) ? WSR_OK : write_robustbench(m, run));
    }
    WSR_TRY(wsr__run_log_text(run->log, json));
out:
    wsr_text_free(json);
    return status;
}

// Of several processes the first one has the files.
static wsr_status write_results(const method *m, wsr__run *run)
{
    return wsr__comm_agree(wsr_comm_rank() == 0 ? write_here(m, run) : WSR_OK);
}

// Keeps what was measured before a failure. The checkpoint is written first: a
// resumed run then drops the log lines of these partial results.
static wsr_status keep_part(wsr_status failure, const method *m, wsr__run *run)
{
    wsr_status status = WSR_OK;
    char reason[512];
    if (wsr_eval_position(m->eval) == 0 && failure != WSR_CANCELED) {
        return failure;
    }
    (void)snprintf(reason, sizeof(reason), "%s", wsr_error_detail());
    WSR_TRY(wsr__run_checkpoint(run));
    if (wsr_eval_position(m->eval) > 0) {
        WSR_TRY(write_results(m, run));
    }
out:
    return status == WSR_OK
               ? WSR_FAIL(failure, "%s", reason)
               : WSR_FAIL(failure, "%s (and its results could not be kept)",
                          reason);
}

// ------------------------------------------------------------------- stages

static wsr_status save_run(void *run)
{
    return wsr__run_checkpoint(run);
}

// One line a strength. The released measure has no outcome per image.
static wsr_status log_released(const method *m, wsr__run *run)
{
    wsr_status status = WSR_OK;
    for (size_t e = 0; e < m->p.n_eps; e++) {
        wsr__json *line = NULL;
        WSR_TRY(wsr__run_log_begin(&line, run->log, "released"));
        wsr__json_text(line, "attack", "pgd");
        wsr__json_text(line, "norm", "linf");
        wsr__json_text(line, "fidelity", "released");
        wsr__json_float(line, "eps", m->p.eps[e]);
        wsr__json_number(line, "robust_accuracy", m->accuracy[e]);
        WSR_TRY(wsr__run_log_end(run->log));
    }
out:
    return status;
}

// This measure runs at one go: it saves no part, so a resumed run repeats it.
static wsr_status evaluate_released(method *m, wsr__run *run)
{
    wsr_status status = WSR_OK;
    m->p.released_params.run = run;
    WSR_TRY(wsr__eval_measure_released(m->accuracy, m->target.net, m->dataset,
                                       m->p.eps, m->p.n_eps,
                                       &m->p.released_params));
    WSR_TRY(log_released(m, run));
out:
    return status;
}

// The checkpoint comes first: a resumed run has the rows then.
static wsr_status merge(method *m, wsr__run *run)
{
    wsr_status status = WSR_OK;
    const wsr__eval_params params = params_of(m, run);
    WSR_TRY(wsr__eval_merge(m->eval, &params, run->more));
    WSR_TRY(wsr__run_checkpoint(run));
    WSR_TRY(write_results(m, run));
out:
    return status;
}

static wsr_status evaluate(void *self, wsr__run *run)
{
    method *const m = self;
    if (m->p.released) {
        return evaluate_released(m, run);
    }
    if (m->eval != NULL && run->more != NULL) {
        return merge(m, run);
    }
    if (m->eval == NULL || m->stages_done > 0) {
        return WSR_OK;
    }
    const wsr_status status = wsr__eval_walk(m->eval, run, save_run, run);
    return status == WSR_OK ? write_results(m, run) : keep_part(status, m, run);
}

// The checkpoint between two stages keeps the results of the first in the log
// of a resumed run.
static wsr_status begin_stage(method *m, wsr__run *run, uint64_t stage)
{
    if (m->stages_done >= stage) {
        return WSR_OK;
    }
    m->stages_done = stage;
    return wsr__run_checkpoint(run);
}

// Stage 1 is the first measure.
static wsr_status measure_stage(method *m, wsr__run *run, size_t i)
{
    wsr_status status = WSR_OK;
    const uint64_t stage = i + 1;
    if (m->measures.list[i].self == NULL || m->stages_done > stage) {
        return WSR_OK;
    }
    WSR_TRY(begin_stage(m, run, stage));
    WSR_TRY(wsr__measure_run(&m->measures.list[i], run));
    WSR_TRY(write_jsonl(m, run));
out:
    return status;
}

static wsr_status corruption_stage(void *self, wsr__run *run)
{
    return measure_stage(self, run, WSR__CORRUPTION);
}

static wsr_status hessian_stage(void *self, wsr__run *run)
{
    return measure_stage(self, run, WSR__HESSIAN);
}

// Passes of images through the network and back.
static void work(const void *self, double *out)
{
    const method *const m = self;
    out[0] = m->eval != NULL ? wsr__eval_passes(m->eval) : 0;
    if (m->p.released) {
        out[0] = (double)m->p.n_eps * (double)m->p.released_params.steps *
                 (double)wsr_dataset_count(m->dataset);
    }
    wsr__measures_passes(out + 1, &m->measures);
}

// Whether a step of any stage is done.
static bool measured(const method *m)
{
    return (m->eval != NULL && wsr_eval_position(m->eval) > 0) ||
           wsr__measures_begun(&m->measures);
}

// Moves everything into the result; the method keeps nothing to free.
static wsr_status result(wsr_result **out, void *self, bool failed)
{
    wsr_status status = WSR_OK;
    method *const m = self;
    if (failed && !measured(m)) {
        return WSR_OK;
    }
    WSR_TRY(wsr__result_new(out));
    wsr_result *const r = *out;
    *r = (wsr_result){.net = m->target.net,
                      .evaluated = {m->eval, m->target.model},
                      .dataset = m->dataset,
                      .source_net = m->source.net,
                      .source = m->source.model,
                      .corruptions = m->measures.list[WSR__CORRUPTION].self,
                      .hessian = m->measures.list[WSR__HESSIAN].self,
                      .n_released = m->p.released ? m->p.n_eps : 0};
    memcpy(r->eps, m->p.eps, sizeof(r->eps));
    memcpy(r->released, m->accuracy, sizeof(r->released));
    m->target = m->source = (wsr__eval_target){0};
    m->eval = NULL;
    m->measures = (wsr__measures){0};
    m->dataset = NULL;
out:
    return status;
}

static void release(void *self)
{
    method *const m = self;
    wsr__measures_free(&m->measures);
    wsr_eval_free(m->eval);
    wsr_dataset_free(m->dataset);
    wsr__eval_target_free(&m->source);
    wsr__eval_target_free(&m->target);
}

static const wsr__run_stage stages[] = {evaluate, corruption_stage,
                                        hessian_stage, NULL};
static const char *const stage_names[] = {"eval", "corruption", "hessian"};

// Files that the run may write, which a resumed run must be able to replace.
static const char *const files[] = {
    "config.yaml",      "log.jsonl",    "checkpoint.safetensors",
    "results.jsonl",    "results.csv",  "images.safetensors",
    "images.csv",       "images.jsonl", "curves.csv",
    "robustbench.json", "report.html",  NULL};

// Families that --help lists, because option values name their members.
static const wsr__family *const families[] = {&wsr__attacks, &wsr__datasets,
                                              &wsr__corruptions, NULL};

static const wsr__run_class evaluation = {
    .tool = "attack",
    .size = sizeof(method),
    .n_sections = WSR__EVAL_RUN_SECTIONS,
    .no_folder = true,
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

wsr_status wsr_eval_run(wsr_result **result, const wsr_config *config,
                        const char *dir, bool resume, wsr_progress_hook hook,
                        void *user)
{
    const wsr__run_request request = {config, dir, resume, hook, user, NULL};
    return wsr__run_execute(result, &evaluation, &request);
}

// The configuration of the first shard, with what is given now; the whole is no
// shard, and a file of the shard's is not to be replaced.
static wsr_status config_of_merge(wsr_config **out, const char *dir,
                                  const wsr_config *given)
{
    wsr_status status = WSR_OK;
    wsr_config *config = NULL;
    char *const path = wsr__path_join(dir, "config.yaml");
    *out = NULL;
    if (path == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(wsr_config_new(&config));
    WSR_TRY(wsr_config_load(config, path));
    WSR_TRY(wsr_config_put(config, "attack.save", "", "merge"));
    for (size_t i = 0; given != NULL && i < wsr_config_count(given); i++) {
        WSR_TRY(wsr_config_put(config, wsr_config_key(given, i),
                               wsr_config_value(given, i),
                               wsr_config_where(given, i)));
    }
    WSR_TRY(wsr_config_put(config, "attack.shard", "1/1", "merge"));
    *out = config;
    config = NULL;
out:
    wsr_config_free(config);
    wsr__free(path);
    return status;
}

wsr_status wsr_eval_merge(wsr_result **result, const char *const *shards,
                          size_t n, const wsr_config *config, const char *dir)
{
    wsr_status status = WSR_OK;
    const wsr__merge of = {shards, n};
    wsr_config *whole = NULL;
    if (result != NULL) {
        *result = NULL;
    }
    if (n == 0) {
        return WSR_FAIL(WSR_ARG, "merge: there are no shards");
    }
    WSR_TRY(config_of_merge(&whole, shards[0], config));
    const wsr__run_request request = {.config = whole, .dir = dir, .more = &of};
    WSR_TRY(wsr__run_execute(result, &evaluation, &request));
out:
    wsr_config_free(whole);
    return status;
}

wsr_status wsr_eval_cost(wsr_cost *cost, const wsr_config *config,
                         wsr_progress_hook hook, void *user)
{
    return wsr__run_cost(cost, &evaluation, config, hook, user);
}

wsr_status wsr_eval_help(char **out, const char *topic)
{
    return wsr__run_help(out, &evaluation, topic);
}
