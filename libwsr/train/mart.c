// SPDX-License-Identifier: Apache-2.0
//
// MART: adversarial training that minds images which are misclassified without
// an attack,
//
//   x' = PGD on CE from x + noise, running statistics
//   loss = CE(f(x'), y) - log(1.0001 - max_{c != y} p(x')_c)
//          + beta (1 - p(x)_y) KL(p(x) || p(x')) + w CE(aux(x'), y)
//
// with p = softmax f, means over images, and gradients through both passes.
// Wang et al. 2020, "Improving adversarial robustness requires revisiting
// misclassified examples". The constants are those of the authors' code.

#include "kernel/softmax_cross_entropy.h"
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
} params;

static const wsr__option schema[] = {
    {"beta", WSR__FLOAT, offsetof(params, beta), "6", 0, 1000, "",
     "weight of the divergence", NULL},
    {"eps", WSR__FLOAT, offsetof(params, eps), "0.031", 0, 1, "",
     "strength of the attack", NULL},
    {"steps", WSR__INT, offsetof(params, steps), "10", 1, 1000, "steps",
     "steps of the attack", NULL},
    {"alpha", WSR__FLOAT, offsetof(params, alpha), "0.007", 0, 1, "",
     "length of a step, 0: 2.5 eps / steps", NULL},
    {"noise", WSR__FLOAT, offsetof(params, noise), "0.001", 0, 1, "",
     "deviation of the normal start", NULL},
    {0},
};

static unsigned attack(const void *options)
{
    (void)options;
    return WSR_GRAD_INPUT;
}

static wsr_status attack_images(wsr__train_step *step, const params *p)
{
    const wsr__pgd pgd = {
        .eps = (float)p->eps,
        .alpha = wsr__attack_alpha(p->alpha, p->eps, p->steps),
        .steps = (size_t)p->steps,
        .gaussian = (float)p->noise,
        .seed = step->seed,
        .id = step->id,
        .start = step->start_noise,
        .start_outside = true};
    return wsr__train_step_pgd(step, &pgd);
}

// One image. Probabilities are p of the attacked one and q of the clean one.
typedef struct pair {
    const float *attacked; // logits
    const float *clean;
    double norm_attacked; // log of the sum of their exponentials
    double norm_clean;
    size_t classes;
    size_t label;
    double scale; // of gradients: 1 / n
} pair;

static double log_p(const pair *a, size_t c)
{
    return (double)a->attacked[c] - a->norm_attacked;
}

static double log_q(const pair *a, size_t c)
{
    return (double)a->clean[c] - a->norm_clean;
}

// -log(1.0001 - p_k), k the likeliest class apart from the label; its gradient
// is p_k (e_k - p) / (1.0001 - p_k).
static double add_margin(float *dz, const pair *a)
{
    const size_t k =
        (size_t)wsr__ranked(a->attacked, a->classes, (int32_t)a->label, 0);
    const double p_k = exp(log_p(a, k));
    const double rest = 1.0001 - p_k + 1e-12;
    for (size_t c = 0; c < a->classes; c++) {
        const double d = (c == k ? 1 : 0) - exp(log_p(a, c));
        dz[c] += (float)(a->scale * p_k * d / rest);
    }
    return -log(rest);
}

// beta (1 - q_y) KL(q || p), its gradient by the logits of both images.
static double add_divergence(float *by_attacked, float *by_clean, const pair *a,
                             double beta)
{
    double kl = 0;
    const double q_y = exp(log_q(a, a->label));
    const double weight = 1.0000001 - q_y;
    const double scale = beta * a->scale;
    for (size_t c = 0; c < a->classes; c++) {
        kl += exp(log_q(a, c)) * (log_q(a, c) - log_p(a, c));
    }
    for (size_t c = 0; c < a->classes; c++) {
        const double q = exp(log_q(a, c));
        const double of_weight = q_y * ((c == a->label ? 1 : 0) - q);
        const double of_kl = q * (log_q(a, c) - log_p(a, c) - kl);
        by_attacked[c] += (float)(scale * weight * (exp(log_p(a, c)) - q));
        by_clean[c] += (float)(scale * (weight * of_kl - kl * of_weight));
    }
    return beta * weight * kl;
}

// What the loss has beyond the cross entropy of the attacked images.
static double add_terms(const wsr__train_step *step, double beta)
{
    const size_t classes = step->classes;
    const float *const clean = wsr_plan_dst(step->plan, "logits");
    const float *const attacked = wsr_plan_dst(step->second, "logits");
    float *const by_clean = wsr_plan_diff_dst(step->plan, "logits");
    float *const by_attacked = wsr_plan_diff_dst(step->second, "logits");
    double sum = 0;
    for (size_t i = 0; i < step->n; i++) {
        const size_t at = i * classes;
        const pair a = {attacked + at,
                        clean + at,
                        wsr__log_sum_exp(attacked + at, classes),
                        wsr__log_sum_exp(clean + at, classes),
                        classes,
                        (size_t)step->labels[i],
                        1 / (double)step->n};
        sum += add_margin(by_attacked + at, &a);
        sum += add_divergence(by_attacked + at, by_clean + at, &a, beta);
    }
    return sum / (double)step->n;
}

static wsr_status batch(wsr__train_step *step, const void *options)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    double none = 0;
    if (!step->reuse) {
        WSR_TRY(attack_images(step, p));
        wsr__train_step_mix(step);
    }
    WSR_TRY(wsr__train_step_forward(step, step->plan, step->x));
    WSR_TRY(wsr__train_step_forward(step, step->second, step->x_adv));
    WSR_TRY(wsr__train_step_loss(&none, &step->clean, step, step->plan,
                                 (wsr__pass){0, 0}));
    WSR_TRY(wsr__train_step_loss(&step->loss, &step->correct, step,
                                 step->second,
                                 (wsr__pass){1, step->auxiliary}));
    step->clean_known = true;
    step->loss += add_terms(step, p->beta);
    if (!isfinite(step->loss)) {
        status = WSR_FAIL(WSR_NUMERIC, "loss of mart: %g is not finite",
                          fabs(step->loss));
        goto out;
    }
    WSR_TRY(wsr_plan_backward(step->plan));
    WSR_TRY(wsr__train_step_last_backward(step, step->second));
out:
    return status;
}

static double passes(const void *options)
{
    return (double)((const params *)options)->steps + 2;
}

const wsr__trainer_class wsr__trainer_mart = {
    .super = {.name = "mart",
              .summary = "attacked images, most of all those misclassified "
                         "without an attack (MART)",
              .reference = "Wang et al. 2020, ICLR",
              .schema = schema,
              .params_size = sizeof(params)},
    .attack = attack,
    .one_label = true,
    .two_passes = true,
    .passes = passes,
    .batch = batch,
};
