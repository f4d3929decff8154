// SPDX-License-Identifier: Apache-2.0
//
// Fast-AT: adversarial training with one step from a random start,
//
//   d ~ U(-eps, eps)
//   d <- clip(d + alpha sign(grad loss(f(x + d), y)), -eps, eps)
//   loss of f(clip(x + d, 0, 1))
//
// with smoothed labels in the attack as well where train.label_smoothing asks
// for them. Wong et al. 2020, arXiv:2001.03994. The attack runs in train mode
// and moves the running statistics, as in the authors' code.
//
// Wsr-NAS has alpha = eps, and clips x + d to [0, 1] only where it is used
// (box_at_use); the authors' alpha is 1.25 eps, and d keeps x + d in [0, 1].

#include "train/inner.h"
#include "train/train.h"

#include <stddef.h>

typedef struct params {
    double eps;
    double alpha;
    wsr__text mode;
    bool box_at_use;
} params;

static const wsr__option schema[] = {
    {"eps", WSR__FLOAT, offsetof(params, eps), "0.031", 0, 1, "",
     "strength of the attack", NULL},
    {"alpha", WSR__FLOAT, offsetof(params, alpha), "0", 0, 1, "",
     "length of the step, 0: 1.25 eps", NULL},
    {"mode", WSR__WORD, offsetof(params, mode), "train_moving", 0, 0, "",
     WSR__ATTACK_MODE_HELP, wsr__attack_modes},
    {"box_at_use", WSR__BOOL, offsetof(params, box_at_use), "false", 0, 0, "",
     WSR__BOX_AT_USE_HELP, NULL},
    {0},
};

static unsigned attack(const void *options)
{
    return wsr__attack_purpose(&((const params *)options)->mode);
}

static wsr_status batch(wsr__train_step *step, const void *options)
{
    const params *const p = options;
    const double alpha = p->alpha > 0 ? p->alpha : 1.25 * p->eps;
    const wsr__pgd pgd = {.eps = (float)p->eps,
                          .alpha = (float)alpha,
                          .steps = 1,
                          .uniform = (float)p->eps,
                          .smoothing = step->smoothing,
                          .box_at_use = p->box_at_use};
    return wsr__train_step_attacked(step, &pgd);
}

static double passes(const void *options)
{
    (void)options;
    return 2;
}

const wsr__trainer_class wsr__trainer_fast = {
    .super = {.name = "fast",
              .summary = "images under one step from a random start (Fast-AT)",
              .reference = "Wong et al. 2020, arXiv:2001.03994",
              .schema = schema,
              .params_size = sizeof(params)},
    .attack = attack,
    .single_step = true,
    .passes = passes,
    .batch = batch,
};
