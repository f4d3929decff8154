// SPDX-License-Identifier: Apache-2.0
//
// The step of a training. The trainers (natural.c, madry.c, ...) do the work on
// a batch; here are the plans that they use, and what surrounds them: mixing,
// the teacher, perturbed weights, clipping, the optimiser.
//
// The plans of training and attack share an arena, since they run in turn:
// memory is that of the largest plan, not of all.

#include "train/train.h"

#include <math.h>

// ------------------------------------------------------------------- plans

// Whether images are attacked one by one does not depend on their number, so
// that a last batch that is smaller is attacked as the others are.
static wsr_status choose_images(wsr__training *t, const wsr_plan *like)
{
    wsr_status status = WSR_OK;
    if (t->attack_chosen) {
        return WSR_OK;
    }
    WSR_TRY(wsr__attack_plans_images(&t->attack_images, t->attack_graph,
                                     t->trainer->attack(t->options), like));
    t->attack_chosen = true;
    if (t->attack_images != NULL) {
        WSR_TRY(wsr__image_plans_reserve(&t->attack_bytes, t->attack_images));
    }
out:
    return status;
}

static wsr_status make_attack(wsr__plan_pair *pair, wsr__training *t, size_t n,
                              wsr__part_room *room)
{
    wsr_status status = WSR_OK;
    WSR_TRY(choose_images(t, pair->train));
    const wsr__attack_of of = {.graph = t->attack_graph,
                               .purpose = t->trainer->attack(t->options),
                               .arena = &room->arena,
                               .images = t->attack_images,
                               .params = wsr_net_params(t->of.net),
                               .stats = t->attack_stats};
    WSR_TRY(wsr__attack_plans_make(&pair->attack, &of, n));
out:
    return status;
}

// Attacks see the statistics of their own part.
static wsr_status synchronise(const wsr__plan_pair *pair,
                              const wsr__training *t, size_t room)
{
    wsr_status status = WSR_OK;
    if (t->lockstep == NULL) {
        return WSR_OK;
    }
    const wsr__norm_sync *const sync = wsr__lockstep_sync(t->lockstep, room);
    WSR_TRY(wsr__plan_sync_norms(pair->train, sync));
    if (pair->second != NULL) {
        WSR_TRY(wsr__plan_sync_norms(pair->second, sync));
    }
out:
    return status;
}

// A failed pair holds no plan, so that a further call makes it again.
static wsr_status make_pair(wsr__plan_pair *pair, wsr__training *t, size_t n,
                            size_t number)
{
    wsr__part_room *const room = &t->rooms[number];
    wsr_status status = WSR_OK;
    const unsigned purpose = WSR_GRAD_PARAMS | WSR_TRAIN | WSR_MOVE_STATS |
                             t->trainer->purposes;
    WSR_TRY(wsr__plan_new_in(&pair->train, t->graph, n, purpose, &room->arena));
    if (t->trainer->two_passes) {
        WSR_TRY(wsr__plan_new_in(&pair->second, t->graph, n, purpose,
                                 &room->second_arena));
    }
    WSR_TRY(synchronise(pair, t, number));
    if (t->trainer->attack != NULL) {
        WSR_TRY(make_attack(pair, t, n, room));
    }
    pair->n = n;
out:
    if (status != WSR_OK) {
        wsr_plan_free(pair->train);
        wsr_plan_free(pair->second);
        wsr__attack_plans_free(&pair->attack);
        *pair = (wsr__plan_pair){0};
    }
    return status;
}

// Pair 0 is for parts of whole batches, the others for those of the last one.
wsr_status wsr__training_pair(const wsr__plan_pair **out, wsr__training *t,
                              size_t n, size_t room)
{
    wsr__plan_pair *const pair =
        &t->rooms[room].pairs[n == t->shard ? 0 : 1 + n % 2];
    *out = pair;
    if (pair->n == n) {
        return WSR_OK;
    }
    wsr_plan_free(pair->train);
    wsr_plan_free(pair->second);
    wsr__attack_plans_free(&pair->attack);
    *pair = (wsr__plan_pair){0};
    return make_pair(pair, t, n, room);
}

wsr_status wsr__training_plans(wsr__training *t)
{
    wsr_status status = WSR_OK;
    const size_t batch = wsr__training_size(t)->batch;
    const size_t images = wsr_dataset_count(t->of.train);
    const size_t n =
        wsr__training_part_images(t, images < batch ? images : batch);
    for (size_t k = 0; k < t->room_count && status == WSR_OK; k++) {
        const wsr__plan_pair *pair = NULL;
        wsr__training_exchange(t, k);
        status = wsr__training_pair(&pair, t, n, k);
        wsr__training_exchange(t, k);
    }
    return status == WSR_OK
               ? WSR_OK
               : wsr__fail_at(status, "train: plans for %zu images at once", n);
}

// ---------------------------------------------------------------- the step

// The probability rises linearly over the epochs, as in DARTS.
static double drop_path_now(const wsr__training *t)
{
    const double p = wsr__net_drop_path(t->of.net);
    return t->params.drop_path_ramp
               ? p * (double)t->epoch / (double)t->params.epochs
               : p;
}

// The step of a whole batch, which has no plans. Mixed images lie in a room of
// their own.
static wsr__train_step step_of(const wsr__training *t, const wsr_batch *batch)
{
    const bool mixes = wsr__training_mixes(t);
    const uint64_t number = wsr__training_steps(t);
    return (wsr__train_step){
        .net = t->of.net,
        .x = mixes ? t->mix.images : wsr_batch_images(batch),
        .labels = mixes ? t->mix.labels : wsr_batch_labels(batch),
        .mixed = {t->mix.others, t->mix.shares},
        .distill = wsr__distill_of(t),
        .x_adv = t->x_adv,
        .logits = t->logits,
        .state = t->state,
        .own = t->own,
        .adv_labels = t->adv_labels,
        .n = wsr_batch_count(batch),
        .classes = wsr_net_classes(t->of.net),
        .seed = t->of.seed,
        .id = number * (uint64_t)t->sizes.batch,
        .epoch = t->epoch,
        .smoothing = t->params.label_smoothing,
        .clean_share = t->params.clean_share,
        .loss_fn = t->loss_fn,
        .loss_user = t->loss_user,
        .auxiliary = t->params.auxiliary_weight,
        .drop_path = drop_path_now(t),
        .number = number,
    };
}

wsr_status wsr__training_descend(wsr__training *t)
{
    wsr_status status = WSR_OK;
    const double clip = t->params.grad_clip;
    WSR_TRY(wsr_optim_clip(NULL, t->optim, clip > 0 ? clip : HUGE_VAL));
    WSR_TRY(wsr_optim_step(t->optim, wsr__training_rate(t)));
out:
    return status;
}

// Gradients are removed before an update, so that the optimiser skips a
// parameter that no backward pass reaches.
static wsr_status update(wsr__training *t, wsr__train_step *step)
{
    wsr_status status = WSR_OK;
    if (step->update == 0 || !wsr__training_keeps_gradients(t)) {
        wsr_params_zero_grad(wsr_net_params(t->of.net), true);
    }
    if (wsr__training_perturbs(t)) {
        return wsr__training_perturbed(t, step);
    }
    WSR_TRY(wsr__training_gradients(t, step));
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
    const size_t n = wsr_batch_count(batch);
    const size_t updates = wsr__training_updates(t);
    wsr__train_step step = step_of(t, batch);
    if (step.number == 0) {
        wsr__training_begin_stats(t); // all parts have the network's
    }
    WSR_TRY(wsr__comm_agree(wsr__training_prepare_parts(t, &step, batch)));
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

static wsr_status next_batch(const wsr_batch **batch, wsr__training *t)
{
    const wsr_status status = wsr__training_open_size(t);
    return status == WSR_OK ? wsr_loader_next(batch, t->loader) : status;
}

// After a failure the loader goes back, so that a further call takes the same
// batch.
wsr_status wsr__training_step(wsr__training *training)
{
    wsr_status status = WSR_OK;
    wsr__training *const t = training;
    const wsr_batch *batch = NULL;
    WSR_TRY(wsr__comm_agree(next_batch(&batch, t)));
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
    WSR_TRY(wsr__training_average(t));
out:
    return status;
}

// Where another phase begins, the next step opens its loader.
wsr_status wsr__training_move(wsr__training *t, size_t epoch, size_t batch,
                              wsr__sums sums)
{
    wsr__training_set_epoch(t, epoch);
    t->batch = batch;
    t->sums = sums;
    return t->sizes.opened == t->sizes.now
               ? wsr_loader_seek(t->loader, epoch, batch)
               : WSR_OK;
}

wsr_status wsr__training_next_epoch(wsr__training *t)
{
    return wsr__training_move(t, t->epoch + 1, 0, (wsr__sums){0});
}
