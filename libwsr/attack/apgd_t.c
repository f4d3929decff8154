// SPDX-License-Identifier: Apache-2.0
//
// Auto-PGD towards one class after the other, the likeliest first, on the
// targeted difference of logits ratio, or on the cross entropy of the target
// where there are too few classes for it. The method is in auto_pgd.c.

#include "attack/attack.h"
#include "attack/engine/auto_pgd.h"

static const wsr__option schema[] = {
    {"steps", WSR__INT, offsetof(wsr__apgd, steps), "100", 1, 100000, "steps",
     "gradient steps", NULL},
    {"targets", WSR__INT, offsetof(wsr__apgd, targets), "9", 1, 100000, "",
     "target classes", NULL},
    {"restarts", WSR__INT, offsetof(wsr__apgd, restarts), "1", 1, 10000, "",
     "tries from different points for each", NULL},
    {"eot", WSR__INT, offsetof(wsr__apgd, eot), "1", 1, 10000, "",
     "gradients averaged for each step, for models with a random component",
     NULL},
    {"rho", WSR__FLOAT, offsetof(wsr__apgd, rho), "0.75", 0, 1, "",
     "share of steps that must raise the loss for the step to stay", NULL},
    {"large", WSR__BOOL, offsetof(wsr__apgd, large), "false", 0, 0, "",
     "l1: begin in balls of 3 and 2 times the strength", NULL},
    {"norm", WSR__WORD, offsetof(wsr__apgd, norm), "linf", 0, 0, "",
     "norm of the ball", wsr__lp_names},
    {0},
};

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    return s->classes < 3
               ? wsr__apgd_run_targets(s, options, wsr__loss_ce, wsr__order_ce)
               : wsr__apgd_run_targets(s, options, wsr__loss_dlr,
                                       wsr__order_dlr);
}

const wsr__attack_class wsr__attack_apgd_t = {
    .super = {.name = "apgd_t",
              .summary = "Auto-PGD towards each of the likeliest classes",
              .reference = "Croce and Hein 2020, arXiv:2003.01690",
              .schema = schema,
              .params_size = sizeof(wsr__apgd)},
    .norms = 1u << WSR__LINF | 1u << WSR__L2 | 1u << WSR__L1,
    .norm = wsr__apgd_norm,
    .needs_gradient = true,
    .early_stop = true,
    .run = run,
    .passes = wsr__apgd_passes_targets,
};
