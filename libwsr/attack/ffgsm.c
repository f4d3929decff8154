// SPDX-License-Identifier: Apache-2.0
//
// FGSM from a random point of the ball, as fast adversarial training uses it:
//
//   x <- clip(x0 + U(-eps, eps))
//   x <- clip(x + alpha * sign(grad CE(f(x), y)))
//
// Wong, Rice and Kolter, "Fast is better than free: revisiting adversarial
// training", arXiv:2001.03994, with a step of 1.25 eps.

#include "attack/attack.h"
#include "attack/engine/steps.h"

typedef struct params {
    double alpha;
} params;

static const wsr__option schema[] = {
    {"alpha", WSR__FLOAT, offsetof(params, alpha), "1.25", 0, 100, "strengths",
     "length of the step", NULL},
    {0},
};

static void start(wsr__attack_batch *s, size_t row, void *ctx)
{
    (void)ctx;
    wsr__start_uniform(s, row, 0);
}

static void step(wsr__attack_batch *s, size_t row, void *ctx)
{
    const params *const p = ctx;
    wsr__gradient_step(s, row, wsr__at_const(s->grad, s->d, row),
                       (float)(p->alpha * (double)s->eps));
}

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    params p = *(const params *)options;
    const wsr__gradient_steps loop = {1, wsr__loss_ce, false, step, &p};
    wsr__attack_batch_reset(s);
    wsr__attack_batch_each(s, start, NULL);
    return wsr__gradient_steps_run(s, &loop);
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

const wsr__attack_class wsr__attack_ffgsm = {
    .super = {.name = "ffgsm",
              .summary = "one step from a random point of the ball",
              .reference = "Wong et al. 2020, arXiv:2001.03994",
              .schema = schema,
              .params_size = sizeof(params)},
    .norms = 1u << WSR__LINF,
    .needs_gradient = true,
    .single_step = single_step,
    .targets = true,
    .run = run,
    .passes = passes,
};
