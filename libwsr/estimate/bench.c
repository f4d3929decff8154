// SPDX-License-Identifier: Apache-2.0
//
// What the bench is made of besides its networks, its order of work, and how
// it tells a run how far it is.
//
// Noises cost most, so they are made once for a batch and all variants use
// them.

#include "estimate/estimate.h"

#include <math.h>

// As released the first images of the training split come in their order.
static wsr_status make_loaders(wsr__estimate *b)
{
    wsr_status status = WSR_OK;
    const wsr__estimate_params *const p = &b->config->estimator;
    wsr__loader_params loader;
    wsr__params_default(&loader, wsr__loader_schema);
    loader.batch = p->batch;
    loader.shuffle = !b->quirks.in_order;
    loader.drop_last = true;
    loader.augment = p->augment;
    loader.seed = (int64_t)b->seed;
    status = wsr__loader_make(&b->train_loader, b->train, &loader);
    WSR_TRY(status == WSR_CONFIG ? wsr__fail_at(status, "estimator.batch")
                                 : status);
    loader.shuffle = false;
    loader.augment = (wsr__text){""};
    status = wsr__loader_make(&b->test_loader, b->test, &loader);
    WSR_TRY(status == WSR_CONFIG
                ? wsr__fail_at(status, "estimator.batch: test images")
                : status);
    const size_t all[] = {wsr_loader_batches(b->train_loader),
                          wsr_loader_batches(b->test_loader)};
    const size_t most[] = {(size_t)p->train_batches, (size_t)p->val_batches};
    b->train_batches = most[0] > 0 && most[0] < all[0] ? most[0] : all[0];
    b->val_batches = most[1] > 0 && most[1] < all[1] ? most[1] : all[1];
    for (size_t i = 0; i < b->n_nets; i++) {
        WSR_TRY(wsr__images_fit(b->train_loader, b->train, b->nets[i].net,
                                wsr_net_image(b->nets[i].net)));
    }
out:
    return status;
}

// The bench keeps its samples itself, so the estimators' memories stay empty.
static wsr_status make_variants(wsr__estimate *b)
{
    wsr_status status = WSR_OK;
    const wsr_shape *const image = wsr_loader_shape(b->train_loader);
    for (size_t v = 0; v < b->n_variants; v++) {
        wsr__estimate_variant *const variant = &b->variants[v];
        wsr_plan *plan = NULL;
        status = wsr__estimator_make(&variant->estimator, variant->cls,
                                     variant->options, image, b->seed);
        WSR_TRY(status == WSR_OK
                    ? status
                    : wsr__fail_at(status, "variants: %s", variant->label));
        WSR_TRY(wsr__optim_reserve(variant->estimator->optim));
        // A shortage of memory shows before the first step.
        const size_t fit[3] = {b->batch, b->sources, 1};
        const size_t test[3] = {b->batch, b->sources, b->config->attack.eps.n};
        WSR_TRY(wsr__estimator_plan_for(&plan, variant->estimator, fit, true));
        variant->bytes = (double)wsr_plan_bytes(plan);
        WSR_TRY(
            wsr__estimator_plan_for(&plan, variant->estimator, test, false));
        variant->bytes = fmax(variant->bytes, (double)wsr_plan_bytes(plan));
    }
out:
    return status;
}

static wsr_status make_array(float **out, size_t n)
{
    *out = wsr__alloc(n, sizeof(**out));
    return *out != NULL ? WSR_OK : WSR_NOMEM;
}

static wsr_status make_arrays(wsr__estimate *b)
{
    wsr_status status = WSR_OK;
    const size_t floats = b->batch * b->pixels;
    const size_t strengths = b->config->attack.eps.n;
    const size_t noises = b->sources + 1;
    const size_t most = noises > strengths ? noises : strengths;
    for (size_t k = 0; k < noises; k++) {
        WSR_TRY(make_array(&b->noise[k], floats));
    }
    for (size_t j = 0; j < strengths; j++) {
        WSR_TRY(make_array(&b->wanted[j], floats));
        WSR_TRY(make_array(&b->estimate[j], floats));
    }
    WSR_TRY(make_array(&b->norms, most * b->batch));
    // The samples in their order, and shuffled.
    b->samples = wsr__alloc(2 * noises * b->batch, sizeof(*b->samples));
    b->order = wsr__alloc(noises * b->batch, sizeof(*b->order));
    if (b->samples == NULL || b->order == NULL) {
        status = WSR_NOMEM;
    }
out:
    return status;
}

wsr_status wsr__estimate_open(wsr__estimate *b)
{
    wsr_status status = WSR_OK;
    b->batch = (size_t)b->config->estimator.batch;
    b->sources = b->config->attack.sources.n;
    WSR_TRY(make_loaders(b));
    b->pixels = (size_t)wsr_shape_count(wsr_loader_shape(b->train_loader));
    WSR_TRY(make_variants(b));
    WSR_TRY(make_arrays(b));
    for (size_t i = 0; i < b->n_nets; i++) {
        WSR_TRY(wsr__estimate_make_plans(b, i));
        b->test_of[i].pgd_seconds = NAN;
    }
out:
    return status;
}

static void close_net(wsr__estimate_net *net)
{
    wsr_plan_free(net->attack);
    wsr_plan_free(net->forward);
    wsr_net_free(net->net);
    wsr__free(net->override);
    wsr__free(net->cells);
    wsr__free(net->label);
}

// Plans go before the arena that they lie in, and loaders before their data.
void wsr__estimate_close(wsr__estimate *b)
{
    for (size_t i = 0; i < b->n_nets; i++) {
        close_net(&b->nets[i]);
    }
    wsr__arena_free(&b->arena);
    for (size_t v = 0; v < b->n_variants; v++) {
        wsr_estimator_free(b->variants[v].estimator);
        wsr__free(b->variants[v].options);
        wsr__free(b->variants[v].label);
    }
    for (size_t k = 0; k < WSR__ESTIMATE_NOISES; k++) {
        wsr__free(b->noise[k]);
    }
    for (size_t j = 0; j < WSR__LIST_SIZE; j++) {
        wsr__free(b->wanted[j]);
        wsr__free(b->estimate[j]);
    }
    wsr__free(b->norms);
    wsr__free(b->samples);
    wsr__free(b->order);
    wsr_loader_free(b->train_loader);
    wsr_loader_free(b->test_loader);
    wsr_dataset_free(b->test);
    wsr_dataset_free(b->train);
}

// -------------------------------------------------------------------- order

// Networks that train, unless it is as released; the last one of several is
// new to the estimators if the option allows it.
static size_t train_networks(const wsr__estimate *b)
{
    const size_t wanted = (size_t)b->config->estimator.train_networks;
    const size_t most = b->n_nets > 1 ? b->n_nets - 1 : 1;
    return wanted < most ? wanted : wanted < b->n_nets ? wanted : most;
}

// As released a counter that is never reset changes the network once, and each
// validation leaves the last network behind.
size_t wsr__estimate_active(const wsr__estimate *b, size_t epoch, size_t at)
{
    enum { CHANGE = 99 };
    if (b->quirks.one_turn) {
        const size_t second = b->n_nets > 1 ? 1 : 0;
        return epoch == 0 && at >= CHANGE ? second : b->n_nets - 1;
    }
    const size_t turn = (epoch * b->train_batches + at) /
                        (size_t)b->config->estimator.rotate;
    return turn % train_networks(b);
}

bool wsr__estimate_is_seen(const wsr__estimate *b, size_t net)
{
    if (b->quirks.one_turn) {
        return net == b->n_nets - 1 || net == wsr__estimate_active(b, 0, 1000);
    }
    return net < train_networks(b);
}

// Steps of the part and of its stage, counted in batches. An epoch is a
// validation of all networks and a training.
static void count_steps(size_t steps[4], const wsr__estimate *b)
{
    const size_t validation = b->n_nets * b->val_batches;
    const size_t epoch = validation + b->train_batches;
    const size_t done = b->net * b->val_batches + b->at;
    if (b->part == WSR__ESTIMATE_STRENGTHS) {
        steps[0] = steps[2] = done;
        steps[1] = steps[3] = validation;
        return;
    }
    const bool fit = b->part == WSR__ESTIMATE_FIT;
    steps[0] = fit ? b->at : done;
    steps[1] = fit ? b->train_batches : validation;
    steps[2] = b->epoch * epoch + (fit ? validation : 0) + steps[0];
    steps[3] = (size_t)b->config->estimator.epochs * epoch + validation;
}

wsr_status wsr__estimate_tell(const wsr__estimate *b, wsr__run *run)
{
    static const char *const phases[] = {"validate", "estimators", "strengths",
                                         "done"};
    size_t steps[4];
    char note[160];
    count_steps(steps, b);
    (void)snprintf(note, sizeof(note), "%s, epoch %zu",
                   b->nets[b->net < b->n_nets ? b->net : 0].label, b->epoch);
    const wsr_progress told = {.phase = phases[b->part],
                               .step = steps[0],
                               .steps = steps[1],
                               .done = (double)steps[2] / (double)steps[3],
                               .note = note};
    return wsr__run_tell(run, &told);
}

wsr_status wsr__estimate_batch_done(wsr__estimate *b, wsr__run *run)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__run_checkpoint_now_and_then(run, &b->saved));
    WSR_TRY(wsr__estimate_tell(b, run));
out:
    return status;
}
