// SPDX-License-Identifier: Apache-2.0
//
// Training of an estimator. Each noise that an attack found for an image is
// estimated from the other noises of that image (leave one out); the loss is
// the mean squared difference.
//
// As released the learning rate rises for 4000 steps, more than a search
// takes, and each round is one pass over the memory, so that early estimates
// are nearly random. As intended it rises for 50 steps and then stays, and a
// round is four passes.

#include "estimator/estimator.h"

#include <math.h>
#include <string.h>

typedef struct appending {
    wsr_estimator *estimator;
    const float *const *noises;
    const float *images;
    size_t n;
    size_t batch;
} appending;

static double square_sum(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i] * (double)x[i];
    }
    return sum;
}

// The sample of image b in which noise `left_out` is to be estimated.
static void append(const appending *a, size_t b, size_t left_out)
{
    wsr__ae_memory *const memory = &a->estimator->memory;
    const size_t pixels = memory->pixels;
    const size_t bytes = pixels * sizeof(float);
    const float *const label = a->noises[left_out] + b * pixels;
    float *at = wsr__ae_memory_push(memory);
    memcpy(at, a->images + b * pixels, bytes);
    for (size_t i = 0; i < a->n; i++) {
        if (i != left_out) {
            at += pixels;
            memcpy(at, a->noises[i] + b * pixels, bytes);
        }
    }
    at += pixels;
    memcpy(at, label, bytes);
    at[pixels] = (float)sqrt(square_sum(label, pixels));
}

// n noises of each image make n samples, each with another one left out.
wsr_status wsr_estimator_remember(wsr_estimator *estimator,
                                  const float *const *noises,
                                  const float *images, size_t n, size_t batch)
{
    wsr_status status = WSR_OK;
    const appending a = {estimator, noises, images, n, batch};
    if (n < 2 || n > WSR_ESTIMATOR_SOURCES + 1) {
        return WSR_FAIL(WSR_ARG, "estimator: noises: %zu is outside [2, %d]", n,
                        WSR_ESTIMATOR_SOURCES + 1);
    }
    WSR_TRY(wsr__ae_memory_reserve(&estimator->memory, n - 1));
    for (size_t k = 0; k < n; k++) {
        for (size_t b = 0; b < batch; b++) {
            append(&a, b, k);
        }
    }
out:
    return status;
}

size_t wsr_estimator_remembered(const wsr_estimator *estimator)
{
    return (size_t)estimator->memory.counters[1];
}

// ---------------------------------------------------------------- gradient

// Mean of the losses of target t. Sets their gradient: that of the mean over
// all targets. There is none where nothing is to be learned.
static double target_loss(wsr_plan *plan, size_t t, const size_t counts[3])
{
    char name[32];
    double sum = 0;
    (void)snprintf(name, sizeof(name), "loss%zu", t);
    const float *const loss = wsr_plan_dst(plan, name);
    float *const diff = wsr_plan_diff_dst(plan, name);
    for (size_t b = 0; b < counts[0]; b++) {
        sum += (double)loss[b];
        if (diff != NULL) {
            diff[b] = 1.0F / (float)(counts[0] * counts[2]);
        }
    }
    return sum / (double)counts[0];
}

// The estimates have no gradient of their own. Plans share memory, so what
// another plan left there is cleared.
static void clear_diff(wsr_plan *plan, size_t t)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "dst%zu", t);
    float *const diff = wsr_plan_diff_dst(plan, name);
    if (diff != NULL) {
        memset(diff, 0,
               sizeof(*diff) *
                   (size_t)wsr_shape_count(wsr_plan_shape(plan, name)));
    }
}

wsr_status wsr__estimator_gradient(double *loss, wsr_estimator *estimator,
                                   const wsr__estimator_sample *samples,
                                   const size_t counts[3])
{
    wsr_status status = WSR_OK;
    wsr_plan *plan = NULL;
    double sum = 0;
    WSR_TRY(wsr__estimator_plan_for(&plan, estimator, counts, true));
    wsr__estimator_prepare(plan, estimator, samples, counts);
    WSR_TRY(wsr_plan_forward(plan));
    for (size_t t = 0; t < counts[2]; t++) {
        sum += target_loss(plan, t, counts) / (double)counts[2];
        clear_diff(plan, t);
    }
    *loss = sum;
    WSR_TRY(wsr_plan_backward(plan));
out:
    return status;
}

// ------------------------------------------------------------------- train

static wsr_status train_batch(double *loss, wsr_estimator *est,
                              const size_t counts[3])
{
    wsr_status status = WSR_OK;
    wsr_params_zero_grad(est->params, true);
    WSR_TRY(wsr__estimator_gradient(loss, est, est->samples, counts));
    if (!isfinite(*loss)) {
        status = WSR_FAIL(WSR_NUMERIC,
                          "estimator: loss of step %lld is not finite",
                          (long long)est->steps);
        goto out;
    }
    const double lr =
        wsr_sched_rate(est->sched, est->common->lr, est->steps, INT64_MAX / 2);
    WSR_TRY(wsr_optim_step(est->optim, lr));
    est->steps++;
out:
    return status;
}

// One pass: batches in random order; a rest that fills no batch is left out,
// unless there is nothing else.
static wsr_status pass(double *sum, size_t *batches, wsr_estimator *est,
                       uint64_t round, uint32_t number)
{
    wsr_status status = WSR_OK;
    const size_t count = wsr_estimator_remembered(est);
    const wsr__estimator_options *const o = est->common;
    size_t batch = (size_t)o->batch;
    if (count < batch && !wsr__streq(o->fidelity.s, "released")) {
        batch = count;
    }
    const size_t counts[3] = {batch, est->memory.sources, 1};
    wsr__rng rng = wsr__rng_at(est->seed, WSR__RNG_MEMORY, round, number);
    wsr__rng_permutation(&rng, est->permutation, (uint32_t)count);
    for (size_t at = 0; batch > 0 && at + batch <= count; at += batch) {
        double loss = 0;
        for (size_t i = 0; i < batch; i++) {
            est->samples[i] =
                wsr__ae_memory_at(&est->memory, est->permutation[at + i]);
        }
        WSR_TRY(train_batch(&loss, est, counts));
        *sum += loss;
        (*batches)++;
    }
out:
    return status;
}

wsr_status wsr_estimator_train(double *loss, wsr_estimator *estimator,
                               uint64_t round)
{
    wsr_status status = WSR_OK;
    const wsr__estimator_options *const o = estimator->common;
    const int64_t by_fidelity = wsr__streq(o->fidelity.s, "released") ? 1 : 4;
    const int64_t passes = o->passes > 0 ? o->passes : by_fidelity;
    double sum = 0;
    size_t batches = 0;
    WSR_TRY(wsr__reserve((void **)&estimator->samples,
                         &estimator->sample_capacity, (size_t)o->batch,
                         sizeof(*estimator->samples)));
    WSR_TRY(wsr__reserve(
        (void **)&estimator->permutation, &estimator->permutation_capacity,
        estimator->memory.capacity, sizeof(*estimator->permutation)));
    for (int64_t i = 0; i < passes; i++) {
        WSR_TRY(pass(&sum, &batches, estimator, round, (uint32_t)i));
    }
    if (loss != NULL) {
        *loss = batches > 0 ? sum / (double)batches : (double)NAN;
    }
out:
    return status;
}
