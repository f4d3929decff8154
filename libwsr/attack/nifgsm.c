// SPDX-License-Identifier: Apache-2.0
//
// FGSM with Nesterov's momentum: the gradient is taken where the momentum is
// about to lead,
//
//   m <- decay * m + g / mean |g|     g = grad CE(f(x + alpha * decay * m), y)
//   x <- clip(x + alpha * sign(m))
//
// Lin et al., "Nesterov accelerated gradient and scale invariance for
// adversarial attacks", arXiv:1908.06281. The points ahead may lie outside of
// the ball, so only the last image is judged.

#include "attack/attack.h"

#include <string.h>

enum { MOMENTUM, AHEAD };

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
    float *ahead;
} run_state;

static void look_ahead(wsr__siege *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    const float *const x = wsr__at_const(s->x, s->d, row);
    const float *const m = wsr__at_const(state->m, s->d, row);
    float *const ahead = wsr__at(state->ahead, s->d, row);
    const float length = state->alpha * (float)state->p->decay;
    for (int64_t i = 0; i < s->d; i++) {
        ahead[i] = x[i] + length * m[i];
    }
}

static void step(wsr__siege *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    float *const m = wsr__at(state->m, s->d, row);
    wsr__momentum(m, wsr__at_const(s->grad, s->d, row), state->p->decay, s->d);
    wsr__gradient_step(s, row, m, state->alpha);
}

static wsr_status run(wsr__siege *s, const void *options)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    run_state state = {p, wsr__step_size(s, p->alpha, 1, p->steps),
                       wsr__siege_spare(s, MOMENTUM, s->d),
                       wsr__siege_spare(s, AHEAD, s->d)};
    if (state.m == NULL || state.ahead == NULL) {
        return WSR_NOMEM;
    }
    memset(state.m, 0, s->capacity * (size_t)s->d * sizeof(*state.m));
    wsr__siege_reset(s);
    for (int64_t k = 0; k < p->steps; k++) {
        if (k == 0) {
            WSR_TRY(wsr__siege_clean_gradient(s, wsr__loss_ce));
        } else {
            wsr__siege_each(s, look_ahead, &state);
            WSR_TRY(wsr__siege_forward_at(s, state.ahead, true));
            WSR_TRY(wsr__siege_backward(s, wsr__loss_ce));
        }
        wsr__siege_each(s, step, &state);
    }
    WSR_TRY(wsr__siege_finish(s));
out:
    return status;
}

const wsr__attack_class wsr__attack_nifgsm = {
    .super = {.name = "nifgsm",
              .summary = "momentum of gradients that look ahead",
              .reference = "Lin et al. 2020, arXiv:1908.06281",
              .schema = schema,
              .params_size = sizeof(params)},
    .norms = 1u << WSR__LINF,
    .needs_gradient = true,
    .targets = true,
    .run = run,
};
