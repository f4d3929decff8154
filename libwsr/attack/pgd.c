// SPDX-License-Identifier: Apache-2.0
//
// Projected gradient descent on the negative loss:
//
//   linf  x <- clip(x + alpha * sign(g))          g = grad CE(f(x), y)
//   l2    x <- clip(x + alpha * g / (|g| + 1e-10))
//
// where clip is into ball and box (project.c). Madry et al., "Towards deep
// learning models resistant to adversarial attacks", arXiv:1706.06083. With
// several restarts only images that still stand are tried again, from another
// random point; without random_start the first try begins at the image.

#include "attack/attack.h"

typedef struct params {
    int64_t steps;
    double alpha;
    double ratio;
    bool random_start;
    wsr__text noise;
    double sigma;
    int64_t restarts;
    wsr__text norm;
} params;

static const char *const norms[] = {"linf", "l2", NULL};
static const char *const noises[] = {"uniform", "gaussian", NULL};

static const wsr__option schema[] = {
    {"steps", WSR__INT, offsetof(params, steps), "20", 1, 100000, "steps",
     "gradient steps", NULL},
    {"alpha", WSR__FLOAT, offsetof(params, alpha), "0", 0, 1e9, "pixel values",
     "length of a step; 0: from ratio", NULL},
    {"ratio", WSR__FLOAT, offsetof(params, ratio), "2.5", 0, 1000, "",
     "length of all steps together, in strengths", NULL},
    {"random_start", WSR__BOOL, offsetof(params, random_start), "false", 0, 0,
     "", "begin at a random point instead of the image", NULL},
    {"noise", WSR__WORD, offsetof(params, noise), "uniform", 0, 0, "",
     "distribution of the random point: in the ball, or around the image",
     noises},
    {"sigma", WSR__FLOAT, offsetof(params, sigma), "0.001", 0, 1,
     "pixel values", "standard deviation of gaussian noise", NULL},
    {"restarts", WSR__INT, offsetof(params, restarts), "1", 1, 10000, "",
     "tries", NULL},
    {"norm", WSR__WORD, offsetof(params, norm), "linf", 0, 0, "",
     "norm of the ball", norms},
    {0},
};

static wsr__lp norm(const void *options)
{
    const params *const p = options;
    return wsr__lp_named(p->norm.s);
}

typedef struct run_state {
    const params *p;
    float alpha;
    uint32_t restart;
} run_state;

static void start(wsr__siege *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    if (wsr__streq(state->p->noise.s, "gaussian")) {
        wsr__start_gaussian(s, row, state->restart, state->p->sigma);
    } else {
        wsr__start_uniform(s, row, state->restart);
    }
}

static void step(wsr__siege *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    wsr__gradient_step(s, row, wsr__at_const(s->grad, s->d, row), state->alpha);
}

static wsr_status attempt(wsr__siege *s, run_state *state)
{
    wsr_status status = WSR_OK;
    const bool random = state->p->random_start || state->restart > 0;
    wsr__siege_reset(s);
    if (random) {
        wsr__siege_each(s, start, state);
    }
    for (int64_t k = 0; k < state->p->steps && s->m > 0; k++) {
        WSR_TRY(k == 0 && !random ? wsr__siege_clean_gradient(s, wsr__loss_ce)
                                  : wsr__siege_gradient(s, wsr__loss_ce));
        wsr__siege_each(s, step, state);
    }
    WSR_TRY(wsr__siege_finish(s));
out:
    return status;
}

static wsr_status run(wsr__siege *s, const void *options)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    run_state state = {p, wsr__step_size(s, p->alpha, p->ratio, p->steps), 0};
    for (int64_t r = 0; r < p->restarts && s->m > 0; r++) {
        state.restart = (uint32_t)r;
        WSR_TRY(attempt(s, &state));
    }
out:
    return status;
}

const wsr__attack_class wsr__attack_pgd = {
    .super = {.name = "pgd",
              .summary = "steps along the gradient, back into the ball",
              .reference = "Madry et al. 2018, arXiv:1706.06083",
              .schema = schema,
              .params_size = sizeof(params)},
    .norms = 1u << WSR__LINF | 1u << WSR__L2,
    .norm = norm,
    .needs_gradient = true,
    .targets = true,
    .run = run,
};
