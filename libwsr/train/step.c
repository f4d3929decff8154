// SPDX-License-Identifier: Apache-2.0
//
// The step of a training. The trainers (natural.c, madry.c, ...) do the work on
// a batch; here are the plans that they use, and what surrounds them: mixing,
// the teacher, perturbed weights, clipping, the optimiser.
//
// With train.shards=K a batch is divided into K parts, as K processes of
// PyTorch's DistributedDataParallel do: each part is attacked and normalised by
// itself, has running statistics and a trainer's state of its own, and the
// gradient is the mean over all images. The network keeps the statistics of the
// first part, as the process of rank 0 that saves it does.
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

static wsr_status make_attack(wsr__plan_pair *pair, wsr__training *t, size_t n)
{
    wsr_status status = WSR_OK;
    WSR_TRY(choose_images(t, pair->train));
    const wsr__attack_of of = {.graph = t->attack_graph,
                               .purpose = t->trainer->attack(t->options),
                               .arena = &t->arena,
                               .images = t->attack_images,
                               .params = wsr_net_params(t->of.net),
                               .stats = t->attack_stats};
    WSR_TRY(wsr__attack_plans_make(&pair->attack, &of, n));
out:
    return status;
}

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
        WSR_TRY(make_attack(pair, t, n));
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
static wsr_status pair_for(const wsr__plan_pair **out, wsr__training *t,
                           size_t n)
{
    wsr__plan_pair *const pair = &t->pairs[n == t->shard ? 0 : 1 + n % 2];
    *out = pair;
    if (pair->n == n) {
        return WSR_OK;
    }
    wsr_plan_free(pair->train);
    wsr_plan_free(pair->second);
    wsr__attack_plans_free(&pair->attack);
    *pair = (wsr__plan_pair){0};
    return make_pair(pair, t, n);
}

// ------------------------------------------------------------------- parts

// Images [begin, begin + n) of a batch.
typedef struct part {
    size_t number;
    size_t begin;
    size_t n;
} part;

static size_t parts_of(const wsr__training *t, size_t n)
{
    const size_t shards = (size_t)t->params.shards;
    return shards < n ? shards : n;
}

// Parts of a last batch are of about one size.
static part part_at(const wsr__training *t, size_t n, size_t k)
{
    const size_t parts = parts_of(t, n);
    const size_t begin = n * k / parts;
    return (part){k, begin, n * (k + 1) / parts - begin};
}

static size_t image_floats(const wsr__training *t)
{
    return (size_t)wsr_shape_count(&wsr__training_size(t)->image);
}

// The step of a part from that of the whole batch.
static wsr_status step_of_part(wsr__train_step *out, wsr__training *t,
                               const wsr__train_step *whole, part p)
{
    wsr_status status = WSR_OK;
    const wsr__plan_pair *pair = NULL;
    const size_t image = image_floats(t);
    const size_t shards = (size_t)t->params.shards;
    WSR_TRY(pair_for(&pair, t, p.n));
    *out = *whole;
    out->plan = pair->train;
    out->second = pair->second;
    out->attack = &pair->attack;
    out->n = p.n;
    out->x += p.begin * image;
    out->labels += p.begin;
    out->x_adv += p.begin * image;
    out->adv_labels += p.begin;
    out->id += p.begin;
    out->number = whole->number * shards + p.number;
    if (out->logits != NULL) {
        out->logits += p.begin * out->classes;
    }
    if (out->state != NULL) {
        out->state += p.number * (t->states / shards);
    }
    if (out->mixed.others != NULL) {
        out->mixed.others += p.begin;
        out->mixed.shares += p.begin;
    }
    if (out->distill.logits != NULL) {
        out->distill.logits += p.begin * out->classes;
    }
out:
    return status;
}

wsr_status wsr__training_plans(wsr__training *t)
{
    wsr_status status = WSR_OK;
    const wsr__plan_pair *pair = NULL;
    const size_t batch = wsr__training_size(t)->batch;
    const size_t images = wsr_dataset_count(t->of.train);
    const size_t n = part_at(t, images < batch ? images : batch, 0).n;
    status = pair_for(&pair, t, n);
    return status == WSR_OK
               ? WSR_OK
               : wsr__fail_at(status, "train: plans for %zu images at once", n);
}

// --------------------------------------------------------------- gradients

static void scale_gradients(const wsr__training *t, double factor)
{
    const wsr_params *const params = wsr_net_params(t->of.net);
    for (size_t i = 0; factor != 1 && i < wsr_params_count(params); i++) {
        const wsr__param *const p = wsr__params_at(params, i);
        for (int64_t k = 0; p->has_grad && k < p->count; k++) {
            p->grad[k] = (float)((double)p->grad[k] * factor);
        }
    }
}

// Sums over the images of parts, and a mean loss.
static void add_results(wsr__train_step *sum, const wsr__train_step *of,
                        size_t n)
{
    sum->loss += (double)of->n / (double)n * of->loss;
    sum->correct += of->correct;
    sum->clean += of->clean;
    sum->clean_known = sum->clean_known && of->clean_known;
    sum->skip = sum->skip && of->skip;
}

// An update without a loss of its own leaves the results of the one before.
static void put_results(wsr__train_step *step, const wsr__train_step *sum)
{
    step->skip = sum->skip;
    if (!isnan(sum->loss)) {
        step->loss = sum->loss;
        step->correct = sum->correct;
        step->clean = sum->clean;
        step->clean_known = sum->clean_known;
    }
}

// Running statistics of part k; those of the first are the network's.
static void put_stats(const wsr__training *t, size_t k)
{
    if (t->stats != NULL) {
        wsr__stats_put(wsr_net_params(t->of.net), t->stats + k * t->buffers);
    }
}

static void keep_stats(const wsr__training *t, size_t k)
{
    if (t->stats != NULL) {
        (void)wsr__stats_copy(t->stats + k * t->buffers,
                              wsr_net_params(t->of.net));
    }
}

// Each part adds the gradient of its own mean. Before that, what is there is
// brought to the part's scale, and in the end to that of the batch: gradients
// that an earlier update left are then what they were.
wsr_status wsr__training_gradients(wsr__training *t, wsr__train_step *step)
{
    wsr_status status = WSR_OK;
    const size_t parts = parts_of(t, step->n);
    wsr__train_step sum = {.clean_known = true, .skip = true};
    double scale = 1; // of the gradients that are there
    keep_stats(t, 0);
    for (size_t k = 0; k < parts; k++) {
        wsr__train_step of;
        const part p = part_at(t, step->n, k);
        const double wanted = (double)step->n / (double)p.n;
        scale_gradients(t, wanted / scale);
        scale = wanted;
        put_stats(t, k);
        WSR_TRY(step_of_part(&of, t, step, p));
        of.skip = false;
        of.loss = nan("");
        WSR_TRY(t->trainer->batch(&of, t->options));
        keep_stats(t, k);
        add_results(&sum, &of, step->n);
    }
    scale_gradients(t, 1 / scale);
    put_results(step, &sum);
out:
    put_stats(t, 0);
    return status;
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

// What happens to each part of a batch once, before the first update.
static wsr_status prepare_parts(wsr__training *t, const wsr__train_step *step,
                                const wsr_batch *batch)
{
    wsr_status status = WSR_OK;
    const bool mixes = wsr__training_mixes(t);
    const size_t parts = parts_of(t, step->n);
    for (size_t k = 0; k < parts && (mixes || t->teacher != NULL); k++) {
        wsr__train_step of;
        const part p = part_at(t, step->n, k);
        WSR_TRY(step_of_part(&of, t, step, p));
        if (mixes) {
            wsr__training_mix(t, batch, p.begin, &of);
        }
        if (t->teacher != NULL) {
            WSR_TRY(wsr__training_teach(t, &of));
        }
    }
out:
    return status;
}

// All parts start with the statistics that the network has.
static void begin_stats(const wsr__training *t)
{
    for (size_t k = 0; k < (size_t)t->params.shards; k++) {
        keep_stats(t, k);
    }
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

static bool keeps_gradients(const wsr__training *t)
{
    return t->trainer->keeps_gradients != NULL &&
           t->trainer->keeps_gradients(t->options);
}

// Gradients are removed before an update, so that the optimiser skips a
// parameter that no backward pass reaches.
static wsr_status update(wsr__training *t, wsr__train_step *step)
{
    wsr_status status = WSR_OK;
    if (step->update == 0 || !keeps_gradients(t)) {
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
        begin_stats(t);
    }
    WSR_TRY(prepare_parts(t, &step, batch));
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
    WSR_TRY(wsr__training_open_size(t));
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
