// SPDX-License-Identifier: Apache-2.0
//
// FGSM with momentum, which carries over to other models better:
//
//   m <- decay * m + g / mean |g|         g = grad CE(f(x), y)
//   x <- clip(x + alpha * sign(m))
//
// Dong et al., "Boosting adversarial attacks with momentum",
// arXiv:1710.06081.

#include "attack/attack.h"
#include "attack/engine/momentum_attack.h"

static const wsr__option schema[] = {
    WSR__MOMENTUM_OPTIONS("1"),
    {0},
};

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    return wsr__momentum_attack_run(s, options, wsr__gradient_here);
}

const wsr__attack_class wsr__attack_mifgsm = {
    .super = {.name = "mifgsm",
              .summary = "steps along the sign of a momentum of gradients",
              .reference = "Dong et al. 2018, arXiv:1710.06081",
              .schema = schema,
              .params_size = sizeof(wsr__momentum_params)},
    .norms = 1u << WSR__LINF,
    .needs_gradient = true,
    .single_step = wsr__steps_single_step,
    .targets = true,
    .clean_loss = wsr__attack_clean_ce,
    .run = run,
    .passes = wsr__steps_passes,
};
