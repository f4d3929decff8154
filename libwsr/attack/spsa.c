// SPDX-License-Identifier: Apache-2.0
//
// Steps along gradients that are estimated from logits alone: with v_k of
// random signs,
//
//   g = 1/n sum over k of (L(x + delta v_k) - L(x - delta v_k)) / (2 delta) v_k
//   x <- clip(x + Adam(g))
//
// where L = max over other classes - z_y. It sees through models whose
// gradients mislead. Uesato et al., "Adversarial risk and the dangers of
// evaluating against weak attacks", arXiv:1802.05666.

#include "attack/attack.h"
#include "attack/engine/batch.h"
#include "optim/optim.h"

#include <math.h>
#include <string.h>

enum { SIGNS, PROBE, ESTIMATE, MOMENT_1, MOMENT_2, AHEAD };

typedef struct params {
    int64_t steps;
    int64_t samples;
    double delta;
    double lr;
} params;

static const wsr__option schema[] = {
    {"steps", WSR__INT, offsetof(params, steps), "20", 1, 100000, "steps",
     "steps", NULL},
    {"samples", WSR__INT, offsetof(params, samples), "128", 1, 1000000, "",
     "pairs of images for each step", NULL},
    {"delta", WSR__FLOAT, offsetof(params, delta), "0", 0, 1e6, "pixel values",
     "how far apart from the image they are, 0: 0.01 of the pixel range", NULL},
    {"lr", WSR__FLOAT, offsetof(params, lr), "0.01", 1e-9, 100, "pixel ranges",
     "learning rate of Adam", NULL},
    {0},
};

static const wsr__adam usual = {.beta1 = 0.9, .beta2 = 0.999, .tol = 1e-8};

typedef struct run_state {
    const params *p;
    double width; // of the pixel range
    double delta;
    float *signs;
    float *probe; // images beside x
    float *estimate;
    float *m;
    float *v;
    float *ahead; // loss at x + delta v, one per image
    int64_t step;
    int64_t sample;
} run_state;

static void begin(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    memset(wsr__at(state->m, s->d, row), 0, (size_t)s->d * sizeof(float));
    memset(wsr__at(state->v, s->d, row), 0, (size_t)s->d * sizeof(float));
}

// A point at distance `length` from x along the signs. It may lie outside the
// ball: only its loss is needed.
static void put_probe(wsr__attack_batch *s, const run_state *state, size_t row,
                      float length)
{
    const float *const x = wsr__at_const(s->x, s->d, row);
    const float *const signs = wsr__at_const(state->signs, s->d, row);
    float *const probe = wsr__at(state->probe, s->d, row);
    for (int64_t i = 0; i < s->d; i++) {
        probe[i] = x[i] + length * signs[i];
    }
}

// Draws the signs of a sample and goes to the point ahead of x.
static void go_ahead(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    wsr__rng rng = wsr__attack_batch_rng(
        s, row, (uint32_t)(state->step * state->p->samples + state->sample));
    float *const signs = wsr__at(state->signs, s->d, row);
    for (int64_t i = 0; i < s->d; i++) {
        signs[i] = wsr__rng_uniform(&rng) < 0.5f ? -1 : 1;
    }
    put_probe(s, state, row, (float)state->delta);
}

static double margin(const wsr__attack_batch *s, size_t row)
{
    return wsr__loss_margin(NULL, NULL, s->logits + row * s->classes,
                            &s->loss_targets[row], s->classes);
}

// Keeps the loss ahead and goes to the point behind x, along the same signs.
static void go_behind(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    state->ahead[row] = (float)margin(s, row);
    put_probe(s, state, row, -(float)state->delta);
}

static void add(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    // Downwards: Adam goes against what it is given.
    const double difference = margin(s, row) - (double)state->ahead[row];
    // In pixel ranges and in units of the logits: Adam adds a constant to the
    // size of what it is given.
    const double unit =
        wsr__logit_spread(s->clean + row * s->classes, s->classes);
    const double part = difference * state->width /
                        (2 * state->delta * (double)state->p->samples);
    const float by = (float)ldexp(part, -wsr__exponent(unit));
    const float *const signs = wsr__at_const(state->signs, s->d, row);
    float *const estimate = wsr__at(state->estimate, s->d, row);
    for (int64_t i = 0; i < s->d; i++) {
        estimate[i] = by * signs[i] + (state->sample == 0 ? 0 : estimate[i]);
    }
}

static void move(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    const wsr__ball ball = wsr__attack_batch_ball(s, row);
    float *const x = wsr__at(s->x, s->d, row);
    const wsr__update update = {
        .data = x,
        .grad = wsr__at(state->estimate, s->d, row),
        .state = {wsr__at(state->m, s->d, row), wsr__at(state->v, s->d, row)},
        .n = s->d,
        .lr = state->p->lr * state->width,
        .step = state->step + 1};
    wsr__adam_update(&update, &usual, 0);
    wsr__project(x, &ball);
}

static wsr_status estimate(wsr__attack_batch *s, run_state *state)
{
    wsr_status status = WSR_OK;
    for (state->sample = 0; state->sample < state->p->samples;
         state->sample++) {
        wsr__attack_batch_each(s, go_ahead, state);
        WSR_TRY(wsr__attack_batch_forward_at(s, state->probe));
        wsr__attack_batch_each(s, go_behind, state);
        WSR_TRY(wsr__attack_batch_forward_at(s, state->probe));
        wsr__attack_batch_each(s, add, state);
    }
out:
    return status;
}

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    const double width = wsr__width(s->model->box);
    run_state state = {.p = p,
                       .width = width,
                       .delta = p->delta > 0 ? p->delta : 0.01 * width,
                       .signs = wsr__attack_batch_scratch(s, SIGNS, s->d),
                       .probe = wsr__attack_batch_scratch(s, PROBE, s->d),
                       .estimate = wsr__attack_batch_scratch(s, ESTIMATE, s->d),
                       .m = wsr__attack_batch_scratch(s, MOMENT_1, s->d),
                       .v = wsr__attack_batch_scratch(s, MOMENT_2, s->d),
                       .ahead = wsr__attack_batch_scratch(s, AHEAD, 1)};
    if (state.signs == NULL || state.probe == NULL || state.estimate == NULL ||
        state.m == NULL || state.v == NULL || state.ahead == NULL) {
        return WSR_NOMEM;
    }
    wsr__attack_batch_reset(s);
    wsr__attack_batch_each(s, begin, &state);
    for (; state.step < state.p->steps && s->n_active > 0; state.step++) {
        if (state.step > 0) {
            WSR_TRY(wsr__attack_batch_evaluate(s));
        }
        WSR_TRY(estimate(s, &state));
        wsr__attack_batch_each(s, move, &state);
    }
    WSR_TRY(wsr__attack_batch_finish(s));
out:
    return status;
}

static uint64_t passes(const wsr__attack_batch *s, const void *options)
{
    (void)s;
    const params *const p = options;
    return (uint64_t)(p->steps * (2 * p->samples + 1));
}

const wsr__attack_class wsr__attack_spsa = {
    .super = {.name = "spsa",
              .summary = "steps along gradients estimated from logits",
              .reference = "Uesato et al. 2018, arXiv:1802.05666",
              .schema = schema,
              .params_size = sizeof(params)},
    .norms = 1u << WSR__LINF,
    .targets = true,
    .run = run,
    .passes = passes,
};
