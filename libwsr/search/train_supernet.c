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
#include "search/supernet.h"

static void plans_free(wsr__supernet_plans *p)
{
    wsr__path_attack_free(&p->attack);
    wsr_plan_free(p->train);
    wsr_plan_free(p->both);
    for (size_t i = 0; i < p->part_count; i++) {
        wsr_plan_free(p->parts[i]);
    }
    wsr__free(p->parts);
    wsr_graph_free(p->graph);
    *p = (wsr__supernet_plans){0};
}

static wsr_status plans_new(wsr__supernet_plans *p, wsr_search *s)
{
    wsr_status status = WSR_OK;
    const unsigned moving = WSR_TRAIN |
                            (s->quirks.moving ? (unsigned)WSR_MOVE_STATS : 0u);
    const size_t batch = (size_t)(s->params.batch / s->params.shards);
    WSR_TRY(wsr__path_graph(&p->graph, s, &s->path));
    WSR_TRY(wsr__supernet_part_plans(p, s));
    if (p->part_count == 0) {
        WSR_TRY(wsr__path_plan_in(&p->train, s, p->graph, batch,
                                  WSR__SUPERNET_TRAIN, &s->arena));
    }
    WSR_TRY(wsr__path_attack_new(&p->attack, s, p->graph,
                                 WSR_GRAD_INPUT | moving,
                                 p->train != NULL ? p->train : p->parts[0]));
    if (s->quirks.leftover) {
        WSR_TRY(wsr__path_plan_in(&p->both, s, p->graph, batch,
                                  WSR_GRAD_INPUT | WSR_GRAD_PARAMS | moving,
                                  &s->arena));
    }
out:
    return status;
}

// In the released code the last step of the attack also computes gradients of
// the parameters, and does not clear them before training: they add to the
// gradients of the training step.
static wsr_status last_step(wsr_search *s, const wsr__supernet_plans *p,
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

wsr_status wsr__supernet_attack(wsr_search *s, const wsr__supernet_plans *p,
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

wsr_status wsr__supernet_learn(wsr__supernet_result *out, wsr_search *s,
                               wsr_plan *plan, const wsr_batch *batch,
                               const float *x_adv)
{
    wsr_status status = WSR_OK;
    wsr__train_step step = {.plan = plan,
                            .reducer = wsr__search_reducer(s),
                            .net = s->net,
                            .labels = wsr_batch_labels(batch),
                            .n = wsr_batch_count(batch),
                            .classes = wsr_net_classes(s->net)};
    double loss = 0;
    size_t correct = 0;
    WSR_TRY(wsr__train_step_last_pass(&loss, &correct, &step, x_adv,
                                      (wsr__pass){1, 0}));
    out->loss = loss * (double)step.n;
    out->correct = (double)correct;
out:
    return status;
}

wsr_status wsr__supernet_descend(wsr_search *s)
{
    wsr_status status = WSR_OK;
    if (s->params.grad_clip > 0) {
        WSR_TRY(wsr_optim_clip(NULL, s->optim, s->params.grad_clip));
    }
    WSR_TRY(wsr_optim_step(s->optim, wsr__search_lr(s)));
out:
    return status;
}

void wsr__supernet_count(wsr_search *s, wsr__supernet_result result, size_t n)
{
    s->loss += result.loss;
    s->correct += result.correct;
    s->seen += (double)n;
}

static wsr_status train_on(wsr_search *s, const wsr__supernet_plans *p,
                           const wsr_batch *batch)
{
    wsr_status status = WSR_OK;
    const size_t n = wsr_batch_count(batch);
    wsr__supernet_result result = {0};
    wsr_params_zero_grad(wsr_net_params(s->net), !s->quirks.leftover);
    WSR_TRY(wsr__supernet_attack(s, p, batch));
    const double begun = wsr__seconds();
    WSR_TRY(wsr__supernet_learn(&result, s, p->train, batch, s->x_adv));
    s->counted.gradient += (double)n;
    s->seconds[WSR__TIME_SUPERNET] += wsr__seconds() - begun;
    WSR_TRY(wsr__supernet_descend(s));
    wsr__supernet_count(s, result, n);
out:
    return status;
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
static wsr_status train_batch(wsr_search *s, wsr__supernet_plans *p)
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
    WSR_TRY(s->parts == NULL ? train_on(s, p, batch)
                             : wsr__supernet_train_parts(s, p, batch));
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
    wsr__supernet_plans plans = {0};
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
