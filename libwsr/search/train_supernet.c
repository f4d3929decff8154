// SPDX-License-Identifier: Apache-2.0
//
// Adversarial training of the supernet's shared weights at one strength:
//
//   x' = PGD(x; eps), loss = CE(f_path(x'), y), clip, SGD
//
// The path is sampled once an epoch (released) or once a batch (intended, which
// trains every candidate about equally often). SGD leaves candidates outside
// the path unchanged; as released their zero gradients still decay the weights
// and apply momentum.

#include "data/loader.h"
#include "search/search.h"

// Plans of a path; they share the search's arena and run in turn.
typedef struct supernet_plans {
    wsr__path_attack attack;
    wsr_plan *train; // gradients of the parameters
    wsr_plan *both;  // released: the attack's last step
} supernet_plans;

static void plans_free(supernet_plans *p)
{
    wsr__path_attack_free(&p->attack);
    wsr_plan_free(p->train);
    wsr_plan_free(p->both);
    *p = (supernet_plans){0};
}

static wsr_status plans_new(supernet_plans *p, wsr_search *s)
{
    wsr_status status = WSR_OK;
    const unsigned moving = WSR_TRAIN |
                            (s->quirks.moving ? (unsigned)WSR_MOVE_STATS : 0u);
    const size_t batch = (size_t)(s->params.batch / s->params.shards);
    WSR_TRY(wsr__path_plan(&p->train, s, &s->path, batch,
                           WSR_GRAD_PARAMS | WSR_TRAIN | WSR_MOVE_STATS));
    WSR_TRY(wsr__path_attack_new(&p->attack, s, &s->path,
                                 WSR_GRAD_INPUT | moving, p->train));
    if (s->quirks.leftover) {
        WSR_TRY(wsr__path_plan(&p->both, s, &s->path, batch,
                               WSR_GRAD_INPUT | WSR_GRAD_PARAMS | moving));
    }
out:
    return status;
}

// In the released code the last step of the attack also computes gradients of
// the parameters, and does not clear them before training: they add to the
// gradients of the training step.
static wsr_status last_step(wsr_search *s, const supernet_plans *p,
                            const wsr_batch *batch, const wsr__pgd *pgd)
{
    wsr_status status = WSR_OK;
    const size_t floats = wsr_batch_count(batch) * s->pixels;
    const float *const x = wsr_batch_images(batch);
    wsr__train_step step = {.plan = p->both,
                            .net = s->net,
                            .labels = wsr_batch_labels(batch),
                            .n = wsr_batch_count(batch),
                            .classes = wsr_net_classes(s->net)};
    double loss = 0;
    size_t correct = 0;
    s->counted.gradient += (double)step.n;
    WSR_TRY(wsr__train_step_pass(&loss, &correct, &step, s->x_adv,
                                 (wsr__pass){1, 0}));
    const wsr__ball ball = {.x0 = x,
                            .d = (int64_t)floats,
                            .eps = pgd->eps,
                            .norm = WSR__LINF,
                            .box = {0, 1}};
    const float *const diffs = wsr_plan_diff_src(p->both, "x");
    if (diffs != NULL) {
        wsr__sign_step(s->x_adv, diffs, pgd->alpha, &ball);
    }
out:
    return status;
}

static wsr_status attack(wsr_search *s, const supernet_plans *p,
                         const wsr_batch *batch)
{
    wsr_status status = WSR_OK;
    const double start = wsr__seconds();
    wsr__pgd pgd = {
        .eps = (float)s->params.eps,
        .alpha = (float)(2.5 * s->params.eps / (double)s->params.attack_steps),
        .steps = (size_t)s->params.attack_steps - (s->quirks.leftover ? 1 : 0)};
    WSR_TRY(wsr__search_attack_begin(s, &p->attack.plans, batch));
    status = wsr__search_pgd(s, &p->attack.plans, batch, &pgd);
    wsr__attack_plans_end(&p->attack.plans);
    WSR_TRY(status);
    if (s->quirks.leftover) {
        WSR_TRY(last_step(s, p, batch, &pgd));
    }
    s->seconds[WSR__TIME_ATTACK] += wsr__seconds() - start;
out:
    return status;
}

// Constant before the search phase, then by the schedule.
double wsr__search_lr(const wsr_search *s)
{
    return s->phase == WSR_PHASE_SEARCH
               ? wsr_sched_rate(s->sched, s->params.lr, (int64_t)s->epoch,
                                s->params.epochs)
               : s->params.lr;
}

// Sums of a part of a batch.
enum { LOSS, CORRECT, PASSES, FORWARD, SUMS };

// Gradients of the weights on the attacked images.
static wsr_status learn(double sums[SUMS], wsr_search *s,
                        const supernet_plans *p, const wsr_batch *batch)
{
    wsr_status status = WSR_OK;
    const double start = wsr__seconds();
    wsr__train_step step = {.plan = p->train,
                            .reducer = s->reducer,
                            .net = s->net,
                            .labels = wsr_batch_labels(batch),
                            .n = wsr_batch_count(batch),
                            .classes = wsr_net_classes(s->net)};
    double loss = 0;
    size_t correct = 0;
    s->counted.gradient += (double)step.n;
    WSR_TRY(wsr__train_step_last_pass(&loss, &correct, &step, s->x_adv,
                                      (wsr__pass){1, 0}));
    sums[LOSS] = loss * (double)step.n;
    sums[CORRECT] = (double)correct;
    s->seconds[WSR__TIME_SUPERNET] += wsr__seconds() - start;
out:
    return status;
}

static wsr_status descend(wsr_search *s)
{
    wsr_status status = WSR_OK;
    if (s->params.grad_clip > 0) {
        WSR_TRY(wsr_optim_clip(NULL, s->optim, s->params.grad_clip));
    }
    WSR_TRY(wsr_optim_step(s->optim, wsr__search_lr(s)));
out:
    return status;
}

static void add_sums(wsr_search *s, const double sums[SUMS], size_t n)
{
    s->loss += sums[LOSS];
    s->correct += sums[CORRECT];
    s->seen += (double)n;
}

static wsr_status train_on(wsr_search *s, const supernet_plans *p,
                           const wsr_batch *batch)
{
    wsr_status status = WSR_OK;
    double sums[SUMS] = {0};
    wsr_params_zero_grad(wsr_net_params(s->net), !s->quirks.leftover);
    WSR_TRY(attack(s, p, batch));
    WSR_TRY(learn(sums, s, p, batch));
    WSR_TRY(descend(s));
    add_sums(s, sums, wsr_batch_count(batch));
out:
    return status;
}

// ------------------------------------------------------------------- parts
//
// Parts of a batch are attacked and normalised each by itself, and processes
// of a job have a share of them each; see train/parts.c. All begin with the
// supernet's running statistics, and it goes on with those of the first part.

static wsr_status part_here(wsr_search *s, const supernet_plans *p,
                            const wsr_batch *batch, size_t k)
{
    wsr_status status = WSR_OK;
    wsr_params *const params = wsr_net_params(s->net);
    const size_t parts = (size_t)s->params.shards;
    const wsr_batch part = wsr__batch_part(batch, k, parts, s->pixels);
    const wsr__passes before = s->counted;
    const size_t buffers = wsr__stats_copy(NULL, params);
    wsr_params_zero_grad(params, !s->quirks.leftover);
    wsr__stats_put(params, s->stats);
    WSR_TRY(wsr__reducer_part(s->reducer, 1 / (double)parts));
    WSR_TRY(attack(s, p, &part));
    WSR_TRY(learn(s->part_sums + k * SUMS, s, p, &part));
    WSR_TRY(wsr__reducer_take(s->reducer));
    if (k == 0) {
        (void)wsr__stats_copy(s->stats + buffers, params);
    }
    s->part_sums[k * SUMS + PASSES] = s->counted.gradient - before.gradient;
    s->part_sums[k * SUMS + FORWARD] = s->counted.forward - before.forward;
    s->counted = before;
out:
    return status;
}

static wsr_status parts_here(wsr_search *s, const supernet_plans *p,
                             const wsr_batch *batch)
{
    wsr_status status = WSR_OK;
    const size_t parts = (size_t)s->params.shards;
    const wsr__items mine = wsr__comm_share(parts, wsr_comm_rank());
    (void)wsr__stats_copy(s->stats, wsr_net_params(s->net));
    wsr__reducer_begin(s->reducer, parts, parts);
    for (size_t k = mine.begin; k < mine.end; k++) {
        WSR_TRY(part_here(s, p, batch, k));
    }
out:
    return status;
}

static wsr_status agree(void *ctx, wsr_status own)
{
    (void)ctx;
    return wsr__comm_agree(own);
}

static wsr_status train_parts(wsr_search *s, const supernet_plans *p,
                              const wsr_batch *batch)
{
    wsr_status status = WSR_OK;
    wsr_params *const params = wsr_net_params(s->net);
    const size_t parts = (size_t)s->params.shards;
    const size_t buffers = wsr__stats_copy(NULL, params);
    const float *gradient = NULL;
    WSR_TRY(wsr__reducer_sum(&gradient, s->reducer, parts_here(s, p, batch),
                             &(wsr__reducer_agree){agree, NULL}));
    WSR_TRY(wsr__comm_gather_shares(s->part_sums, SUMS * sizeof(*s->part_sums),
                                    parts));
    WSR_TRY(wsr__gradients_put(params, gradient, NULL));
    WSR_TRY(wsr__comm_broadcast(s->stats + buffers, buffers * sizeof(*s->stats),
                                0));
    wsr__stats_put(params, s->stats + buffers);
    WSR_TRY(descend(s));
    for (size_t k = 0; k < parts; k++) {
        add_sums(s, s->part_sums + k * SUMS, wsr_batch_count(batch) / parts);
        s->counted.gradient += s->part_sums[k * SUMS + PASSES];
        s->counted.forward += s->part_sums[k * SUMS + FORWARD];
    }
out:
    return status;
}

// Room for parts, where there is more than one.
wsr_status wsr__search_make_parts(wsr_search *s)
{
    const wsr_params *const params = wsr_net_params(s->net);
    const size_t parts = (size_t)s->params.shards;
    if (s->params.batch % s->params.shards != 0) {
        return WSR_FAIL(WSR_CONFIG,
                        "search.shards: %zu does not divide a batch of %lld",
                        parts, (long long)s->params.batch);
    }
    if (parts == 1 && !wsr__comm_many()) {
        return WSR_OK;
    }
    s->stats =
        wsr__alloc(2 * wsr__stats_copy(NULL, params) + 1, sizeof(*s->stats));
    s->part_sums = wsr__alloc(parts * SUMS, sizeof(*s->part_sums));
    return s->stats == NULL || s->part_sums == NULL
               ? WSR_NOMEM
               : wsr__reducer_new(&s->reducer, params);
}

void wsr__search_free_parts(wsr_search *s)
{
    wsr__reducer_free(s->reducer);
    wsr__free(s->stats);
    wsr__free(s->part_sums);
}

wsr_status wsr__search_sample_path(wsr_search *s, uint64_t key, uint64_t number)
{
    if (wsr__streq(s->params.sampling.s, "fair")) {
        wsr__path_fair(&s->path, s, number);
        return WSR_OK;
    }
    if (s->cls->sample != NULL) {
        return s->cls->sample(s, key);
    }
    wsr__path_sample(&s->path, s, key, WSR__SAMPLE_TRAIN);
    return WSR_OK;
}

// In a path per batch, the epoch's serial number and the batch are the counter
// of its random numbers.
static wsr_status train_batch(wsr_search *s, supernet_plans *p)
{
    wsr_status status = WSR_OK;
    const wsr_batch *batch = NULL;
    const uint64_t serial = wsr__search_serial(s);
    if (s->cls->train != NULL) {
        WSR_TRY(wsr_loader_next(&batch, s->train_loader));
        WSR_TRY(s->cls->train(s, batch));
        goto out;
    }
    if (!s->quirks.path_per_epoch) {
        plans_free(p);
        WSR_TRY(wsr__search_sample_path(s, serial << 32 | (uint64_t)s->batch,
                                        serial * wsr__search_train_batches(s) +
                                            s->batch));
        WSR_TRY(plans_new(p, s));
    }
    WSR_TRY(wsr_loader_next(&batch, s->train_loader));
    WSR_TRY(s->reducer == NULL ? train_on(s, p, batch)
                               : train_parts(s, p, batch));
out:
    return status == WSR_NUMERIC
               ? wsr__fail_at(status, "supernet, %s epoch %zu, batch %zu",
                              wsr__phase_names[s->phase], s->epoch, s->batch)
               : status;
}

size_t wsr__search_train_batches(const wsr_search *s)
{
    const size_t all = wsr_loader_batches(s->train_loader);
    const size_t wanted = (size_t)s->params.train_batches;
    return wanted > 0 && wanted < all ? wanted : all;
}

// Starts at s->batch, where an interrupted epoch stopped.
wsr_status wsr__search_train_supernet(wsr_search *s, wsr__run *run)
{
    wsr_status status = WSR_OK;
    supernet_plans plans = {0};
    const size_t batches = wsr__search_train_batches(s);
    if (s->quirks.path_per_epoch && s->cls->train == NULL) {
        WSR_TRY(plans_new(&plans, s));
    }
    WSR_TRY(wsr_loader_seek(s->train_loader, wsr__search_serial(s), s->batch));
    while (s->batch < batches) {
        char note[64];
        WSR_TRY(train_batch(s, &plans));
        s->batch++;
        snprintf(note, sizeof(note), "epoch %zu/%zu, loss %.3f", s->epoch + 1,
                 wsr__phase_epochs(s, s->phase), s->loss / s->seen);
        status = wsr__run_progress(run, wsr__phase_names[s->phase], s->batch,
                                   batches, note);
        if (status == WSR_CANCELED) {
            const wsr_status saved = wsr__run_checkpoint(run);
            status = saved == WSR_OK ? status : saved;
        }
        WSR_TRY(status);
    }
out:
    plans_free(&plans);
    return status;
}
