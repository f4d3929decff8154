// SPDX-License-Identifier: Apache-2.0
//
// Projected gradient descent on the cross entropy, in either norm; options and
// iteration are in descent.c.

#include "attack/attack.h"
#include "attack/engine/steps.h"

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    return wsr__descent_run(s, options, wsr__loss_ce);
}

const wsr__attack_class wsr__attack_pgd = {
    .super = {.name = "pgd",
              .summary = "steps along the gradient, back into the ball",
              .reference = "Madry et al. 2018, arXiv:1706.06083",
              .schema = wsr__descent_schema,
              .params_size = sizeof(wsr__descent)},
    .norms = 1u << WSR__LINF | 1u << WSR__L2,
    .norm = wsr__descent_norm,
    .needs_gradient = true,
    .single_step = wsr__descent_single_step,
    .targets = true,
    .clean_loss = wsr__descent_clean_ce,
    .run = run,
    .passes = wsr__descent_passes,
};
