// SPDX-License-Identifier: Apache-2.0
//
// PGD training, and a second step of the optimiser for each batch on which
// another network does better without an attack:
//
//   1. loss = CE(f(x'), y), x' by PGD from x
//   2. c = CE(f(x), y) - CE(base(x), y); where c > 0: loss = c^2
//
// The standard constraint of the released trainers of Wsr-NAS. The base's
// weights stay, its running statistics follow its passes.
//
// fidelity=released: the second step sees images without the network's
// normalisation, and its gradient is added to the clipped one of the first.

#include "base/fidelity.h"
#include "train/inner.h"
#include "train/paired.h"

#include <stddef.h>

typedef struct params {
    wsr__text base;
    double eps;
    int64_t steps;
    double alpha;
    wsr__text mode;
    wsr__text fidelity;
} params;

static const wsr__option schema[] = {
    {"base", WSR__TEXT, offsetof(params, base), "", 0, 0, "",
     "file of the network that clean images are compared with", NULL},
    {"eps", WSR__FLOAT, offsetof(params, eps), "0.031", 0, 1, "",
     "strength of the attack", NULL},
    {"steps", WSR__INT, offsetof(params, steps), "7", 1, 1000, "steps",
     "steps of the attack", NULL},
    {"alpha", WSR__FLOAT, offsetof(params, alpha), "0", 0, 1, "",
     "length of a step, 0: 2.5 eps / steps", NULL},
    {"mode", WSR__WORD, offsetof(params, mode), "train_moving", 0, 0, "",
     WSR__ATTACK_MODE_HELP, wsr__attack_modes},
    {"fidelity", WSR__WORD, offsetof(params, fidelity), "intended", 0, 0, "",
     "released: the constraint is of images that are not normalised, and its "
     "gradient is added to the attack's",
     wsr__fidelity_words},
    {0},
};

static unsigned attack(const void *options)
{
    return wsr__attack_purpose(&((const params *)options)->mode);
}

static wsr_status open_base(void **own, const void *options,
                            const wsr__training_of *of, size_t batch)
{
    wsr__paired *paired = NULL;
    const wsr_status status =
        wsr__paired_open(&paired, ((const params *)options)->base.s, of, batch);
    *own = paired;
    return status;
}

static void close_base(void *own)
{
    wsr__paired_free(own);
}

static double bytes(const void *own)
{
    return wsr__paired_bytes(own);
}

static size_t state(const void *options, const void *own, size_t batch,
                    size_t pixels)
{
    (void)options;
    (void)batch;
    (void)pixels;
    return wsr__paired_state(own);
}

static size_t updates(const void *options)
{
    (void)options;
    return 2;
}

// Images such that the network's normalisation gives back x.
static void denormalise(wsr__train_step *step)
{
    const wsr__normalize *const p = &step->net->options->normalize;
    const wsr_shape *const shape = wsr__plan_images(step->plan);
    const int64_t plane = shape->dims[2] * shape->dims[3];
    for (int64_t i = 0; i < wsr_shape_count(shape); i++) {
        const int64_t channel = i / plane % shape->dims[1];
        step->x_adv[i] = step->x[i] * wsr__normalize_std(p, channel) +
                         wsr__normalize_mean(p, channel);
    }
}

static wsr_status constrain(wsr__train_step *step, const params *p)
{
    wsr_status status = WSR_OK;
    const bool released = wsr__streq(p->fidelity.s, "released");
    double none = 0;
    size_t correct = 0;
    if (released) {
        denormalise(step);
    } else {
        wsr_params_zero_grad(wsr_net_params(step->net), true);
    }
    WSR_TRY(wsr__paired_constraint(&step->constraint, step->own, step,
                                   released ? step->x_adv : step->x,
                                   step->state));
    step->skip = step->constraint <= 0;
    if (step->skip) {
        return WSR_OK;
    }
    WSR_TRY(wsr__train_step_loss(&none, &correct, step, step->plan,
                                 (wsr__pass){2 * step->constraint, 0}));
    WSR_TRY(wsr_plan_backward(step->plan));
out:
    return status;
}

static wsr_status batch(wsr__train_step *step, const void *options)
{
    const params *const p = options;
    const wsr__pgd pgd = {
        .eps = (float)p->eps,
        .alpha = wsr__attack_alpha(p->alpha, p->eps, p->steps),
        .steps = (size_t)p->steps,
        .box_at_use = true};
    return step->update == 0 ? wsr__train_step_attacked(step, &pgd)
                             : constrain(step, p);
}

static double passes(const void *options)
{
    return (double)((const params *)options)->steps + 2.5;
}

const wsr__trainer_class wsr__trainer_constraint = {
    .super = {.name = "constraint",
              .summary = "images under projected gradient descent, and clean "
                         "ones on which another network is better",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(params)},
    .attack = attack,
    .open = open_base,
    .close = close_base,
    .bytes = bytes,
    .state = state,
    .updates = updates,
    .keeps_gradients = true,
    .passes = passes,
    .batch = batch,
};
