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
#include "train/paired.h"

#include <stddef.h>

typedef struct params {
    wsr__base_params super;
    wsr__text fidelity;
} params;

static const wsr__option schema[] = {
    WSR__BASE_OPTIONS,
    {"fidelity", WSR__WORD, offsetof(params, fidelity), "intended", 0, 0, "",
     "released: the constraint is of images that are not normalised, and its "
     "gradient is added to the attack's",
     wsr__fidelity_words},
    {0},
};

static size_t state(const void *options, const void *own, size_t batch,
                    size_t pixels)
{
    (void)options;
    (void)batch;
    (void)pixels;
    return wsr__base_state(own);
}

static bool is_released(const params *p)
{
    return wsr__streq(p->fidelity.s, "released");
}

static wsr_status constrain(wsr__train_step *step, const params *p)
{
    wsr_status status = WSR_OK;
    const float *x = step->x;
    if (is_released(p)) {
        wsr__denormalise(step->x_adv, step->x, step->net,
                         wsr__plan_images(step->plan));
        x = step->x_adv;
    }
    WSR_TRY(wsr__base_constraint(&step->constraint, step, x, step->state));
    step->skip = step->constraint <= 0;
    if (!step->skip) {
        WSR_TRY(wsr__base_descend(step, 2 * step->constraint));
    }
out:
    return status;
}

static wsr_status batch(wsr__train_step *step, const void *options)
{
    const params *const p = options;
    return step->update == 0 ? wsr__base_attacked(step, &p->super)
                             : constrain(step, p);
}

static bool keeps_gradients(const void *options)
{
    return is_released(options);
}

const wsr__trainer_class wsr__trainer_constraint = {
    .super = {.name = "constraint",
              .summary = "images under projected gradient descent, and clean "
                         "ones on which another network is better",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(params)},
    .attack = wsr__base_attack,
    .open = wsr__base_open,
    .close = wsr__base_close,
    .bytes = wsr__base_bytes,
    .state = state,
    .updates = wsr__base_updates,
    .keeps_gradients = keeps_gradients,
    .passes = wsr__base_passes,
    .batch = batch,
};
