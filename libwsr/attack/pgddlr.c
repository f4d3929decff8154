// SPDX-License-Identifier: Apache-2.0
//
// Projected gradient descent on the difference of logits ratio (loss.c), which
// does not vanish where the cross entropy of a sure classifier does. Options
// and iteration are in descent.c.

#include "attack/attack.h"
#include "attack/engine/steps.h"

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    return wsr__descent_run(s, options, wsr__loss_dlr);
}

static wsr__loss clean_loss(const void *options)
{
    return wsr__descent_from_clean(options) ? wsr__loss_dlr : NULL;
}

const wsr__attack_class wsr__attack_pgddlr = {
    .super = {.name = "pgddlr",
              .summary = "pgd on the difference of logits ratio",
              .reference = "Croce and Hein 2020, arXiv:2003.01690",
              .schema = wsr__descent_schema,
              .params_size = sizeof(wsr__descent)},
    .norms = 1u << WSR__LINF | 1u << WSR__L2,
    .norm = wsr__descent_norm,
    .needs_gradient = true,
    .single_step = wsr__descent_single_step,
    .targets = true,
    .classes = 3,
    .clean_loss = clean_loss,
    .run = run,
    .passes = wsr__descent_passes,
};
