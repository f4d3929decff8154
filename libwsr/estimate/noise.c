// SPDX-License-Identifier: Apache-2.0
//
// Noises that PGD finds for a batch, and the accuracy of a network under any
// noise. The attack is that of search and training: no random start, all steps
// taken, step = rel_stepsize eps / steps.

#include "estimate/estimate.h"

#include "attack/engine/loss.h"
#include "attack/engine/pgd_plan.h"
#include "comm/comm.h"

#include <math.h>
#include <string.h>

double wsr__estimate_dot(const float *x, const float *y, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i] * (double)y[i];
    }
    return sum;
}

double wsr__estimate_norm(const float *x, size_t n)
{
    return sqrt(wsr__estimate_dot(x, x, n));
}

// A network whose logits do not depend on the image finds no noise.
wsr_status wsr__estimate_pgd(float *noise, wsr__estimate *b, size_t net,
                             const wsr_batch *batch, double eps)
{
    wsr_status status = WSR_OK;
    const wsr__estimate_attack *const a = &b->config->attack;
    const float *const x = wsr_batch_images(batch);
    wsr_plan *const plan = b->nets[net].attack;
    const wsr__pgd pgd = {
        .eps = (float)eps,
        .alpha = (float)(a->rel_stepsize * eps / (double)a->steps),
        .steps = (size_t)a->steps};
    if (wsr_plan_diff_src(plan, "x") == NULL) {
        memset(noise, 0, b->batch * b->pixels * sizeof(*noise));
        return WSR_OK;
    }
    WSR_TRY(wsr__pgd_plan(noise, plan, x, wsr_batch_labels(batch), &pgd));
    for (size_t i = 0; i < b->batch * b->pixels; i++) {
        noise[i] -= x[i];
    }
out:
    return status;
}

// Their norms, (noises, batch), and how many of them are zero: those have no
// direction that an estimator could learn.
static void measure(wsr__estimate *b, size_t noises)
{
    b->zero = 0;
    for (size_t k = 0; k < noises; k++) {
        for (size_t i = 0; i < b->batch; i++) {
            const double norm =
                wsr__estimate_norm(b->noise[k] + i * b->pixels, b->pixels);
            b->norms[k * b->batch + i] = (float)norm;
            b->zero += norm == 0;
        }
    }
}

// Once a run: what a model with vanishing gradients does to all of its noises.
static void warn(wsr__estimate *b, size_t noises)
{
    if (b->zero > 0 && !b->told) {
        wsr__log(WSR_LOG_WARNING,
                 "%s: PGD left %zu of %zu images of a batch unchanged, their "
                 "noise is zero",
                 b->nets[b->net].label, b->zero, noises * b->batch);
        b->told = true;
    }
}

// Processes make a share of the noises each. The hook hears of every attack,
// before anything of the batch was counted, so that a run that is stopped here
// repeats the batch. It is asked by all processes together, also by one that
// has failed or has nothing left to do.
wsr_status wsr__estimate_attacks(float *const *noise, wsr__estimate *b,
                                 wsr__run *run, const wsr_batch *batch,
                                 const wsr__floats *eps)
{
    wsr_status status = WSR_OK;
    wsr_status own = WSR_OK;
    const size_t bytes = b->batch * b->pixels * sizeof(**noise);
    const size_t ranks = wsr_comm_size();
    const wsr__items mine = wsr__comm_share(eps->n, wsr_comm_rank());
    for (size_t i = 0; i < (eps->n + ranks - 1) / ranks; i++) {
        const size_t k = mine.begin + i;
        WSR_TRY(wsr__estimate_tell(b, run));
        if (k < mine.end && own == WSR_OK) {
            own = wsr__estimate_pgd(noise[k], b, b->net, batch, eps->v[k]);
        }
    }
    WSR_TRY(wsr__comm_agree(own));
    for (size_t k = 0; k < eps->n; k++) {
        WSR_TRY(
            wsr__comm_broadcast(noise[k], bytes, wsr__comm_owner(eps->n, k)));
    }
out:
    return status;
}

wsr_status wsr__estimate_noises(wsr__estimate *b, wsr__run *run,
                                const wsr_batch *batch, uint64_t serial)
{
    wsr_status status = WSR_OK;
    const wsr__estimate_attack *const a = &b->config->attack;
    wsr__floats eps = a->sources;
    if (serial > 0) {
        wsr__rng rng = wsr__rng_at(b->seed, WSR__RNG_STRENGTH, serial, 0);
        eps.v[eps.n++] = a->random_eps * (double)wsr__rng_uniform(&rng);
    }
    WSR_TRY(wsr__estimate_attacks(b->noise, b, run, batch, &eps));
    measure(b, eps.n);
    warn(b, eps.n);
out:
    return status;
}

static void perturb(float *out, const float *x, const float *noise, size_t n,
                    bool clamp)
{
    for (size_t i = 0; i < n; i++) {
        const float v = x[i] + (noise == NULL ? 0 : noise[i]);
        out[i] = !clamp ? v : v < 0 ? 0 : v > 1 ? 1 : v;
    }
}

wsr_status wsr__estimate_count(int64_t *correct, wsr__estimate *b, size_t net,
                               const wsr_batch *batch, const float *noise,
                               bool clamp)
{
    wsr_status status = WSR_OK;
    wsr_plan *const plan = b->nets[net].forward;
    const size_t classes = wsr_net_classes(b->nets[net].net);
    float *const src = wsr_plan_src(plan, "x");
    if (src != NULL) {
        perturb(src, wsr_batch_images(batch), noise, b->batch * b->pixels,
                clamp);
    }
    WSR_TRY(wsr_plan_forward(plan));
    const float *const z = wsr_plan_dst(plan, "logits");
    for (size_t i = 0; i < b->batch; i++) {
        const int32_t found = wsr__argmax(z + i * classes, classes);
        *correct += found == wsr_batch_labels(batch)[i];
    }
out:
    return status;
}
