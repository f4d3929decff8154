// SPDX-License-Identifier: Apache-2.0
//
// Projected gradient descent on the negative of a loss, as pgd, pgddlr and
// pgdl2 share it:
//
//   linf  x <- clip(x + alpha * sign(g))          g = grad loss(f(x))
//   l2    x <- clip(x + alpha * g / |g|)
//
// where clip is into ball and box (project.c). With several restarts only
// images that are still robust are tried again.

#include "attack/engine/steps.h"

static const char *const noises[] = {"uniform", "gaussian", NULL};
static const char *const norms[] = {"linf", "l2", NULL};

const wsr__option wsr__descent_schema[] = {
    {"steps", WSR__INT, offsetof(wsr__descent, steps), "20", 1, 100000, "steps",
     "gradient steps", NULL},
    {"alpha", WSR__FLOAT, offsetof(wsr__descent, alpha), "0", 0, 1e9,
     "pixel values", "length of a step, 0: from rel_length", NULL},
    {"rel_length", WSR__FLOAT, offsetof(wsr__descent, rel_length), "2.5", 0,
     1000, "", "length of all steps together, in strengths", NULL},
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

// Evaluations compare attacks with one step with the others.
bool wsr__descent_single_step(const void *descent)
{
    const wsr__descent *const p = descent;
    return p->steps == 1 && p->restarts == 1;
}

bool wsr__descent_from_clean(const void *descent)
{
    return !((const wsr__descent *)descent)->random_start;
}

wsr__loss wsr__descent_clean_ce(const void *descent)
{
    return wsr__descent_from_clean(descent) ? wsr__loss_ce : NULL;
}

uint64_t wsr__descent_passes(const wsr__attack_batch *s, const void *descent)
{
    (void)s;
    const wsr__descent *const p = descent;
    return (uint64_t)(p->restarts * (p->steps + 1));
}

wsr_status wsr__gradient_steps_run(wsr__attack_batch *s,
                                   const wsr__gradient_steps *loop)
{
    wsr_status status = WSR_OK;
    for (int64_t k = 0; k < loop->steps && s->n_active > 0; k++) {
        WSR_TRY(k == 0 && loop->from_clean
                    ? wsr__attack_batch_clean_gradient(s, loop->loss)
                    : wsr__attack_batch_gradient(s, loop->loss));
        wsr__attack_batch_each(s, loop->step, loop->ctx);
    }
    WSR_TRY(wsr__attack_batch_finish(s));
out:
    return status;
}

bool wsr__steps_single_step(const void *params)
{
    return *(const int64_t *)params == 1;
}

uint64_t wsr__steps_passes(const wsr__attack_batch *s, const void *params)
{
    (void)s;
    return (uint64_t) * (const int64_t *)params + 1;
}

typedef struct descent_state {
    const wsr__descent *descent;
    float alpha;
    uint32_t restart;
} descent_state;

static void start(wsr__attack_batch *s, size_t row, void *ctx)
{
    const descent_state *const state = ctx;
    if (wsr__streq(state->descent->noise.s, "gaussian")) {
        wsr__start_gaussian(s, row, state->restart, state->descent->sigma);
    } else {
        wsr__start_uniform(s, row, state->restart);
    }
}

static void step(wsr__attack_batch *s, size_t row, void *ctx)
{
    const descent_state *const state = ctx;
    wsr__gradient_step(s, row, wsr__at_const(s->grad, s->d, row), state->alpha);
}

wsr_status wsr__descent_run(wsr__attack_batch *s, const wsr__descent *descent,
                            wsr__loss loss)
{
    wsr_status status = WSR_OK;
    descent_state state = {
        descent,
        wsr__step_size(s, descent->alpha, descent->rel_length, descent->steps),
        0};
    wsr__gradient_steps loop = {descent->steps, loss, false, step, &state};
    for (int64_t r = 0; r < descent->restarts && s->n_active > 0; r++) {
        state.restart = (uint32_t)r;
        loop.from_clean = r == 0 && !descent->random_start;
        wsr__attack_batch_reset(s);
        if (!loop.from_clean) {
            wsr__attack_batch_each(s, start, &state);
        }
        WSR_TRY(wsr__gradient_steps_run(s, &loop));
    }
out:
    return status;
}
