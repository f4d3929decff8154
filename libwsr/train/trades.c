// SPDX-License-Identifier: Apache-2.0
//
// TRADES: the loss of clean images, and beta times how far the prediction moves
// under attack,
//
//   x' = the image in the ball around x of largest KL(p(x) || p(x')), by
//        PGD from x + noise on running statistics
//   loss = CE(f(x), y) + beta KL(p(x) || p(x')) + w CE(aux(x), y)
//
// p = softmax f, KL a mean over images, whose gradient flows through both of
// its sides. Zhang et al. 2019, arXiv:1901.08573. One clean pass serves both
// terms; with second_clean_pass there is another one for KL, as in the authors'
// code: the same gradient, but running statistics move once more.
//
// fidelity=released gives the second term clean images on both sides, as the
// code that Wsr-NAS descends from does, so that it is 0.

#include "base/fidelity.h"
#include "train/inner.h"
#include "train/train.h"

#include <math.h>
#include <stddef.h>

typedef struct params {
    double beta;
    double eps;
    int64_t steps;
    double alpha;
    double noise;
    wsr__text norm;
    bool second_clean_pass;
    wsr__text fidelity;
} params;

static const char *const norms[] = {"linf", "l2", NULL};

static const wsr__option schema[] = {
    {"beta", WSR__FLOAT, offsetof(params, beta), "6", 0, 1000, "",
     "weight of the divergence", NULL},
    {"eps", WSR__FLOAT, offsetof(params, eps), "0.031", 0, 100, "",
     "strength of the attack", NULL},
    {"steps", WSR__INT, offsetof(params, steps), "10", 1, 1000, "steps",
     "steps of the attack", NULL},
    {"alpha", WSR__FLOAT, offsetof(params, alpha), "0.007", 0, 100, "",
     "length of a step, 0: 2.5 eps / steps; l2 has always 2 eps / steps", NULL},
    {"noise", WSR__FLOAT, offsetof(params, noise), "0.001", 0, 1, "",
     "deviation of the normal start", NULL},
    {"norm", WSR__WORD, offsetof(params, norm), "linf", 0, 0, "", "of the ball",
     norms},
    {"second_clean_pass", WSR__BOOL, offsetof(params, second_clean_pass),
     "false", 0, 0, "", "a clean pass of its own for the divergence", NULL},
    {"fidelity", WSR__WORD, offsetof(params, fidelity), "intended", 0, 0, "",
     "released: the divergence is of clean images from themselves",
     wsr__fidelity_words},
    {0},
};

static unsigned attack(const void *options)
{
    (void)options;
    return WSR_GRAD_INPUT;
}

// -------------------------------------------------------------- the l2 ball

typedef struct l2 {
    double length; // of a step
    uint64_t seed;
    uint64_t id;
} l2;

// A direction for an image whose gradient is zero, as long as the authors' is.
static void random_step(float *x, const wsr__ball *ball, uint64_t row,
                        const l2 *of)
{
    wsr__rng rng = wsr__rng_at(of->seed, WSR__RNG_ATTACK, of->id + row, 1);
    for (int64_t i = 0; i < ball->d; i++) {
        x[i] += (float)(of->length * wsr__rng_normal(&rng));
    }
}

// A step of one length, then into the pixel range, then into the ball along the
// radius.
static void l2_move(float *x, const float *grad, const wsr__ball *ball,
                    uint64_t row, void *ctx)
{
    const l2 *const of = ctx;
    double sum = 0;
    for (int64_t i = 0; i < ball->d; i++) {
        sum += (double)grad[i] * (double)grad[i];
    }
    if (sum > 0) {
        const double scale = of->length / sqrt(sum);
        for (int64_t i = 0; i < ball->d; i++) {
            x[i] = (float)((double)x[i] + scale * (double)grad[i]);
        }
    } else {
        random_step(x, ball, row, of);
    }
    for (int64_t i = 0; i < ball->d; i++) {
        x[i] = fminf(fmaxf(x[i], ball->box.lo), ball->box.hi);
    }
    const double far = wsr__distance(WSR__L2, x, ball->x0, ball->d);
    const double shrink = (double)ball->eps / (far + 1e-7);
    for (int64_t i = 0; i < ball->d && far > (double)ball->eps; i++) {
        const double c = (double)ball->x0[i];
        x[i] = (float)(c + shrink * ((double)x[i] - c));
    }
}

// ----------------------------------------------------------------- the step

static wsr_status attack_images(wsr__train_step *step, const params *p)
{
    wsr_status status = WSR_OK;
    l2 of = {2 * p->eps / (double)p->steps, step->seed, step->id};
    WSR_TRY(wsr__train_step_clean_logits(step));
    const wsr__pgd pgd = {
        .eps = (float)p->eps,
        .alpha = wsr__attack_alpha(p->alpha, p->eps, p->steps),
        .steps = (size_t)p->steps,
        .gaussian = (float)p->noise,
        .seed = step->seed,
        .id = step->id,
        .loss = wsr__loss_kl,
        .clean = step->logits,
        .start = step->start_noise,
        .start_outside = true,
        .move = wsr__streq(p->norm.s, "l2") ? l2_move : NULL,
        .ctx = &of};
    WSR_TRY(wsr__train_step_pgd(step, &pgd));
out:
    return status;
}

// loss = beta KL, its gradient by the logits of both passes; that of the clean
// ones is added to the gradient that is there already.
static wsr_status divergence(double *loss, const wsr__train_step *step,
                             double beta)
{
    wsr_status status = WSR_OK;
    float *const by_clean = step->logits;
    float *const to_clean = wsr_plan_diff_dst(step->plan, "logits");
    float *const to_attacked = wsr_plan_diff_dst(step->second, "logits");
    WSR_TRY(wsr_kl_divergence(loss, to_attacked, by_clean,
                              wsr_plan_dst(step->second, "logits"),
                              wsr_plan_dst(step->plan, "logits"),
                              wsr_plan_shape(step->plan, "logits")));
    *loss *= beta;
    for (size_t i = 0; i < step->n * step->classes; i++) {
        to_attacked[i] *= (float)beta;
        to_clean[i] += (float)beta * by_clean[i];
    }
out:
    return status;
}

// The statistics of the attacked pass move between those of the two clean ones.
static wsr_status batch(wsr__train_step *step, const void *options)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    const bool slip = wsr__streq(p->fidelity.s, "released");
    double kl = 0;
    double none = 0;
    if (!step->reuse) {
        WSR_TRY(attack_images(step, p));
        wsr__train_step_mix(step);
    }
    WSR_TRY(wsr__train_step_forward(step, step->plan, step->x));
    WSR_TRY(wsr__train_step_forward(step, step->second,
                                    slip ? step->x : step->x_adv));
    if (p->second_clean_pass) {
        WSR_TRY(wsr__train_step_forward(step, step->plan, step->x));
    }
    WSR_TRY(wsr__train_step_loss(&step->loss, &step->clean, step, step->plan,
                                 (wsr__pass){1, step->auxiliary}));
    WSR_TRY(wsr__train_step_loss(&none, &step->correct, step, step->second,
                                 (wsr__pass){0, 0}));
    WSR_TRY(divergence(&kl, step, p->beta));
    step->clean_known = true;
    step->loss += kl;
    WSR_TRY(wsr_plan_backward(step->plan));
    WSR_TRY(wsr__train_step_last_backward(step, step->second));
out:
    return status;
}

static double passes(const void *options)
{
    const params *const p = options;
    return (double)p->steps + 2.5 + (p->second_clean_pass ? 0.5 : 0);
}

const wsr__trainer_class wsr__trainer_trades = {
    .super = {.name = "trades",
              .summary = "clean images, and a prediction that attacks do not "
                         "move (TRADES)",
              .reference = "Zhang et al. 2019, arXiv:1901.08573",
              .schema = schema,
              .params_size = sizeof(params)},
    .attack = attack,
    .two_passes = true,
    .passes = passes,
    .batch = batch,
};
