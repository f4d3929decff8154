// SPDX-License-Identifier: Apache-2.0
//
// Auto-PGD on the difference of logits ratio, which does not vanish where the
// cross entropy does; options and method are in auto_pgd.c.

#include "attack/attack.h"
#include "attack/engine/auto_pgd.h"

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    return wsr__apgd_run(s, options, wsr__loss_dlr, wsr__order_dlr);
}

const wsr__attack_class wsr__attack_apgd_dlr = {
    .super = {.name = "apgd_dlr",
              .summary = "Auto-PGD on the difference of logits ratio",
              .reference = "Croce and Hein 2020, arXiv:2003.01690",
              .schema = wsr__apgd_schema,
              .params_size = sizeof(wsr__apgd)},
    .norms = 1u << WSR__LINF | 1u << WSR__L2 | 1u << WSR__L1,
    .norm = wsr__apgd_norm,
    .needs_gradient = true,
    .targets = true,
    .classes = 3,
    .early_stop = true,
    .run = run,
    .passes = wsr__apgd_passes,
};
