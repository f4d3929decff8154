// SPDX-License-Identifier: Apache-2.0
//
// Projected gradient descent on the negative of a loss, as pgd, pgddlr and
// pgdl2 share it:
//
//   linf  x <- clip(x + alpha * sign(g))          g = grad loss(f(x))
//   l2    x <- clip(x + alpha * g / |g|)
//
// where clip is into ball and box (project.c). With several restarts only
// images that still stand are tried again.

#include "attack/attack.h"

static const char *const noises[] = {"uniform", "gaussian", NULL};
static const char *const norms[] = {"linf", "l2", NULL};

const wsr__option wsr__descent_schema[] = {
    {"steps", WSR__INT, offsetof(wsr__descent, steps), "20", 1, 100000, "steps",
     "gradient steps", NULL},
    {"alpha", WSR__FLOAT, offsetof(wsr__descent, alpha), "0", 0, 1e9,
     "pixel values", "length of a step, 0: from ratio", NULL},
    {"ratio", WSR__FLOAT, offsetof(wsr__descent, ratio), "2.5", 0, 1000, "",
     "length of all steps together, in strengths", NULL},
    {"random_start", WSR__BOOL, offsetof(wsr__descent, random_start), "false",
     0, 0, "", "begin at a random point, not at the image", NULL},
    {"noise", WSR__WORD, offsetof(wsr__descent, noise), "uniform", 0, 0, "",
     "random point: uniform in the ball, or gaussian near the image", noises},
    {"sigma", WSR__FLOAT, offsetof(wsr__descent, sigma), "0.001", 0, 1,
     "pixel ranges", "standard deviation of gaussian noise", NULL},
    {"restarts", WSR__INT, offsetof(wsr__descent, restarts), "1", 1, 10000, "",
     "tries; the second and later ones begin at random", NULL},
    {"norm", WSR__WORD, offsetof(wsr__descent, norm), "linf", 0, 0, "",
     "norm of the ball", norms},
    {0},
};

wsr__lp wsr__descent_norm(const void *descent)
{
    return wsr__lp_named(((const wsr__descent *)descent)->norm.s);
}

wsr_status wsr__climb_run(wsr__siege *s, const wsr__climb *climb)
{
    wsr_status status = WSR_OK;
    for (int64_t k = 0; k < climb->steps && s->m > 0; k++) {
        WSR_TRY(k == 0 && climb->from_clean
                    ? wsr__siege_clean_gradient(s, climb->loss)
                    : wsr__siege_gradient(s, climb->loss));
        wsr__siege_each(s, climb->step, climb->ctx);
    }
    WSR_TRY(wsr__siege_finish(s));
out:
    return status;
}

typedef struct descent_state {
    const wsr__descent *descent;
    float alpha;
    uint32_t restart;
} descent_state;

static void start(wsr__siege *s, size_t row, void *ctx)
{
    const descent_state *const state = ctx;
    if (wsr__streq(state->descent->noise.s, "gaussian")) {
        wsr__start_gaussian(s, row, state->restart, state->descent->sigma);
    } else {
        wsr__start_uniform(s, row, state->restart);
    }
}

static void step(wsr__siege *s, size_t row, void *ctx)
{
    const descent_state *const state = ctx;
    wsr__gradient_step(s, row, wsr__at_const(s->grad, s->d, row), state->alpha);
}

wsr_status wsr__descent_run(wsr__siege *s, const wsr__descent *descent,
                            wsr__loss loss)
{
    wsr_status status = WSR_OK;
    descent_state state = {
        descent,
        wsr__step_size(s, descent->alpha, descent->ratio, descent->steps), 0};
    wsr__climb climb = {descent->steps, loss, false, step, &state};
    for (int64_t r = 0; r < descent->restarts && s->m > 0; r++) {
        state.restart = (uint32_t)r;
        climb.from_clean = r == 0 && !descent->random_start;
        wsr__siege_reset(s);
        if (!climb.from_clean) {
            wsr__siege_each(s, start, &state);
        }
        WSR_TRY(wsr__climb_run(s, &climb));
    }
out:
    return status;
}
