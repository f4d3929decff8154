// SPDX-License-Identifier: Apache-2.0
//
// Free-AT: every batch is learned from `repeats` times, and the backward pass
// of each time also moves the perturbation,
//
//   g = grad of CE(f(clip(x + d, 0, 1)), y) by parameters and by d
//   d <- clip(d + alpha sign(g_d), -eps, eps);  the optimiser steps along g
//
// One perturbation for all batches lives on from batch to batch, at first 0.
// Shafahi et al. 2019, arXiv:1904.12843.
//
// With box=after the images are used as x + d, and after its step d is clipped
// so that x + d lies in [0, 1]: what the CIFAR-10 code of Fast-AT's authors
// does.

#include "train/inner.h"
#include "train/train.h"

#include <stddef.h>

typedef struct params {
    double eps;
    double alpha;
    int64_t repeats;
    wsr__text box;
} params;

static const char *const boxes[] = {"at_use", "after", NULL};

static const wsr__option schema[] = {
    {"eps", WSR__FLOAT, offsetof(params, eps), "0.031", 0, 1, "",
     "strength of the attack", NULL},
    {"alpha", WSR__FLOAT, offsetof(params, alpha), "0", 0, 1, "",
     "length of a step of the perturbation, 0: eps", NULL},
    {"repeats", WSR__INT, offsetof(params, repeats), "4", 1, 1000, "",
     "how often each batch is learned from", NULL},
    {"box", WSR__WORD, offsetof(params, box), "at_use", 0, 0, "",
     "where images are clipped to [0, 1]: where they are used, or after the "
     "perturbation has moved",
     boxes},
    {0},
};

static size_t updates(const void *options)
{
    return (size_t)((const params *)options)->repeats;
}

// The perturbation of a whole batch.
static size_t state(const void *options, const void *own, size_t batch,
                    size_t pixels)
{
    (void)options;
    (void)own;
    return batch * pixels;
}

static wsr_status batch(wsr__train_step *step, const void *options)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    const size_t floats = (size_t)wsr_shape_count(wsr__plan_images(step->plan));
    const wsr__pass pass = {1, step->auxiliary};
    const wsr__kept_noise noise = {
        .d = step->state,
        .x = step->x,
        .eps = (float)p->eps,
        .alpha = (float)(p->alpha > 0 ? p->alpha : p->eps),
        .at_use = wsr__streq(p->box.s, "at_use")};
    if (!step->reuse) {
        wsr__kept_noise_use(step->x_adv, &noise, floats);
        wsr__train_step_mix(step);
    }
    WSR_TRY(wsr__train_step_last_pass(&step->loss, &step->correct, step,
                                      step->x_adv, pass));
    if (!step->reuse) {
        wsr__kept_noise_move(&noise, wsr_plan_diff_src(step->plan, "x"),
                             floats);
    }
out:
    return status;
}

static double passes(const void *options)
{
    return (double)updates(options);
}

const wsr__trainer_class wsr__trainer_free = {
    .super = {.name = "free",
              .summary = "batches repeated, each backward pass also moves one "
                         "perturbation (Free-AT)",
              .reference = "Shafahi et al. 2019, arXiv:1904.12843",
              .schema = schema,
              .params_size = sizeof(params)},
    .purposes = WSR_GRAD_INPUT,
    .updates = updates,
    .state = state,
    .passes = passes,
    .batch = batch,
};
