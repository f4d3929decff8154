// SPDX-License-Identifier: Apache-2.0
//
// The evaluation at the end of a training or a search: accuracy under attacks
// over strengths, with frozen running statistics. Its results go to the log.
//
// The state of the evaluation is in a file of its own beside the run's
// checkpoint: it grows at other times than the checkpoint, which does not
// refer to it.

#include "eval/eval.h"

#include <string.h>

static const char file_name[] = "eval.safetensors";

#define AT(field) offsetof(wsr__eval_stage_params, field)

const wsr__option wsr__eval_stage_schema[] = {
    {"attack", WSR__TEXT, AT(attack), "pgd:steps=20", 0, 0, "",
     "attacks, \"fgsm,pgd:steps=20\"; empty: no evaluation", NULL},
    {"eps", WSR__FLOATS, AT(eps),
     "[0.03,0.045,0.06,0.075,0.09,0.105,0.17,0.25]", 0, 100, "", "strengths",
     NULL},
    {"count", WSR__INT, AT(count), "256", 0, 1e9, "images",
     "first images of the test split, 0: all", NULL},
    {"batch", WSR__INT, AT(batch), "64", 1, 65536, "images", "at once at most",
     NULL},
    {0},
};

// An evaluation of the first `count` images, 0: all.
static wsr_status make_eval(wsr_eval **out,
                            const wsr__eval_stage_params *params, size_t count,
                            uint64_t seed)
{
    float eps[WSR__LIST_SIZE];
    wsr__eval_params made;
    wsr__eval_params_default(&made);
    for (size_t i = 0; i < params->eps.n; i++) {
        eps[i] = (float)params->eps.v[i];
    }
    made.attacks = params->attack.s;
    made.eps = eps;
    made.n_eps = params->eps.n;
    made.settings.count = (int64_t)count;
    made.settings.attack.seed = (int64_t)seed;
    return wsr__eval_make(out, &made);
}

// Makes the evaluation once, so that an error in its options shows before
// training.
wsr_status wsr__eval_stage_check(const wsr__eval_stage_params *params)
{
    wsr_eval *eval = NULL;
    if (params->attack.s[0] == '\0') {
        return WSR_OK;
    }
    const wsr_status status = make_eval(&eval, params, 0, 0);
    wsr_eval_free(eval);
    return status;
}

// The option `count` may exceed the number of test images here: presets serve
// small data sets, too.
static wsr_status open_eval(wsr_eval **out, wsr_model *model,
                            const wsr__eval_stage_of *of,
                            const wsr__eval_stage_params *params)
{
    wsr_status status = WSR_OK;
    const size_t have = wsr_dataset_count(of->test);
    const size_t want = (size_t)params->count;
    WSR_TRY(make_eval(out, params, want < have ? want : have, of->seed));
    WSR_TRY(wsr_eval_open(*out, model, of->test));
out:
    return status;
}

// The number of passes that the evaluation needs, for the division of
// progress; the network is untrained yet.
wsr_status wsr__eval_stage_prepare(double *work, const wsr__eval_stage_of *of,
                                   const wsr__eval_stage_params *params)
{
    wsr_status status = WSR_OK;
    wsr_model *model = NULL;
    wsr_eval *eval = NULL;
    *work = 0;
    if (params->attack.s[0] == '\0') {
        return WSR_OK;
    }
    WSR_TRY(wsr_model_from_net(&model, of->net, (size_t)params->batch));
    WSR_TRY(open_eval(&eval, model, of, params));
    *work = wsr__eval_passes(eval);
out:
    wsr_eval_free(eval);
    wsr_model_free(model);
    return status == WSR_OK ? status : wsr__fail_at(status, "eval");
}

static bool seed_with_logits(void *ctx, size_t row, float *dz, const float *z)
{
    const size_t *const classes = ctx;
    (void)row;
    memcpy(dz, z, *classes * sizeof(*dz));
    return true;
}

// Seconds of a pass of a batch forward and back, after one that warms up.
static wsr_status time_pass(double *seconds, wsr_model *model, float *x,
                            float *logits)
{
    enum { PASSES = 3 };
    wsr_status status = WSR_OK;
    double begin = 0;
    const wsr__rows all = {.n = model->batch};
    const wsr__model_seed seed = {seed_with_logits, &model->classes};
    for (size_t i = 0; i <= PASSES; i++) {
        begin = i == 1 ? wsr__seconds() : begin;
        WSR_TRY(model->cls->gradient(model, x, logits, x, &all, &seed));
    }
    *seconds = (wsr__seconds() - begin) / PASSES;
out:
    return status;
}

wsr_status wsr__eval_stage_seconds(double *seconds,
                                   const wsr__eval_stage_of *of,
                                   const wsr__eval_stage_params *params,
                                   double passes)
{
    wsr_status status = WSR_OK;
    wsr_model *model = NULL;
    float *x = NULL;
    float *logits = NULL;
    double batch = 0;
    *seconds = 0;
    if (params->attack.s[0] == '\0') {
        return WSR_OK;
    }
    WSR_TRY(wsr_model_from_net(&model, of->net, (size_t)params->batch));
    const size_t n = model->batch;
    x = wsr__alloc(n * (size_t)model->pixels, sizeof(*x));
    logits = wsr__alloc(n * model->classes, sizeof(*logits));
    if (x == NULL || logits == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(time_pass(&batch, model, x, logits));
    *seconds = passes * batch / (double)n;
out:
    wsr__free(x);
    wsr__free(logits);
    wsr_model_free(model);
    return status;
}

// Path of the file, NULL for a run without a folder: it keeps nothing.
static wsr_status path_of(char **path, const wsr__run *run)
{
    *path = NULL;
    return run->folder == NULL ? WSR_OK : wsr__run_path(path, run, file_name);
}

// Without a file the evaluation begins. A file that does not fit is not an
// error: the network can always be evaluated again.
static wsr_status take_up(wsr_eval *eval, const char *path, const char *instead)
{
    if (path == NULL || !wsr__file_exists(path)) {
        return WSR_OK;
    }
    const wsr_status status = wsr_eval_resume(eval, path);
    if (status == WSR_OK || status == WSR_NOMEM) {
        return status;
    }
    wsr__log(WSR_LOG_WARNING, "%s; %s", wsr_error_detail(), instead);
    return WSR_OK;
}

// Of several processes the first one has the files.
static wsr_status keep(const wsr_eval *eval, const char *path)
{
    return wsr__comm_agree(path == NULL || wsr_comm_rank() != 0
                               ? WSR_OK
                               : wsr_eval_save(eval, path));
}

// The results so far, as lines of the log.
static wsr_status log_results(wsr__run *run, const wsr_eval *eval)
{
    char *lines = NULL;
    wsr_status status = wsr_eval_json(&lines, eval);
    if (status == WSR_OK) {
        status = wsr__run_log_text(run->log, lines);
    }
    wsr_text_free(lines);
    return status;
}

// A failure keeps what was measured before it, in the file for the run that
// goes on and in the log for the reader; it remains the failure of the whole.
static wsr_status keep_part(wsr_status status, const wsr_eval *eval,
                            wsr__run *run, const char *path)
{
    char reason[512];
    (void)snprintf(reason, sizeof(reason), "%s", wsr_error_detail());
    const wsr_status saved = keep(eval, path);
    if (status == WSR_CANCELED) {
        return saved == WSR_OK ? status : saved;
    }
    const wsr_status logged = log_results(run, eval);
    return saved == WSR_OK && logged == WSR_OK
               ? WSR_FAIL(status, "%s", reason)
               : WSR_FAIL(status, "%s (and its results could not be kept)",
                          reason);
}

// Where the part that is done is saved.
typedef struct saver {
    const wsr_eval *eval;
    const char *path;
} saver;

static wsr_status save_part(void *ctx)
{
    const saver *const s = ctx;
    return s->path == NULL ? WSR_OK : wsr_eval_save(s->eval, s->path);
}

// All steps that are left, with progress between them.
static wsr_status walk(wsr_eval *eval, wsr__run *run, const char *path)
{
    saver s = {eval, path};
    const wsr_status status = wsr__eval_walk(eval, run, save_part, &s);
    return status == WSR_OK ? status : keep_part(status, eval, run, path);
}

void wsr__evaluated_free(wsr__evaluated *evaluated)
{
    wsr_eval_free(evaluated->eval);
    wsr_model_free(evaluated->model);
    *evaluated = (wsr__evaluated){0};
}

static wsr_status open_stage(wsr__evaluated *out, const wsr__eval_stage_of *of,
                             const wsr__eval_stage_params *params)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr_model_from_net(&out->model, of->net, (size_t)params->batch));
    WSR_TRY(open_eval(&out->eval, out->model, of, params));
out:
    return status;
}

wsr_status wsr__eval_stage_run(wsr__evaluated *out, wsr__run *run,
                               const wsr__eval_stage_of *of,
                               const wsr__eval_stage_params *params)
{
    wsr_status status = WSR_OK;
    char *path = NULL;
    if (params->attack.s[0] == '\0') {
        return WSR_OK;
    }
    WSR_TRY(path_of(&path, run));
    WSR_TRY(open_stage(out, of, params));
    WSR_TRY(wsr__comm_agree(
        wsr_comm_rank() != 0
            ? WSR_OK
            : take_up(out->eval, path, "the evaluation begins anew")));
    WSR_TRY(walk(out->eval, run, path));
    WSR_TRY(keep(out->eval, path));
    WSR_TRY(wsr__comm_agree(log_results(run, out->eval)));
out:
    wsr__free(path);
    return status;
}

// The evaluation of a complete run, from its file; without a complete one
// there is no evaluation in the result, but its numbers are in the log.
wsr_status wsr__eval_stage_restore(wsr__evaluated *out, const wsr__run *run,
                                   const wsr__eval_stage_of *of,
                                   const wsr__eval_stage_params *params)
{
    wsr_status status = WSR_OK;
    char *path = NULL;
    if (params->attack.s[0] == '\0') {
        return WSR_OK;
    }
    WSR_TRY(path_of(&path, run));
    WSR_TRY(open_stage(out, of, params));
    WSR_TRY(take_up(out->eval, path, "its numbers are in the log"));
    if (wsr_eval_position(out->eval) < wsr_eval_steps(out->eval)) {
        wsr__evaluated_free(out);
    }
out:
    wsr__free(path);
    return status;
}
