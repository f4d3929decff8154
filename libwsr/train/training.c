// SPDX-License-Identifier: Apache-2.0
//
// Training of a network: what is made once, and what is told of it.
//
// step.c takes steps, training_state.c has the checkpoint, validate.c the
// validation. Runs (loop.c) and callers (trainer.c) loop over steps and epochs.

#include "data/loader.h"
#include "train/paired.h"

#include <math.h>

// ---------------------------------------------------------------- lifetime

// Compares images after augmentation, (c, h, w), with those that are wanted.
wsr_status wsr__images_fit(const wsr_loader *loader, const wsr_dataset *data,
                           const wsr_net *net, const wsr_shape *image)
{
    const wsr_shape *const a = wsr_loader_shape(loader);
    const wsr_shape *const b = image;
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

// Parts advance together where norms are those of the whole batch.
static wsr_status make_rooms(wsr__training *t)
{
    wsr_status status = WSR_OK;
    const size_t parts = (size_t)t->params.shards;
    const bool global = wsr__streq(t->params.norms.s, "global");
    if (global && wsr_comm_size() > parts) {
        return WSR_FAIL(WSR_CONFIG,
                        "train.norms: global needs a part for each process, "
                        "train.shards: %zu for %zu processes",
                        parts, wsr_comm_size());
    }
    if (global && parts > 1) {
        WSR_TRY(
            wsr__lockstep_new(&t->lockstep, wsr_net_params(t->of.net), parts));
    }
    t->room_count = t->lockstep != NULL ? wsr__lockstep_count(t->lockstep) : 1;
    t->rooms = wsr__alloc(t->room_count, sizeof(*t->rooms));
    if (t->rooms == NULL) {
        t->room_count = 0;
        return WSR_NOMEM;
    }
out:
    return status;
}

// All parts must reach the same norms the same number of times, and have one
// set of running statistics.
static wsr_status check_norms(const wsr__training *t)
{
    const size_t parts = (size_t)t->params.shards;
    if (t->lockstep == NULL) {
        return WSR_OK;
    }
    if (t->trainer->open != NULL) {
        return WSR_FAIL(WSR_CONFIG,
                        "train.norms: global is not for the trainer %s with "
                        "its second network; permitted: rank",
                        t->trainer->super.name);
    }
    if (t->trainer->attack != NULL &&
        (t->trainer->attack(t->options) & WSR_MOVE_STATS) != 0) {
        return WSR_FAIL(WSR_CONFIG,
                        "train.norms: global is not for mode=train_moving, "
                        "where each part moves the running statistics");
    }
    for (size_t i = 0; i < t->sizes.n && !t->params.drop_last; i++) {
        const size_t rest = t->loader->samples % t->sizes.list[i].batch;
        if (rest > 0 && rest < parts) {
            return WSR_FAIL(WSR_CONFIG,
                            "train.norms: global, but the last batch has %zu "
                            "images for %zu parts (see train.drop_last)",
                            rest, parts);
        }
    }
    return WSR_OK;
}

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
    WSR_TRY(wsr__training_make_sizes(t));
    WSR_TRY(wsr__training_open_size(t));
    WSR_TRY(check_norms(t));
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

// What trainers use from batch to batch; `image` is the size of one. Each part
// of a batch has a state of its own.
static wsr_status make_trainer_room(wsr__training *t, size_t image)
{
    wsr_status status = WSR_OK;
    const size_t n = t->sizes.batch;
    const bool attacks = t->trainer->attack != NULL;
    t->adv_labels = wsr__alloc(n, sizeof(*t->adv_labels));
    if (t->adv_labels == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(want(&t->logits, attacks, n * wsr_net_classes(t->of.net)));
    if (t->trainer->open != NULL) {
        WSR_TRY(t->trainer->open(&t->own, t->options, &t->of, t->shard));
    }
    if (t->trainer->state != NULL) {
        t->states = (size_t)t->params.shards *
                    t->trainer->state(t->options, t->own, t->shard, image);
        WSR_TRY(want(&t->state, true, t->states));
    }
out:
    return status;
}

// What adds the gradients of parts, and their results.
static wsr_status make_sums(wsr__training *t)
{
    wsr_status status = WSR_OK;
    const bool divided = t->params.shards > 1 || wsr__comm_many();
    const size_t floats = wsr__gradients_floats(wsr_net_params(t->of.net));
    t->results = wsr__alloc(1, wsr__training_results_bytes(t));
    if (t->results == NULL) {
        return WSR_NOMEM;
    }
    if (divided) {
        WSR_TRY(wsr__reducer_new(&t->reducer, wsr_net_params(t->of.net)));
    }
    WSR_TRY(
        want(&t->earlier, divided && wsr__training_keeps_gradients(t), floats));
out:
    return status;
}

// What is as large as the parameters.
static wsr_status make_copies(wsr__training *t)
{
    wsr_status status = WSR_OK;
    const wsr_params *const params = wsr_net_params(t->of.net);
    const bool perturbs = t->params.awp > 0;
    t->buffers = wsr__stats_copy(NULL, params);
    WSR_TRY(
        want(&t->stats,
             (t->params.shards > 1 || wsr__comm_many()) && t->lockstep == NULL,
             (size_t)t->params.shards * t->buffers));
    WSR_TRY(want(&t->attack_stats,
                 t->trainer->attack != NULL &&
                     (t->trainer->attack(t->options) & WSR__CLEAN_STATS) != 0,
                 t->buffers + 1));
    WSR_TRY(make_sums(t));
    WSR_TRY(want(&t->best, !wsr__streq(t->params.keep.s, "last"), t->floats));
    WSR_TRY(want(&t->average, wsr__training_averages(t), t->floats));
    WSR_TRY(want(&t->awp.before, perturbs, t->floats));
    WSR_TRY(want(&t->awp.moved, perturbs, t->floats));
    WSR_TRY(want(&t->awp.stats, perturbs, t->buffers + 1));
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

// Mixed images, (batch, c, h, w), and their labels.
static wsr_status make_mix_room(wsr__training *t)
{
    wsr_status status = WSR_OK;
    const size_t n = t->sizes.batch;
    WSR_TRY(wsr__mix_check(t));
    if (!wsr__training_mixes(t)) {
        return WSR_OK;
    }
    t->mix = (wsr__mix_room){
        .images = wsr__alloc(t->sizes.floats, sizeof(*t->mix.images)),
        .labels = wsr__alloc(n, sizeof(*t->mix.labels)),
        .others = wsr__alloc(n, sizeof(*t->mix.others)),
        .shares = wsr__alloc(n, sizeof(*t->mix.shares))};
    if (t->mix.images == NULL || t->mix.labels == NULL ||
        t->mix.others == NULL || t->mix.shares == NULL) {
        status = WSR_NOMEM;
    }
out:
    return status;
}

// x_adv (batch, c, h, w).
static wsr_status make_room(wsr__training *t)
{
    wsr_status status = WSR_OK;
    const size_t image = (size_t)wsr_shape_count(wsr_net_image(t->of.net));
    const wsr_params *const params = wsr_net_params(t->of.net);
    WSR_TRY(want(&t->x_adv, true, t->sizes.floats));
    WSR_TRY(make_trainer_room(t, image));
    WSR_TRY(make_mix_room(t));
    WSR_TRY(wsr__training_open_teacher(t));
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        t->floats += (size_t)wsr__params_at(params, i)->count;
    }
    WSR_TRY(make_copies(t));
out:
    return status;
}

// More processes than parts: a run that was begun with fewer.
static void tell_idle(const wsr__training *t)
{
    const size_t parts = (size_t)t->params.shards;
    if (wsr_comm_rank() == 0 && wsr_comm_size() > parts) {
        wsr__log(
            WSR_LOG_WARNING,
            "train.shards: batches have %zu parts, so %zu of %zu processes "
            "have nothing to do",
            parts, wsr_comm_size() - parts, wsr_comm_size());
    }
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
    tell_idle(t);
    WSR_TRY(check_averages(params));
    WSR_TRY(make_rooms(t));
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
    wsr__training_free_sizes(t);
    for (size_t i = 0; i < t->room_count; i++) {
        wsr__arena_free(&t->rooms[i].arena);
        wsr__arena_free(&t->rooms[i].second_arena);
    }
    wsr__free(t->rooms);
    wsr__lockstep_free(t->lockstep);
    wsr_model_free(t->eval_model);
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
    wsr__free(t->mix.images);
    wsr__free(t->mix.labels);
    wsr__free(t->mix.others);
    wsr__free(t->mix.shares);
    wsr__paired_free(t->teacher);
    wsr__free(t->teacher_logits);
    wsr__free(t->stats);
    wsr__free(t->attack_stats);
    wsr__reducer_free(t->reducer);
    wsr__free(t->results);
    wsr__free(t->earlier);
    wsr__free(t->awp.before);
    wsr__free(t->awp.moved);
    wsr__free(t->awp.stats);
    wsr__free(t->average);
    wsr__free(t->best);
    wsr__free(t);
}

// ---------------------------------------------------------------- reporting

double wsr__training_rate(const wsr__training *t)
{
    return wsr_sched_rate(t->sched, t->params.lr, (int64_t)t->epoch,
                          t->params.epochs);
}

size_t wsr__training_steps(const wsr__training *t)
{
    return wsr__training_steps_to(t, t->epoch) + t->batch;
}

size_t wsr__training_updates(const wsr__training *t)
{
    return t->trainer->updates != NULL ? t->trainer->updates(t->options) : 1;
}

// Means over the images of the epoch so far; NaN before the first batch.
wsr__epoch wsr__training_epoch(const wsr__training *t)
{
    const double n = t->sums.seen;
    return (wsr__epoch){.lr = wsr__training_rate(t),
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
    return wsr__run_progress(
        run, "train", wsr__training_steps(t),
        wsr__training_steps_to(t, (size_t)t->params.epochs), note);
}

// ---------------------------------------------------------------- preparing

// Makes the plans that need most memory, before hours of work; those of the
// first epoch stay. Called before the first step.
wsr_status wsr__training_prepare(wsr__training *t)
{
    wsr_status status = WSR_OK;
    for (size_t i = t->sizes.n; i-- > 0;) {
        wsr__training_set_epoch(t, t->sizes.list[i].first);
        WSR_TRY(wsr__training_open_size(t));
        WSR_TRY(wsr__training_plans(t));
    }
    WSR_TRY(wsr__training_prepare_validation(t));
out:
    return status;
}

static double rooms_bytes(const wsr__training *t)
{
    double floats = 0;
    for (size_t i = 0; i < t->room_count; i++) {
        floats += (double)(t->rooms[i].arena.floats +
                           t->rooms[i].second_arena.floats);
    }
    return sizeof(float) * floats;
}

// Parameters count twice, for values and gradients; the optimiser's arrays are
// counted as they are.
void wsr__training_needs(wsr__needs *needs, const wsr__training *t)
{
    const double copy = sizeof(float) * (double)t->floats;
    double states = 0;
    for (size_t i = 0; i < wsr__optim_states(t->optim); i++) {
        const wsr__state state = wsr__optim_state(t->optim, i);
        states += (double)wsr__state_bytes(&state);
    }
    const double own =
        sizeof(float) * (double)t->states +
        (t->reducer != NULL ? wsr__reducer_bytes(t->reducer) : 0) +
        (double)(t->room_count - 1) * copy; // gradients of parts
    const double stats = t->stats == NULL
                             ? 0
                             : sizeof(float) * (double)t->params.shards *
                                   (double)t->buffers;
    const double best = (t->best != NULL ? copy : 0) +
                        (t->average != NULL ? copy : 0) + own + stats;
    const double perturbed = t->awp.before != NULL ? 2 * copy : 0;
    wsr__needs_memory(needs, "plans of training", rooms_bytes(t));
    wsr__needs_memory(needs, "plans of attacks", t->attack_bytes);
    wsr__needs_memory(needs, "parameters and their optimiser",
                      2 * copy + states + best + perturbed);
    if (t->own != NULL) {
        wsr__needs_memory(needs, "second network", t->trainer->bytes(t->own));
    }
    if (t->teacher != NULL) {
        wsr__needs_memory(needs, "teacher", wsr__paired_bytes(t->teacher));
    }
    // The batch in work, the one that is loaded ahead, the attacked one, the
    // mixed one.
    wsr__needs_memory(needs, "batches",
                      (t->mix.images != NULL ? 4.0 : 3.0) * sizeof(float) *
                          (double)t->sizes.floats);
    wsr__needs_memory(needs, "plans of the validation", t->eval_bytes);
    // Checkpoint, its predecessor and its successor, and the network.
    needs->disk += 3 * (copy + states + best) + copy;
}

// Images of all epochs, in those of the network's own size.
static double images_seen(const wsr__training *t)
{
    const double pixels = (double)wsr_shape_count(wsr_net_image(t->of.net));
    double images = 0;
    for (size_t i = 0; i < t->sizes.n; i++) {
        const wsr__size_phase *const phase = &t->sizes.list[i];
        const size_t all = (size_t)t->params.epochs;
        const size_t next = i + 1 < t->sizes.n ? phase[1].first : all;
        const size_t end = next < all ? next : all;
        const size_t epochs = end > phase->first ? end - phase->first : 0;
        images += (double)epochs * (double)phase->batches *
                  (double)phase->batch *
                  ((double)wsr_shape_count(&phase->image) / pixels);
    }
    return images;
}

// Passes of images through the network, forward and backward as one.
double wsr__training_passes(const wsr__training *training)
{
    const wsr__training *const t = training;
    const double learning = t->trainer->two_passes ? 2 : 1;
    const double updates = (double)wsr__training_updates(t);
    return images_seen(t) *
           ((t->trainer->passes != NULL ? t->trainer->passes(t->options) : 1) +
            (t->teacher != NULL ? 0.5 : 0) +
            (t->params.awp > 0 ? learning * updates : 0));
}
