// SPDX-License-Identifier: Apache-2.0
//
// Gaussian noise, for comparison: what an adversary does who knows nothing.
//
//   linf  x = clip(x0 + sigma * N(0, 1))        sigma: the strength, or given
//   l2    x = clip(x0 + eps * N / |N|)
//
// With strength inf, sigma=0.1 is plain noise of that deviation.

#include "attack/attack.h"
#include "attack/engine/batch.h"

#include <math.h>

typedef struct params {
    double sigma;
    int64_t tries;
    wsr__text norm;
} params;

static const char *const norms[] = {"linf", "l2", NULL};

static const wsr__option schema[] = {
    {"sigma", WSR__FLOAT, offsetof(params, sigma), "0", 0, 1e9, "pixel values",
     "standard deviation for linf, 0: the strength", NULL},
    {"tries", WSR__INT, offsetof(params, tries), "1", 1, 100000, "",
     "draws of noise", NULL},
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
    double sigma;
    uint32_t attempt;
} run_state;

// In l2 the noise has the length of the strength: the first pass over the
// random numbers measures it, the second uses the same numbers.
static void draw(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    const wsr__ball ball = wsr__attack_batch_ball(s, row);
    float *const x = wsr__at(s->x, s->d, row);
    double scale = state->sigma;
    double squares = 0;
    wsr__rng rng = wsr__attack_batch_rng(s, row, state->attempt);
    if (s->norm == WSR__L2) {
        wsr__rng again = rng;
        for (int64_t i = 0; i < s->d; i++) {
            const double v = wsr__rng_normal(&again);
            squares += v * v;
        }
        scale = (double)s->eps / (sqrt(squares) + 1e-12);
    }
    for (int64_t i = 0; i < s->d; i++) {
        x[i] += (float)(scale * wsr__rng_normal(&rng));
    }
    wsr__project(x, &ball);
}

// Every try is evaluated; images with a success leave the batch.
static wsr_status run(wsr__attack_batch *s, const void *options)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    run_state state = {p->sigma > 0 ? p->sigma : (double)s->eps, 0};
    if (isinf(s->eps) && (s->norm == WSR__L2 || p->sigma <= 0)) {
        return WSR_FAIL(WSR_ARG, "attack gn: strength inf needs norm=linf and "
                                 "a sigma");
    }
    for (int64_t k = 0; k < p->tries && s->n_active > 0; k++) {
        state.attempt = (uint32_t)k;
        wsr__attack_batch_reset(s);
        wsr__attack_batch_each(s, draw, &state);
        WSR_TRY(wsr__attack_batch_finish(s));
    }
out:
    return status;
}

static uint64_t passes(const wsr__attack_batch *s, const void *options)
{
    (void)s;
    const params *const p = options;
    return (uint64_t)p->tries;
}

const wsr__attack_class wsr__attack_gn = {
    .super = {.name = "gn",
              .summary = "Gaussian noise",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(params)},
    .norms = 1u << WSR__LINF | 1u << WSR__L2,
    .norm = norm,
    .targets = true,
    .unbounded = true,
    .run = run,
    .passes = passes,
};
