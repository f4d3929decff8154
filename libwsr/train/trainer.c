// SPDX-License-Identifier: Apache-2.0
//
// Training step by step for callers: wsr_trainer is a wsr__training without
// the folder, log and configuration of a run, and with the curves that a run
// writes to its log.

#include "train/train.h"

#include <math.h>
#include <string.h>

enum { CURVES = WSR_TRAIN_TEST_ROBUST + 1, DRAWN = 2 };

static const char prefix[] = "train.";
static const char curves_name[] = "curves";
static const char drawn_name[] = "drawn";

struct wsr_trainer {
    wsr__training *training;
    wsr__run run;   // without a folder: who watches
    double *curves; // (all epochs, CURVES), those that are done
};

// Options that only runs use are errors here: ignoring them would mislead.
static wsr_status check_options(const wsr__train_params *params)
{
    wsr__train_params usual;
    wsr__params_default(&usual, wsr__train_schema);
    const char *const key = params->log_every != usual.log_every ? "log_every"
                            : params->save_every != usual.save_every
                                ? "save_every"
                            : params->init.s[0] != '\0' ? "init"
                                                        : NULL;
    return key == NULL
               ? WSR_OK
               : WSR_FAIL(WSR_CONFIG,
                          "train.%s: is an option of runs, a trainer has none",
                          key);
}

// Plans are compiled here, so that a lack of memory shows before the first
// step.
wsr_status wsr_trainer_new(wsr_trainer **out, wsr_net *net,
                           const wsr_dataset *train, const wsr_dataset *test,
                           const char *options, uint64_t seed)
{
    wsr_status status = WSR_OK;
    wsr__train_params params;
    const wsr__training_of of = {net, train, test, seed};
    wsr_trainer *trainer = wsr__alloc(1, sizeof(*trainer));
    *out = NULL;
    if (trainer == NULL) {
        return WSR_NOMEM;
    }
    wsr__params_default(&params, wsr__train_schema);
    WSR_TRY(wsr__params_parse(&params, wsr__train_schema, "train.",
                              options == NULL ? "" : options));
    WSR_TRY(check_options(&params));
    trainer->curves =
        wsr__alloc((size_t)params.epochs, CURVES * sizeof(*trainer->curves));
    if (trainer->curves == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(wsr__train_divide(&params));
    WSR_TRY(wsr__training_new(&trainer->training, &of, &params));
    WSR_TRY(wsr__training_prepare(trainer->training));
    *out = trainer;
    trainer = NULL;
out:
    wsr_trainer_free(trainer);
    return status;
}

void wsr_trainer_free(wsr_trainer *trainer)
{
    if (trainer != NULL) {
        wsr__training_free(trainer->training);
        wsr__free(trainer->curves);
        wsr__free(trainer);
    }
}

void wsr_trainer_set_loss(wsr_trainer *trainer, wsr_loss_fn loss, void *user)
{
    trainer->training->loss_fn = loss;
    trainer->training->loss_user = user;
}

void wsr_trainer_set_hook(wsr_trainer *trainer, wsr_progress_hook hook,
                          void *user)
{
    trainer->run.hook = hook;
    trainer->run.user = user;
}

// ------------------------------------------------------------------- curves

// Numbers of the current epoch; those of the validation are NaN until it is
// done.
static void curves_of(double out[CURVES], const wsr__training *t)
{
    const wsr__epoch epoch = wsr__training_epoch(t);
    out[WSR_TRAIN_LR] = epoch.lr;
    out[WSR_TRAIN_LOSS] = epoch.loss;
    out[WSR_TRAIN_ACCURACY] = epoch.accuracy;
    out[WSR_TRAIN_CLEAN_ACCURACY] = epoch.clean_accuracy;
    out[WSR_TRAIN_TEST_CLEAN] = nan("");
    out[WSR_TRAIN_TEST_ROBUST] = nan("");
}

// Complete epochs are in `curves`; the current one is in the sums of the
// training.
double wsr_trainer_get(const wsr_trainer *trainer, size_t epoch,
                       wsr_train_curve curve)
{
    const wsr__training *const t = trainer->training;
    double now[CURVES];
    if ((size_t)curve >= CURVES || epoch > t->epoch ||
        (epoch == t->epoch && t->batch == 0)) {
        return nan("");
    }
    if (epoch < t->epoch) {
        return trainer->curves[epoch * CURVES + (size_t)curve];
    }
    curves_of(now, t);
    return now[curve];
}

// -------------------------------------------------------------------- steps

// A stop in the validation leaves batch == batches: the next call validates
// again, and from the start.
static wsr_status end_epoch(wsr_trainer *trainer)
{
    wsr_status status = WSR_OK;
    wsr__training *const t = trainer->training;
    wsr__validation validation = {-1, -1};
    double now[CURVES];
    WSR_TRY(wsr__training_validate(&validation, t, &trainer->run));
    curves_of(now, t);
    if (validation.clean >= 0) {
        now[WSR_TRAIN_TEST_CLEAN] = validation.clean;
        now[WSR_TRAIN_TEST_ROBUST] = validation.robust;
    }
    memcpy(trainer->curves + t->epoch * CURVES, now, sizeof(now));
    WSR_TRY(wsr__training_next_epoch(t));
out:
    return status;
}

// A call that finds batch == batches was stopped in the validation: it only
// validates.
wsr_status wsr_trainer_step(wsr_trainer *trainer)
{
    wsr_status status = WSR_OK;
    wsr__training *const t = trainer->training;
    trainer->run.canceled = false;
    if (wsr_trainer_done(trainer)) {
        return WSR_FAIL(WSR_ARG, "train: all %zu epochs are done", t->epoch);
    }
    if (t->batch < t->batches) {
        WSR_TRY(wsr__training_step(t));
        WSR_TRY(wsr__training_report(t, &trainer->run));
    }
    if (t->batch == t->batches) {
        WSR_TRY(end_epoch(trainer));
    }
out:
    return status;
}

wsr_status wsr_trainer_epoch(wsr_trainer *trainer)
{
    const size_t epoch = trainer->training->epoch;
    wsr_status status = WSR_OK;
    do {
        status = wsr_trainer_step(trainer);
    } while (status == WSR_OK && trainer->training->epoch == epoch);
    return status;
}

bool wsr_trainer_done(const wsr_trainer *trainer)
{
    const wsr__training *const t = trainer->training;
    return t->epoch >= (size_t)t->params.epochs;
}

size_t wsr_trainer_epochs(const wsr_trainer *trainer)
{
    return trainer->training->epoch;
}

size_t wsr_trainer_steps(const wsr_trainer *trainer)
{
    return trainer->training->batch;
}

size_t wsr_trainer_epoch_steps(const wsr_trainer *trainer)
{
    return trainer->training->batches;
}

void wsr_trainer_keep_best(wsr_trainer *trainer)
{
    wsr__training_finish(trainer->training);
}

// -------------------------------------------------------------------- files

// Curves of complete epochs only: those of the current one follow from the
// sums.
wsr_status wsr_trainer_save(const wsr_trainer *trainer, const char *path)
{
    wsr_status status = WSR_OK;
    const wsr__training *const t = trainer->training;
    const uint64_t drawn[DRAWN] = {t->of.seed, (uint64_t)t->params.batch};
    wsr__st_builder *builder = NULL;
    WSR_TRY(wsr__st_builder_new(&builder));
    WSR_TRY(wsr__st_add_u64(builder, drawn_name, drawn, DRAWN));
    WSR_TRY(wsr__st_add_f64(builder, curves_name, trainer->curves,
                            t->epoch * CURVES));
    WSR_TRY(wsr__training_save(t, builder, prefix));
    WSR_TRY(wsr__checkpoint_save(builder, path));
out:
    wsr__st_builder_free(builder);
    return status;
}

// Seed and batch size determine which images a batch holds, so they must be
// the same.
static wsr_status check_drawn(const wsr__training *t, const wsr__st *st)
{
    static const char *const names[DRAWN] = {"seed", "batches of"};
    uint64_t stored[DRAWN];
    const uint64_t own[DRAWN] = {t->of.seed, (uint64_t)t->params.batch};
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__st_read_u64(stored, st, drawn_name, DRAWN));
    for (size_t i = 0; i < DRAWN; i++) {
        if (stored[i] != own[i]) {
            return WSR_FAIL(
                WSR_FORMAT, "%s: is of a training with %s %llu, not %llu",
                wsr__st_path(st), names[i], (unsigned long long)stored[i],
                (unsigned long long)own[i]);
        }
    }
out:
    return status;
}

// The curves of the epochs that the file's training has done.
static wsr_status stage_curves(double **out, const wsr__training *t,
                               const wsr__st *st)
{
    wsr_status status = WSR_OK;
    size_t epochs = 0;
    double *curves = NULL;
    *out = NULL;
    WSR_TRY(wsr__training_stored(&epochs, t, st, prefix));
    curves = wsr__alloc((size_t)t->params.epochs, CURVES * sizeof(*curves));
    if (curves == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(wsr__st_read_f64(curves, st, curves_name, epochs * CURVES));
    *out = curves;
    curves = NULL;
out:
    wsr__free(curves);
    return status;
}

// All that can fail comes before the first change.
wsr_status wsr_trainer_load(wsr_trainer *trainer, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__training *const t = trainer->training;
    wsr__st *st = NULL;
    double *curves = NULL;
    WSR_TRY(wsr__checkpoint_load(&st, path));
    WSR_TRY(check_drawn(t, st));
    WSR_TRY(stage_curves(&curves, t, st));
    WSR_TRY(wsr__training_load(t, st, prefix));
    wsr__free(trainer->curves);
    trainer->curves = curves;
    curves = NULL;
out:
    wsr__free(curves);
    wsr__st_free(st);
    return status;
}
