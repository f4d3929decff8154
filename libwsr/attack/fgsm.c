// SPDX-License-Identifier: Apache-2.0
//
// The fast gradient sign method:
//
//   x = clip(x0 + eps * sign(grad CE(f(x0), y)))
//
// Goodfellow, Shlens and Szegedy, "Explaining and harnessing adversarial
// examples", arXiv:1412.6572. One gradient serves all strengths; there are no
// steps, so there are no options. Clipping is in project.c.

#include "attack/attack.h"
#include "attack/engine/batch.h"

static void step(wsr__attack_batch *s, size_t row, void *ctx)
{
    (void)ctx;
    const wsr__ball ball = wsr__attack_batch_ball(s, row);
    wsr__sign_step(wsr__at(s->x, s->d, row), wsr__at_const(s->grad, s->d, row),
                   s->eps, &ball);
}

static wsr_status run(wsr__attack_batch *s, const void *params)
{
    (void)params;
    wsr_status status = WSR_OK;
    wsr__attack_batch_reset(s);
    WSR_TRY(wsr__attack_batch_clean_gradient(s, wsr__loss_ce));
    wsr__attack_batch_each(s, step, NULL);
    WSR_TRY(wsr__attack_batch_finish(s));
out:
    return status;
}

static uint64_t passes(const wsr__attack_batch *s, const void *options)
{
    (void)s;
    (void)options;
    return 2;
}

static bool single_step(const void *options)
{
    (void)options;
    return true;
}

const wsr__attack_class wsr__attack_fgsm = {
    .super = {.name = "fgsm",
              .summary = "one step along the sign of the gradient",
              .reference = "Goodfellow et al. 2015, arXiv:1412.6572"},
    .norms = 1u << WSR__LINF,
    .needs_gradient = true,
    .single_step = single_step,
    .targets = true,
    .clean_loss = wsr__attack_clean_ce,
    .run = run,
    .passes = passes,
};
