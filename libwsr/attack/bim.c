// SPDX-License-Identifier: Apache-2.0
//
// The basic iterative method:
//
//   x <- min(1, x0 + eps, max(0, x0 - eps, x + alpha * sign(g)))
//
// with g = grad CE(f(x), y), from the image itself. Kurakin, Goodfellow and
// Bengio, "Adversarial examples in the physical world", arXiv:1607.02533,
// whose number of steps, min(255 eps + 4, 1.25 * 255 eps), is taken with
// steps=0.

#include "attack/attack.h"
#include "attack/engine/steps.h"

typedef struct params {
    int64_t steps;
    double alpha;
} params;

static const wsr__option schema[] = {
    {"steps", WSR__INT, offsetof(params, steps), "0", 0, 100000, "steps",
     "gradient steps, 0: as many as the strength needs", NULL},
    {"alpha", WSR__FLOAT, offsetof(params, alpha), "-1", -1, 1e9,
     "pixel values",
     "length of a step, 0: strength / steps, -1: 1/255 of the pixel range",
     NULL},
    {0},
};

static wsr_status prepare(void *options)
{
    const params *const p = options;
    return p->alpha >= 0 || p->alpha <= -1
               ? WSR_OK
               : WSR_FAIL(WSR_CONFIG,
                          "bim.alpha: %g is neither -1 nor from 0 up",
                          p->alpha);
}

// `eps` in parts of the pixel range.
static int64_t steps_for(double eps, int64_t steps)
{
    const double levels = 255 * eps;
    const double a = levels + 4;
    const double b = 1.25 * levels;
    const int64_t wanted = (int64_t)(a < b ? a : b);
    return steps > 0 ? steps : wanted > 1 ? wanted : 1;
}

static void step(wsr__attack_batch *s, size_t row, void *ctx)
{
    const float *const alpha = ctx;
    wsr__gradient_step(s, row, wsr__at_const(s->grad, s->d, row), *alpha);
}

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    const params *const p = options;
    const double width = wsr__width(s->model->box);
    const int64_t steps = steps_for((double)s->eps / width, p->steps);
    const double length = p->alpha < 0 ? width / 255 : p->alpha;
    float alpha = wsr__step_size(s, length, 1, steps);
    const wsr__gradient_steps loop = {steps, wsr__loss_ce, true, step, &alpha};
    wsr__attack_batch_reset(s);
    return wsr__gradient_steps_run(s, &loop);
}

static uint64_t passes(const wsr__attack_batch *s, const void *options)
{
    const params *const p = options;
    const double width = wsr__width(s->model->box);
    return (uint64_t)steps_for((double)s->eps / width, p->steps) + 1;
}

const wsr__attack_class wsr__attack_bim = {
    .super = {.name = "bim",
              .summary = "small steps along the sign of the gradient",
              .reference = "Kurakin et al. 2017, arXiv:1607.02533",
              .schema = schema,
              .params_size = sizeof(params)},
    .norms = 1u << WSR__LINF,
    .needs_gradient = true,
    .single_step = wsr__steps_single_step,
    .prepare = prepare,
    .targets = true,
    .clean_loss = wsr__attack_clean_ce,
    .run = run,
    .passes = passes,
};
