// SPDX-License-Identifier: Apache-2.0
//
// The attack inside TRADES: away from what the model says of the clean image,
// whatever the label,
//
//   x <- clip(x0 + 0.001 * N(0, 1))
//   x <- clip(x + alpha * sign(grad KL(softmax f(x0) || softmax f(x))))
//
// Zhang et al., "Theoretically principled trade-off between robustness and
// accuracy", arXiv:1901.08573.

#include "attack/attack.h"
#include "attack/engine/steps.h"

typedef struct params {
    int64_t steps;
    double alpha;
    double rel_length;
    double sigma;
} params;

static const wsr__option schema[] = {
    {"steps", WSR__INT, offsetof(params, steps), "7", 1, 100000, "steps",
     "gradient steps", NULL},
    {"alpha", WSR__FLOAT, offsetof(params, alpha), "0", 0, 1e9, "pixel values",
     "length of a step, 0: from rel_length", NULL},
    {"rel_length", WSR__FLOAT, offsetof(params, rel_length), "1.75", 0, 1000,
     "", "length of all steps together, in strengths", NULL},
    {"sigma", WSR__FLOAT, offsetof(params, sigma), "0.001", 1e-9, 1,
     "pixel ranges", "standard deviation of the start around the image", NULL},
    {0},
};

typedef struct run_state {
    const params *p;
    float alpha;
} run_state;

static void start(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    wsr__start_gaussian(s, row, 0, state->p->sigma);
}

static void step(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    wsr__gradient_step(s, row, wsr__at_const(s->grad, s->d, row), state->alpha);
}

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    const params *const p = options;
    run_state state = {p, wsr__step_size(s, p->alpha, p->rel_length, p->steps)};
    const wsr__gradient_steps loop = {p->steps, wsr__loss_kl, false, step,
                                      &state};
    wsr__attack_batch_reset(s);
    wsr__attack_batch_each(s, start, &state);
    return wsr__gradient_steps_run(s, &loop);
}

const wsr__attack_class wsr__attack_tpgd = {
    .super = {.name = "tpgd",
              .summary = "pgd on the divergence from the clean prediction",
              .reference = "Zhang et al. 2019, arXiv:1901.08573",
              .schema = schema,
              .params_size = sizeof(params)},
    .norms = 1u << WSR__LINF,
    .needs_gradient = true,
    .single_step = wsr__steps_single_step,
    .run = run,
    .passes = wsr__steps_passes,
};
