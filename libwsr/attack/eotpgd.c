// SPDX-License-Identifier: Apache-2.0
//
// Projected gradient descent on models with a random component: each step
// follows the sum of gradients over several evaluations of the same point
// (expectation over transformation). Athalye, Carlini and Wagner, "Obfuscated
// gradients give a false sense of security", arXiv:1802.00420.
//
// An iterate is checked by the first evaluation of its step.

#include "attack/attack.h"
#include "attack/engine/steps.h"

#include <string.h>

enum { SUM, EXPONENT };

typedef struct params {
    int64_t steps;
    double alpha;
    double rel_length;
    int64_t samples;
    bool random_start;
} params;

static const wsr__option schema[] = {
    {"steps", WSR__INT, offsetof(params, steps), "20", 1, 100000, "steps",
     "gradient steps", NULL},
    {"alpha", WSR__FLOAT, offsetof(params, alpha), "0", 0, 1e9, "pixel values",
     "length of a step, 0: from rel_length", NULL},
    {"rel_length", WSR__FLOAT, offsetof(params, rel_length), "2.5", 0, 1000, "",
     "length of all steps together, in strengths", NULL},
    {"samples", WSR__INT, offsetof(params, samples), "10", 1, 10000, "",
     "gradients summed for each step", NULL},
    {"random_start", WSR__BOOL, offsetof(params, random_start), "true", 0, 0,
     "", "begin at a random point, not at the image", NULL},
    {0},
};

// sum is (n, d): gradients of one point, summed with a common exponent.
typedef struct run_state {
    float alpha;
    float *sum;
    int *exponent; // of the sum, one per image
} run_state;

static void start(wsr__attack_batch *s, size_t row, void *ctx)
{
    (void)ctx;
    wsr__start_uniform(s, row, 0);
}

static void clear(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    memset(wsr__at(state->sum, s->d, row), 0,
           (size_t)s->d * sizeof(*state->sum));
    state->exponent[row] = WSR__EXPONENT_NONE;
}

// The gradients of a sample may have another exponent than the sum.
static void add(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    const float *const g = wsr__at_const(s->grad, s->d, row);
    float *const sum = wsr__at(state->sum, s->d, row);
    const float factor =
        wsr__gradient_align(sum, &state->exponent[row], s->exponent[row], s->d);
    for (int64_t i = 0; i < s->d; i++) {
        sum[i] += factor * g[i];
    }
}

// The sum points in the direction of the mean; a step only needs the
// direction.
static void step(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    wsr__gradient_step(s, row, wsr__at_const(state->sum, s->d, row),
                       state->alpha);
}

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    run_state state = {wsr__step_size(s, p->alpha, p->rel_length, p->steps),
                       wsr__attack_batch_scratch(s, SUM, s->d),
                       (void *)wsr__attack_batch_scratch(s, EXPONENT, 1)};
    if (state.sum == NULL || state.exponent == NULL) {
        return WSR_NOMEM;
    }
    wsr__attack_batch_reset(s);
    if (p->random_start) {
        wsr__attack_batch_each(s, start, NULL);
    }
    for (int64_t k = 0; k < p->steps && s->n_active > 0; k++) {
        wsr__attack_batch_each(s, clear, &state);
        for (int64_t i = 0; i < p->samples && s->n_active > 0; i++) {
            WSR_TRY(i == 0
                        ? wsr__attack_batch_gradient(s, wsr__loss_ce)
                        : wsr__attack_batch_gradient_at(s, s->x, wsr__loss_ce));
            wsr__attack_batch_each(s, add, &state);
        }
        wsr__attack_batch_each(s, step, &state);
    }
    WSR_TRY(wsr__attack_batch_finish(s));
out:
    return status;
}

static uint64_t passes(const wsr__attack_batch *s, const void *options)
{
    (void)s;
    const params *const p = options;
    return (uint64_t)(p->steps * p->samples + 1);
}

const wsr__attack_class wsr__attack_eotpgd = {
    .super = {.name = "eotpgd",
              .summary = "pgd on gradients summed over a model's randomness",
              .reference = "Athalye et al. 2018, arXiv:1802.00420",
              .schema = schema,
              .params_size = sizeof(params)},
    .norms = 1u << WSR__LINF,
    .needs_gradient = true,
    .targets = true,
    .run = run,
    .passes = passes,
};
