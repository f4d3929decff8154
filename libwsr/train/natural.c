// SPDX-License-Identifier: Apache-2.0
//
// Standard training: the loss of the images as they are.
//
//   CE(f(x), y) + w CE(aux(x), y)

#include "train/train.h"

static wsr_status batch(wsr__train_step *step, const void *params)
{
    (void)params;
    wsr_status status = WSR_OK;
    const wsr__pass pass = {1, step->auxiliary};
    WSR_TRY(wsr__train_step_last_pass(&step->loss, &step->correct, step,
                                      step->x, pass));
    step->clean = step->correct;
    step->clean_known = true;
out:
    return status;
}

const wsr__trainer_class wsr__trainer_natural = {
    .super = {.name = "natural",
              .summary = "images as they are",
              .reference = ""},
    .batch = batch,
};
