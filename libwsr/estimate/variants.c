// SPDX-License-Identifier: Apache-2.0
//
// The estimators of the bench. All variants learn from the same samples in the
// same order: the noises of a batch of B images give n B samples, which are
// shuffled and fall into n parts, with an optimiser step on each (in the
// released harness four parts of 32).
//
//   loss = mean over samples and pixels of (estimate - noise left out)^2
//
// The learning rate rises with batches, not with steps.

#include "estimate/estimate.h"

#include <math.h>
#include <string.h>

// Image i with noise k left out. Samples point into the noises; nothing is
// copied.
static void lay_out(wsr__estimator_sample *s, const wsr__estimate *b,
                    const float *images, size_t k, size_t i)
{
    const size_t at = i * b->pixels;
    size_t source = 0;
    s->image = images + at;
    s->label = b->noise[k] + at;
    s->target = &b->norms[k * b->batch + i];
    for (size_t j = 0; j <= b->sources; j++) {
        if (j != k) {
            s->noise[source++] = b->noise[j] + at;
        }
    }
}

void wsr__estimate_samples(wsr__estimate *b, const wsr_batch *batch)
{
    const float *const images = wsr_batch_images(batch);
    for (size_t k = 0; k <= b->sources; k++) {
        for (size_t i = 0; i < b->batch; i++) {
            lay_out(&b->samples[k * b->batch + i], b, images, k, i);
        }
    }
}

static wsr_status check_loss(const wsr__estimate *b,
                             const wsr__estimate_variant *v, double loss)
{
    if (isfinite(loss)) {
        return WSR_OK;
    }
    return b->zero > 0
               ? WSR_FAIL(WSR_NUMERIC,
                          "%s: loss of epoch %zu, batch %zu, is not finite: "
                          "%zu noises are zero, which only guard=intended "
                          "allows",
                          v->label, b->epoch + 1, b->at + 1, b->zero)
               : WSR_FAIL(WSR_NUMERIC,
                          "%s: loss of epoch %zu, batch %zu, is not finite",
                          v->label, b->epoch + 1, b->at + 1);
}

// One part of the shuffled samples.
static wsr_status step(double *loss, wsr__estimate *b, wsr__estimate_variant *v,
                       const wsr__estimator_sample *part)
{
    wsr_status status = WSR_OK;
    wsr_estimator *const est = v->estimator;
    const size_t counts[3] = {b->batch, b->sources, 1};
    if (!b->quirks.accumulate) {
        wsr_params_zero_grad(est->params, true);
    }
    WSR_TRY(wsr__estimator_gradient(loss, est, part, counts));
    WSR_TRY(check_loss(b, v, *loss));
    WSR_TRY(
        wsr_optim_step(est->optim, wsr_sched_rate(est->sched, est->common->lr,
                                                  est->steps, INT64_MAX / 2)));
out:
    return status;
}

static wsr_status fit(wsr__estimate *b, wsr__estimate_variant *v,
                      const wsr__estimator_sample *shuffled)
{
    wsr_status status = WSR_OK;
    const size_t parts = b->sources + 1;
    wsr_params_zero_grad(v->estimator->params, true);
    for (size_t q = 0; q < parts; q++) {
        double loss = 0;
        WSR_TRY(step(&loss, b, v, shuffled + q * b->batch));
        v->loss += loss / (double)parts;
    }
    v->estimator->steps++;
out:
    return status;
}

// The second half of `samples` takes the shuffled ones.
wsr_status wsr__estimate_fit(wsr__estimate *b)
{
    wsr_status status = WSR_OK;
    const size_t n = (b->sources + 1) * b->batch;
    wsr__estimator_sample *const shuffled = b->samples + n;
    const uint64_t serial = b->epoch * b->train_batches + b->at;
    wsr__rng rng = wsr__rng_at(b->seed, WSR__RNG_MEMORY, serial, 0);
    wsr__rng_permutation(&rng, b->order, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        shuffled[i] = b->samples[b->order[i]];
    }
    for (size_t v = 0; v < b->n_variants; v++) {
        WSR_TRY(fit(b, &b->variants[v], shuffled));
    }
out:
    return status;
}

// One line, in which each variant has a loss of its own.
static wsr_status log_epoch(const wsr__estimate *b, wsr__run *run,
                            double seconds)
{
    wsr_status status = WSR_OK;
    wsr__json *line = NULL;
    WSR_TRY(wsr__run_log_begin(&line, run->log, "epoch"));
    wsr__json_text(line, "phase", "estimators");
    wsr__json_integer(line, "epoch", (int64_t)b->epoch + 1);
    for (size_t v = 0; v < b->n_variants; v++) {
        char key[160];
        (void)snprintf(key, sizeof(key), "%s_loss", b->variants[v].label);
        wsr__json_number(line, key,
                         b->variants[v].loss / (double)b->train_batches);
    }
    wsr__json_float(line, "seconds", (float)seconds);
    WSR_TRY(wsr__run_log_end(run->log));
out:
    return status;
}

// Random strengths of training batches have the numbers from 1 on.
static wsr_status fit_batch(wsr__estimate *b, wsr__run *run)
{
    wsr_status status = WSR_OK;
    const wsr_batch *batch = NULL;
    const uint64_t serial = 1 + b->epoch * b->train_batches + b->at;
    b->net = wsr__estimate_active(b, b->epoch, b->at);
    WSR_TRY(wsr_loader_seek(b->train_loader, b->quirks.in_order ? 0 : b->epoch,
                            b->at));
    WSR_TRY(wsr_loader_next(&batch, b->train_loader));
    WSR_TRY(wsr__estimate_noises(b, run, batch, serial));
    wsr__estimate_samples(b, batch);
    WSR_TRY(wsr__estimate_fit(b));
    b->at++;
    WSR_TRY(wsr__estimate_batch_done(b, run));
out:
    return status;
}

wsr_status wsr__estimate_fit_epoch(wsr__estimate *b, wsr__run *run)
{
    wsr_status status = WSR_OK;
    const double begun = wsr__seconds();
    for (size_t v = 0; b->at == 0 && v < b->n_variants; v++) {
        b->variants[v].loss = 0;
    }
    while (b->at < b->train_batches) {
        WSR_TRY(fit_batch(b, run));
    }
    WSR_TRY(log_epoch(b, run, wsr__seconds() - begun));
out:
    return status;
}

// ---------------------------------------------------------------- estimates

// Only norms of zero yield such estimates: of a noise, or of what a variant
// makes of it. Zeros stand for no noise.
int64_t wsr__estimate_define(float *noise, const wsr__estimate *b)
{
    int64_t undefined = 0;
    for (size_t i = 0; i < b->batch; i++) {
        float *const x = noise + i * b->pixels;
        size_t at = 0;
        while (at < b->pixels && isfinite(x[at])) {
            at++;
        }
        if (at < b->pixels) {
            memset(x, 0, b->pixels * sizeof(*x));
            undefined++;
        }
    }
    return undefined;
}

wsr_status wsr__estimate_infer(float *dst, wsr__estimate *b, size_t variant,
                               const wsr__estimator_sample *samples)
{
    wsr_status status = WSR_OK;
    wsr_estimator *const est = b->variants[variant].estimator;
    const size_t counts[3] = {b->batch, b->sources, 1};
    wsr_plan *plan = NULL;
    WSR_TRY(wsr__estimator_plan_for(&plan, est, counts, false));
    wsr__estimator_prepare(plan, est, samples, counts);
    WSR_TRY(wsr_plan_forward(plan));
    memcpy(dst, wsr_plan_dst(plan, "dst0"),
           b->batch * b->pixels * sizeof(*dst));
out:
    return status;
}
