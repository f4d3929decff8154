// SPDX-License-Identifier: Apache-2.0
//
// FGSM after a small random step, which leaves the flat spot around images
// that single-step training makes:
//
//   x <- clip(x0 + alpha * sign(N(0, 1)))
//   x <- clip(x + (eps - alpha) * sign(grad CE(f(x), y)))    `steps` times
//
// Tramer et al., "Ensemble adversarial training: attacks and defenses",
// arXiv:1705.07204. Clipping is into the ball after every step, so that more
// than one step stays inside.

#include "attack/attack.h"
#include "attack/engine/steps.h"

typedef struct params {
    int64_t steps;
    double alpha;
} params;

static const wsr__option schema[] = {
    {"steps", WSR__INT, offsetof(params, steps), "1", 1, 100000, "steps",
     "gradient steps", NULL},
    {"alpha", WSR__FLOAT, offsetof(params, alpha), "0.5", 0, 1, "strengths",
     "length of the random step", NULL},
    {0},
};

static void start(wsr__attack_batch *s, size_t row, void *ctx)
{
    const float *const alpha = ctx;
    const wsr__ball ball = wsr__attack_batch_ball(s, row);
    float *const x = wsr__at(s->x, s->d, row);
    wsr__rng rng = wsr__attack_batch_rng(s, row, 0);
    for (int64_t i = 0; i < s->d; i++) {
        x[i] += (wsr__rng_u32(&rng) & 1) != 0 ? *alpha : -*alpha;
    }
    wsr__project(x, &ball);
}

static void step(wsr__attack_batch *s, size_t row, void *ctx)
{
    const float *const alpha = ctx;
    wsr__gradient_step(s, row, wsr__at_const(s->grad, s->d, row),
                       s->eps - *alpha);
}

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    const params *const p = options;
    float alpha = (float)(p->alpha * (double)s->eps);
    const wsr__gradient_steps loop = {p->steps, wsr__loss_ce, false, step,
                                      &alpha};
    wsr__attack_batch_reset(s);
    wsr__attack_batch_each(s, start, &alpha);
    return wsr__gradient_steps_run(s, &loop);
}

const wsr__attack_class wsr__attack_rfgsm = {
    .super = {.name = "rfgsm",
              .summary = "a random step, then one along the gradient's sign",
              .reference = "Tramer et al. 2018, arXiv:1705.07204",
              .schema = schema,
              .params_size = sizeof(params)},
    .norms = 1u << WSR__LINF,
    .needs_gradient = true,
    .single_step = wsr__steps_single_step,
    .targets = true,
    .run = run,
    .passes = wsr__steps_passes,
};
