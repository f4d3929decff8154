// SPDX-License-Identifier: Apache-2.0
//
// FGSM with Nesterov's momentum: the gradient is taken where the momentum is
// about to lead,
//
//   m <- decay * m + g / mean |g|     g = grad CE(f(x + alpha * decay * m), y)
//   x <- clip(x + alpha * sign(m))
//
// Lin et al., "Nesterov accelerated gradient and scale invariance for
// adversarial attacks", arXiv:1908.06281. The points ahead may lie outside of
// the ball, so only the last image is checked.

#include "attack/attack.h"
#include "attack/engine/momentum_attack.h"

static const wsr__option schema[] = {
    WSR__MOMENTUM_OPTIONS("1"),
    {0},
};

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    return wsr__momentum_attack_run(s, options, wsr__gradient_ahead);
}

const wsr__attack_class wsr__attack_nifgsm = {
    .super = {.name = "nifgsm",
              .summary = "momentum of gradients that look ahead",
              .reference = "Lin et al. 2020, arXiv:1908.06281",
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
