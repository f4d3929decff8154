// SPDX-License-Identifier: Apache-2.0
//
// mifgsm with gradients corrected by those around the last point. Wang and He,
// "Enhancing the transferability of adversarial attacks through variance
// tuning", arXiv:2103.15571. The iteration is in variance.c.

#include "attack/attack.h"
#include "attack/engine/momentum_attack.h"

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    return wsr__momentum_attack_run(s, options, wsr__gradient_tuned);
}

const wsr__attack_class wsr__attack_vmifgsm = {
    .super = {.name = "vmifgsm",
              .summary = "mifgsm, gradients corrected by those around",
              .reference = "Wang and He 2021, arXiv:2103.15571",
              .schema = wsr__variance_schema,
              .params_size = sizeof(wsr__variance)},
    .norms = 1u << WSR__LINF,
    .needs_gradient = true,
    .targets = true,
    .clean_loss = wsr__attack_clean_ce,
    .run = run,
    .passes = wsr__variance_passes,
};
