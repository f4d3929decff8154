// SPDX-License-Identifier: Apache-2.0
//
// Training of a network: what is made once, and the step.
//
// The trainers (natural.c, madry.c, ...) do the work of a step on a batch;
// training_state.c has the checkpoint, validate.c the validation. Runs
// (loop.c) and callers (trainer.c) loop over steps and epochs.
//
// The plans of training and attack share an arena, since they run in turn:
// memory is that of the larger plan, not of both. There are two pairs of
// plans, for a whole batch and for the smaller last one.

#include "train/train.h"

#include <math.h>

// ---------------------------------------------------------------- lifetime

// The loader's options are some of the training's; it has the same seed.
static wsr_status make_loader(wsr__training *t)
{
    wsr__loader_params params;
    wsr__params_default(&params, wsr__loader_schema);
    params.batch = t->params.batch;
    params.drop_last = t->params.drop_last;
    params.augment = t->params.augment;
    params.repeats = t->params.repeats;
    params.workers = t->params.workers;
    params.seed = (int64_t)t->of.seed;
    wsr_status status = wsr__loader_make(&t->loader, t->of.train, &params);
    if (status == WSR_OK) {
        t->batches = wsr_loader_batches(t->loader);
    }
    return status;
}

// Compares images after augmentation, (c, h, w), with those of the network,
// (1, c, h, w).
wsr_status wsr__images_fit(const wsr_loader *loader, const wsr_dataset *data,
                           const wsr_net *net)
{
    const wsr_shape *const a = wsr_loader_shape(loader);
    const wsr_shape *const b = wsr_net_image(net);
    if (wsr_shape_count(a) != wsr_shape_count(b) || a->dims[0] != b->dims[1] ||
        a->dims[1] != b->dims[2]) {
        char have[96];
        char want[96];
        wsr__shape_print(have, a);
        wsr__shape_print(want, b);
        return WSR_FAIL(WSR_SHAPE,
                        "data: images have shape %s, the network takes %s",
                        have, want);
    }
    if ((size_t)wsr_dataset_classes(data) > wsr_net_classes(net)) {
        return WSR_FAIL(WSR_ARG, "the data have %lld classes, the network %zu",
                        (long long)wsr_dataset_classes(data),
                        wsr_net_classes(net));
    }
    return WSR_OK;
}

// Makes the attack of validations once, so that an error in its spec shows
// before training.
static wsr_status check_attack(const wsr__training *t)
{
    wsr_eval *eval = NULL;
    const wsr_status status =
        wsr_eval_new(&eval, t->params.eval_attack.s, NULL);
    wsr_eval_free(eval);
    return status;
}

// The training graph may have an auxiliary classifier and drop-path masks; the
// graph for attacks has neither.
static wsr_status make_parts(wsr__training *t)
{
    wsr_status status = WSR_OK;
    const wsr__class *cls = NULL;
    WSR_TRY(wsr__class_spec(&cls, &t->options, &wsr__trainers,
                            t->params.trainer.s));
    t->trainer = (const wsr__trainer_class *)(const void *)cls;
    WSR_TRY(wsr_optim_new(&t->optim, wsr_net_params(t->of.net),
                          t->params.optimizer.s));
    WSR_TRY(wsr__optim_reserve(t->optim));
    WSR_TRY(wsr_sched_new(&t->sched, t->params.schedule.s));
    WSR_TRY(check_attack(t));
    WSR_TRY(make_loader(t));
    WSR_TRY(wsr__images_fit(t->loader, t->of.train, t->of.net));
    WSR_TRY(wsr_net_graph(&t->graph, t->of.net, true));
    if (t->trainer->attack != NULL) {
        WSR_TRY(wsr_net_graph(&t->attack_graph, t->of.net, false));
    }
out:
    return status;
}

// An array of floats that not every training wants.
static wsr_status want(float **out, bool wanted, size_t floats)
{
    if (wanted) {
        *out = wsr__alloc(floats, sizeof(**out));
    }
    return wanted && *out == NULL ? WSR_NOMEM : WSR_OK;
}

// What trainers use from batch to batch; `image` is the size of one.
static wsr_status make_trainer_room(wsr__training *t, size_t image)
{
    wsr_status status = WSR_OK;
    const size_t n = (size_t)t->params.batch;
    const bool attacks = t->trainer->attack != NULL;
    t->adv_labels = wsr__alloc(n, sizeof(*t->adv_labels));
    if (t->adv_labels == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(want(&t->logits, attacks, n * wsr_net_classes(t->of.net)));
    if (t->trainer->open != NULL) {
        WSR_TRY(t->trainer->open(&t->own, t->options, &t->of, n));
    }
    if (t->trainer->state != NULL) {
        t->states = t->trainer->state(t->options, t->own, n, image);
        WSR_TRY(want(&t->state, true, t->states));
    }
out:
    return status;
}

// What is as large as the parameters.
static wsr_status make_copies(wsr__training *t)
{
    wsr_status status = WSR_OK;
    const wsr_params *const params = wsr_net_params(t->of.net);
    const bool perturbs = t->params.awp > 0;
    WSR_TRY(want(&t->best, !wsr__streq(t->params.keep.s, "last"), t->floats));
    WSR_TRY(want(&t->average, wsr__training_averages(t), t->floats));
    WSR_TRY(want(&t->awp.before, perturbs, t->floats));
    WSR_TRY(want(&t->awp.moved, perturbs, t->floats));
    WSR_TRY(want(&t->awp.stats, perturbs, wsr__stats_copy(NULL, params) + 1));
out:
    return status;
}

static wsr_status check_averages(const wsr__train_params *params)
{
    return params->ema > 0 && params->swa > 0
               ? WSR_FAIL(WSR_CONFIG,
                          "train.ema: %g and train.swa: %lld are two averages, "
                          "a training has one",
                          params->ema, (long long)params->swa)
               : WSR_OK;
}

// x_adv (batch, c, h, w).
static wsr_status make_room(wsr__training *t)
{
    wsr_status status = WSR_OK;
    const size_t image = (size_t)wsr_shape_count(wsr_net_image(t->of.net));
    const wsr_params *const params = wsr_net_params(t->of.net);
    WSR_TRY(want(&t->x_adv, true, (size_t)t->params.batch * image));
    WSR_TRY(make_trainer_room(t, image));
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        t->floats += (size_t)wsr__params_at(params, i)->count;
    }
    WSR_TRY(make_copies(t));
out:
    return status;
}

wsr_status wsr__training_new(wsr__training **out, const wsr__training_of *of,
                             const wsr__train_params *params)
{
    wsr_status status = WSR_OK;
    wsr__training *t = wsr__alloc(1, sizeof(*t));
    *out = NULL;
    if (t == NULL) {
        return WSR_NOMEM;
    }
    t->of = *of;
    t->phase = "train";
    t->params = *params;
    t->best_value = -1;
    WSR_TRY(check_averages(params));
    WSR_TRY(make_parts(t));
    WSR_TRY(make_room(t));
    *out = t;
    t = NULL;
out:
    wsr__training_free(t);
    return status;
}

void wsr__training_free(wsr__training *training)
{
    wsr__training *const t = training;
    if (t == NULL) {
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        wsr_plan_free(t->pairs[i].train);
        wsr_plan_free(t->pairs[i].second);
        wsr_plan_free(t->pairs[i].attack);
    }
    wsr__arena_free(&t->arena);
    wsr__arena_free(&t->second_arena);
    wsr_graph_free(t->graph);
    wsr_graph_free(t->attack_graph);
    wsr_model_free(t->eval_model);
    wsr_loader_free(t->loader);
    wsr_sched_free(t->sched);
    wsr_optim_free(t->optim);
    if (t->own != NULL) {
        t->trainer->close(t->own);
    }
    wsr__free(t->options);
    wsr__free(t->x_adv);
    wsr__free(t->logits);
    wsr__free(t->state);
    wsr__free(t->adv_labels);
    wsr__free(t->awp.before);
    wsr__free(t->awp.moved);
    wsr__free(t->awp.stats);
    wsr__free(t->average);
    wsr__free(t->best);
    wsr__free(t);
}

// --------------------------------------------------------------- one batch

// A failed pair holds no plan, so that a further call makes it again.
static wsr_status make_pair(wsr__plan_pair *pair, wsr__training *t, size_t n)
{
    wsr_status status = WSR_OK;
    const unsigned purpose = WSR_GRAD_PARAMS | WSR_TRAIN | WSR_MOVE_STATS |
                             t->trainer->purposes;
    WSR_TRY(wsr__plan_new_in(&pair->train, t->graph, n, purpose, &t->arena));
    if (t->trainer->two_passes) {
        WSR_TRY(wsr__plan_new_in(&pair->second, t->graph, n, purpose,
                                 &t->second_arena));
    }
    if (t->trainer->attack != NULL) {
        WSR_TRY(wsr__plan_new_in(&pair->attack, t->attack_graph, n,
                                 t->trainer->attack(t->options), &t->arena));
    }
    pair->n = n;
out:
    if (status != WSR_OK) {
        wsr_plan_free(pair->train);
        wsr_plan_free(pair->second);
        pair->train = NULL;
        pair->second = NULL;
    }
    return status;
}

// Pair 0 is for whole batches, pair 1 for the last one.
static wsr_status pair_for(const wsr__plan_pair **out, wsr__training *t,
                           size_t n)
{
    wsr__plan_pair *const pair = &t->pairs[n != (size_t)t->params.batch];
    *out = pair;
    return pair->n == n ? WSR_OK : make_pair(pair, t, n);
}

static size_t steps_done(const wsr__training *t)
{
    return t->epoch * t->batches + t->batch;
}

// The probability rises linearly over the epochs, as in DARTS.
static double drop_path_now(const wsr__training *t)
{
    const double p = wsr__net_drop_path(t->of.net);
    return t->params.drop_path_ramp
               ? p * (double)t->epoch / (double)t->params.epochs
               : p;
}

static double rate_now(const wsr__training *t)
{
    return wsr_sched_rate(t->sched, t->params.lr, (int64_t)t->epoch,
                          t->params.epochs);
}

static size_t updates_of(const wsr__training *t)
{
    return t->trainer->updates != NULL ? t->trainer->updates(t->options) : 1;
}

static wsr__train_step step_of(const wsr__training *t,
                               const wsr__plan_pair *pair,
                               const wsr_batch *batch)
{
    return (wsr__train_step){
        .plan = pair->train,
        .second = pair->second,
        .attack = pair->attack,
        .net = t->of.net,
        .x = wsr_batch_images(batch),
        .labels = wsr_batch_labels(batch),
        .x_adv = t->x_adv,
        .logits = t->logits,
        .state = t->state,
        .own = t->own,
        .adv_labels = t->adv_labels,
        .n = wsr_batch_count(batch),
        .classes = wsr_net_classes(t->of.net),
        .seed = t->of.seed,
        .id = (uint64_t)steps_done(t) * (uint64_t)t->params.batch,
        .epoch = t->epoch,
        .smoothing = t->params.label_smoothing,
        .clean_share = t->params.clean_share,
        .loss_fn = t->loss_fn,
        .loss_user = t->loss_user,
        .auxiliary = t->params.auxiliary_weight,
        .drop_path = drop_path_now(t),
        .number = steps_done(t),
    };
}

wsr_status wsr__training_descend(wsr__training *t)
{
    wsr_status status = WSR_OK;
    const double clip = t->params.grad_clip;
    WSR_TRY(wsr_optim_clip(NULL, t->optim, clip > 0 ? clip : HUGE_VAL));
    WSR_TRY(wsr_optim_step(t->optim, rate_now(t)));
out:
    return status;
}

// Gradients are removed before an update, so that the optimiser skips a
// parameter that no backward pass reaches.
static wsr_status update(wsr__training *t, wsr__train_step *step)
{
    wsr_status status = WSR_OK;
    if (step->update == 0 || !t->trainer->keeps_gradients) {
        wsr_params_zero_grad(wsr_net_params(t->of.net), true);
    }
    step->skip = false;
    if (wsr__training_perturbs(t)) {
        return wsr__training_perturbed(t, step);
    }
    WSR_TRY(t->trainer->batch(step, t->options));
    if (!step->skip) {
        WSR_TRY(wsr__training_descend(t));
    }
out:
    return status;
}

// One step. Sums are weighted by images, since the last batch may be smaller;
// those of a batch with several updates are of the last one.
static wsr_status learn(wsr__training *t, const wsr_batch *batch)
{
    wsr_status status = WSR_OK;
    const wsr__plan_pair *pair = NULL;
    const size_t n = wsr_batch_count(batch);
    const size_t updates = updates_of(t);
    WSR_TRY(pair_for(&pair, t, n));
    wsr__train_step step = step_of(t, pair, batch);
    for (step.update = 0; step.update < updates; step.update++) {
        WSR_TRY(update(t, &step));
    }
    t->sums.loss += step.loss * (double)n;
    t->sums.correct += (double)step.correct;
    t->sums.clean += step.clean_known ? (double)step.clean : nan("");
    t->sums.seen += (double)n;
out:
    return status;
}

// After a failure the loader goes back, so that a further call takes the same
// batch.
wsr_status wsr__training_step(wsr__training *training)
{
    wsr_status status = WSR_OK;
    wsr__training *const t = training;
    const wsr_batch *batch = NULL;
    WSR_TRY(wsr_loader_next(&batch, t->loader));
    status = learn(t, batch);
    if (status != WSR_OK) {
        status = wsr__fail_at(status, "train: epoch %zu, step %zu", t->epoch,
                              t->batch);
        // A further call takes the same batch again.
        const wsr_status back = wsr_loader_seek(t->loader, t->epoch, t->batch);
        status = back == WSR_OK ? status : back;
        goto out;
    }
    t->batch++;
    wsr__training_average(t);
out:
    return status;
}

wsr_status wsr__training_next_epoch(wsr__training *t)
{
    t->epoch++;
    t->batch = 0;
    t->sums = (wsr__sums){0};
    return wsr_loader_seek(t->loader, t->epoch, 0);
}

// Means over the images of the epoch so far; NaN before the first batch.
wsr__epoch wsr__training_epoch(const wsr__training *t)
{
    const double n = t->sums.seen;
    return (wsr__epoch){.lr = rate_now(t),
                        .loss = t->sums.loss / n,
                        .accuracy = t->sums.correct / n,
                        .clean_accuracy = t->sums.clean / n};
}

wsr_status wsr__training_report(const wsr__training *t, wsr__run *run)
{
    char note[96];
    const wsr__epoch epoch = wsr__training_epoch(t);
    (void)snprintf(note, sizeof(note),
                   "epoch %zu/%lld  loss %.4f  accuracy %.1f %%", t->epoch + 1,
                   (long long)t->params.epochs, epoch.loss,
                   100 * t->sums.correct / t->sums.seen);
    return wsr__run_progress(run, "train", steps_done(t),
                             t->batches * (size_t)t->params.epochs, note);
}

// ---------------------------------------------------------------- preparing

// Makes the plans that need most memory, before hours of work.
wsr_status wsr__training_prepare(wsr__training *t)
{
    wsr_status status = WSR_OK;
    const wsr__plan_pair *pair = NULL;
    const size_t batch = (size_t)t->params.batch;
    const size_t images = wsr_dataset_count(t->of.train);
    const size_t n = images < batch ? images : batch;
    status = pair_for(&pair, t, n);
    if (status != WSR_OK) {
        status = wsr__fail_at(status, "train: plans for %zu images at once", n);
        goto out;
    }
    WSR_TRY(wsr__training_prepare_validation(t));
out:
    return status;
}

// Parameters count twice, for values and gradients; the optimiser's arrays are
// counted as they are.
void wsr__training_needs(wsr__needs *needs, const wsr__training *t)
{
    const double copy = sizeof(float) * (double)t->floats;
    const double image = sizeof(float) *
                         (double)wsr_shape_count(wsr_net_image(t->of.net));
    double states = 0;
    for (size_t i = 0; i < wsr__optim_states(t->optim); i++) {
        const wsr__state state = wsr__optim_state(t->optim, i);
        states += (double)wsr__state_bytes(&state);
    }
    const double own = sizeof(float) * (double)t->states;
    const double best = (t->best != NULL ? copy : 0) +
                        (t->average != NULL ? copy : 0) + own;
    const double perturbed = t->awp.before != NULL ? 2 * copy : 0;
    wsr__needs_memory(needs, "plans of training",
                      sizeof(float) *
                          (double)(t->arena.floats + t->second_arena.floats));
    wsr__needs_memory(needs, "parameters and their optimiser",
                      2 * copy + states + best + perturbed);
    if (t->own != NULL) {
        wsr__needs_memory(needs, "second network", t->trainer->bytes(t->own));
    }
    // The batch in work, the one that is loaded ahead, the attacked one.
    wsr__needs_memory(needs, "batches", 3 * image * (double)t->params.batch);
    wsr__needs_memory(needs, "plans of the validation", t->eval_bytes);
    // Checkpoint, its predecessor and its successor, and the network.
    needs->disk += 3 * (copy + states + best) + copy;
}

// Passes of images through the network, forward and backward as one.
double wsr__training_passes(const wsr__training *training)
{
    const wsr__training *const t = training;
    const double images = (double)t->params.epochs * (double)t->batches *
                          (double)t->params.batch;
    const double learning = t->trainer->two_passes ? 2 : 1;
    return images *
           ((t->trainer->passes != NULL ? t->trainer->passes(t->options) : 1) +
            (t->params.awp > 0 ? learning * (double)updates_of(t) : 0));
}
