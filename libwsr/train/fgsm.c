// SPDX-License-Identifier: Apache-2.0
//
// Adversarial training with one step along the sign of the gradient, from the
// clean image:
//
//   x' = clip of x + eps sign(grad CE(f(x), y)) to [0, 1]
//   loss = CE(f(x'), y) + w CE(aux(x'), y)
//
// Goodfellow et al. 2015, arXiv:1412.6572. A network trained so may become
// robust to this one step alone; see fast.c.

#include "train/inner.h"
#include "train/train.h"

#include <stddef.h>

typedef struct params {
    double eps;
    wsr__text mode;
} params;

static const wsr__option schema[] = {
    {"eps", WSR__FLOAT, offsetof(params, eps), "0.031", 0, 1, "",
     "strength of the attack, and the length of its step", NULL},
    {"mode", WSR__WORD, offsetof(params, mode), "train_moving", 0, 0, "",
     WSR__ATTACK_MODE_HELP, wsr__attack_modes},
    {0},
};

static unsigned attack(const void *options)
{
    return wsr__attack_purpose(&((const params *)options)->mode);
}

static wsr_status batch(wsr__train_step *step, const void *options)
{
    const params *const p = options;
    const wsr__pgd pgd = {
        .eps = (float)p->eps, .alpha = (float)p->eps, .steps = 1};
    return wsr__train_step_attacked(step, &pgd);
}

static double passes(const void *options)
{
    (void)options;
    return 2;
}

const wsr__trainer_class wsr__trainer_fgsm = {
    .super = {.name = "fgsm",
              .summary = "images under one step from the clean image",
              .reference = "Goodfellow et al. 2015, arXiv:1412.6572",
              .schema = schema,
              .params_size = sizeof(params)},
    .attack = attack,
    .single_step = true,
    .passes = passes,
    .batch = batch,
};
