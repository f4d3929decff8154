// SPDX-License-Identifier: Apache-2.0
//
// FGSM in steps whose gradients are those of the image in another size and at
// another place, so that they carry over to other models better:
//
//   m <- decay * m + g / mean |g|         g = grad CE(f(resize(x)), y)
//   x <- clip(x + alpha * sign(m))
//
// Xie et al., "Improving transferability of adversarial examples with input
// diversity", arXiv:1803.06978; with decay=1 it is their M-DI2-FGSM. Only the
// last image is checked.

#include "attack/attack.h"
#include "attack/engine/momentum_attack.h"

static const wsr__option schema[] = {
    WSR__INPUT_DIVERSITY_OPTIONS,
    {0},
};

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    return wsr__momentum_attack_run(s, options, wsr__gradient_resized);
}

const wsr__attack_class wsr__attack_difgsm = {
    .super = {.name = "difgsm",
              .summary = "steps on the image in other sizes and places",
              .reference = "Xie et al. 2019, arXiv:1803.06978",
              .schema = schema,
              .params_size = sizeof(wsr__input_diversity)},
    .norms = 1u << WSR__LINF,
    .needs_gradient = true,
    .single_step = wsr__steps_single_step,
    .targets = true,
    .run = run,
    .passes = wsr__steps_passes,
};
