// SPDX-License-Identifier: Apache-2.0
//
// Adversarial training with projected gradient descent:
//
//   x' = x + noise
//   steps times: x' <- clip of x' + alpha sign(grad CE(f(x'), y)) to the ball
//                of radius eps around x and to [0, 1]
//   loss = CE(f(x'), y) + w CE(aux(x'), y)
//
// Madry et al. 2018, arXiv:1706.06083. The attack sees the running
// statistics, those of the clean batch, or those of the attacked one; running
// statistics follow the learning pass alone, but with mode=train_moving each
// pass of the attack also.
// With clean_pass the clean images go through the network in train mode first,
// as the released code of Wsr-NAS has it: its statistics follow them also,
// and the second classifier learns from them instead.

#include "train/inner.h"
#include "train/train.h"

#include <stddef.h>

typedef struct params {
    double eps;
    int64_t steps;
    double alpha;
    wsr__text start;
    double noise;
    wsr__text mode;
    bool clean_pass;
    bool clip_start;
    bool box_at_use;
} params;

static const char *const starts[] = {"normal", "uniform", "none", NULL};

static const wsr__option schema[] = {
    {"eps", WSR__FLOAT, offsetof(params, eps), "0.031", 0, 1, "",
     "strength of the attack", NULL},
    {"steps", WSR__INT, offsetof(params, steps), "7", 1, 1000, "steps",
     "steps of the attack", NULL},
    {"alpha", WSR__FLOAT, offsetof(params, alpha), "0", 0, 1, "",
     "length of a step, 0: 2.5 eps / steps", NULL},
    {"start", WSR__WORD, offsetof(params, start), "normal", 0, 0, "",
     "noise before the first step", starts},
    {"noise", WSR__FLOAT, offsetof(params, noise), "0.001", 0, 1, "",
     "deviation of the normal start", NULL},
    {"mode", WSR__WORD, offsetof(params, mode), "eval", 0, 0, "",
     WSR__ATTACK_MODE_HELP, wsr__attack_modes},
    {"clean_pass", WSR__BOOL, offsetof(params, clean_pass), "false", 0, 0, "",
     "pass the clean images in train mode first", NULL},
    {"clip_start", WSR__BOOL, offsetof(params, clip_start), "true", 0, 0, "",
     "clip the start to ball and [0, 1] before the first step", NULL},
    {"box_at_use", WSR__BOOL, offsetof(params, box_at_use), "false", 0, 0, "",
     WSR__BOX_AT_USE_HELP, NULL},
    {0},
};

static unsigned attack(const void *options)
{
    return wsr__attack_purpose(&((const params *)options)->mode);
}

static wsr_status see_clean(wsr__train_step *step)
{
    wsr_status status = WSR_OK;
    double loss = 0;
    const bool learns = wsr_plan_dst(step->plan, "aux") != NULL;
    const wsr__pass pass = {0, learns ? step->auxiliary : 0};
    WSR_TRY(wsr__train_step_pass(&loss, &step->clean, step, step->x, pass));
    step->clean_known = true;
    step->loss += loss;
out:
    return status;
}

static wsr_status batch(wsr__train_step *step, const void *options)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    double loss = 0;
    wsr__pgd pgd = {.eps = (float)p->eps,
                    .alpha = wsr__attack_alpha(p->alpha, p->eps, p->steps),
                    .steps = (size_t)p->steps,
                    .seed = step->seed,
                    .id = step->id};
    pgd.gaussian = wsr__streq(p->start.s, "normal") ? (float)p->noise : 0;
    pgd.uniform = wsr__streq(p->start.s, "uniform") ? pgd.eps : 0;
    pgd.start = step->start_noise;
    pgd.start_outside = !p->clip_start;
    pgd.box_at_use = p->box_at_use;
    pgd.mixed = step->mixed;
    step->loss = 0;
    if (p->clean_pass) {
        WSR_TRY(see_clean(step));
    }
    if (!step->reuse) {
        WSR_TRY(wsr__train_step_pgd(step, &pgd));
        wsr__train_step_mix(step);
    }
    const wsr__pass pass = {1, p->clean_pass ? 0 : step->auxiliary};
    WSR_TRY(wsr__train_step_last_pass(&loss, &step->correct, step, step->x_adv,
                                      pass));
    step->loss += loss;
out:
    return status;
}

static double passes(const void *options)
{
    const params *const p = options;
    return (double)p->steps + 1 + (p->clean_pass ? 1 : 0);
}

const wsr__trainer_class wsr__trainer_madry = {
    .super = {.name = "madry",
              .summary = "images under projected gradient descent",
              .reference = "Madry et al. 2018, arXiv:1706.06083",
              .schema = schema,
              .params_size = sizeof(params)},
    .attack = attack,
    .passes = passes,
    .batch = batch,
};
