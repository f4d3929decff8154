// SPDX-License-Identifier: Apache-2.0
//
// What the attacks inside trainers share.

#ifndef WSR_TRAIN_INNER_H
#define WSR_TRAIN_INNER_H

#include "attack/engine/pgd_plan.h"
#include "train/train.h"

/// Words of the option `mode`: running statistics, which stay as they are;
/// those that the clean batch has, which stay as well; those of the attacked
/// batch; the same, and each pass of the attack moves the running ones, as in
/// code that leaves a network in train mode.
extern const char *const wsr__attack_modes[]; // ended by NULL

#define WSR__ATTACK_MODE_HELP                                                \
    "statistics that the attack sees: the running ones, those of the clean " \
    "batch, or of each attacked one, which may also move the running ones"

#define WSR__BOX_AT_USE_HELP                                                \
    "the perturbation may leave [0, 1], and images are clipped where they " \
    "are used"

/// Purpose of the attack in a mode.
unsigned wsr__attack_purpose(const wsr__text *mode);

/// Step length: alpha, or where that is 0, 2.5 eps / steps.
float wsr__attack_alpha(double alpha, double eps, int64_t steps);

/// step->x_adv = the images of a step under PGD.
wsr_status wsr__train_step_pgd(wsr__train_step *step, const wsr__pgd *pgd);

/// Attack the images of a step and learn from the result, step->x_adv. The
/// noise is the step's.
wsr_status wsr__train_step_attacked(wsr__train_step *step, const wsr__pgd *pgd);

/// Put the first images as they are, as many as step->clean_share says, in the
/// place of the attacked ones.
void wsr__train_step_mix(wsr__train_step *step);

/// step->logits = logits of the clean images, with running statistics.
wsr_status wsr__train_step_clean_logits(wsr__train_step *step);

/// A perturbation that lives on from batch to batch (Free-AT).
typedef struct wsr__kept_noise {
    float *d;       // (floats)
    const float *x; // images of the batch
    float eps;
    float alpha; // length of a step
    bool at_use; // images are clipped to [0, 1] where they are used, instead of
                 // the perturbation where it moves
} wsr__kept_noise;

/// out = x + d.
void wsr__kept_noise_use(float *out, const wsr__kept_noise *noise,
                         size_t floats);
/// A step along the sign of the gradient.
void wsr__kept_noise_move(const wsr__kept_noise *noise, const float *grad,
                          size_t floats);

#endif
