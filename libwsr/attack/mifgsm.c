// SPDX-License-Identifier: Apache-2.0
//
// FGSM with momentum, which carries over to other models better:
//
//   m <- decay * m + g / mean |g|         g = grad CE(f(x), y)
//   x <- clip(x + alpha * sign(m))
//
// Dong et al., "Boosting adversarial attacks with momentum",
// arXiv:1710.06081.

#include "attack/attack.h"

#include <string.h>

enum { MOMENTUM };

typedef struct params {
    int64_t steps;
    double alpha;
    double decay;
} params;

static const wsr__option schema[] = {
    {"steps", WSR__INT, offsetof(params, steps), "10", 1, 100000, "steps",
     "gradient steps", NULL},
    {"alpha", WSR__FLOAT, offsetof(params, alpha), "0", 0, 1e9, "pixel values",
     "length of a step, 0: strength / steps", NULL},
    {"decay", WSR__FLOAT, offsetof(params, decay), "1", 0, 10, "",
     "what remains of the momentum from step to step", NULL},
    {0},
};

typedef struct run_state {
    const params *p;
    float alpha;
    float *m;
} run_state;

static void step(wsr__siege *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    float *const m = wsr__at(state->m, s->d, row);
    wsr__momentum(m, wsr__at_const(s->grad, s->d, row), state->p->decay, s->d);
    wsr__gradient_step(s, row, m, state->alpha);
}

static wsr_status run(wsr__siege *s, const void *options)
{
    const params *const p = options;
    run_state state = {p, wsr__step_size(s, p->alpha, 1, p->steps),
                       wsr__siege_spare(s, MOMENTUM, s->d)};
    const wsr__climb climb = {p->steps, wsr__loss_ce, true, step, &state};
    if (state.m == NULL) {
        return WSR_NOMEM;
    }
    memset(state.m, 0, s->capacity * (size_t)s->d * sizeof(*state.m));
    wsr__siege_reset(s);
    return wsr__climb_run(s, &climb);
}

const wsr__attack_class wsr__attack_mifgsm = {
    .super = {.name = "mifgsm",
              .summary = "steps along the sign of a momentum of gradients",
              .reference = "Dong et al. 2018, arXiv:1710.06081",
              .schema = schema,
              .params_size = sizeof(params)},
    .norms = 1u << WSR__LINF,
    .needs_gradient = true,
    .targets = true,
    .run = run,
};
