// SPDX-License-Identifier: Apache-2.0
//
// The search for the weight of the misclassification that cw and ead share;
// Carlini and Wagner, arXiv:1608.04644, section VI-D.

#include "attack/engine/constant_search.h"

#include <math.h>

// What the search knows of an image.
typedef struct weight {
    double c;
    double low;      // largest weight that failed, 0: none
    double high;     // smallest one that did not, INFINITY: none
    double expected; // what a linear model would need, 0: unknown
    double cost;     // at the last look
    bool reached;
} weight;

enum { WEIGHT_FLOATS = (sizeof(weight) + sizeof(float) - 1) / sizeof(float) };

typedef struct run_state {
    const wsr__constant_search *w;
    weight *weights;
    int64_t step;
} run_state;

static weight *weights_of(wsr__attack_batch *s)
{
    return (void *)wsr__attack_batch_scratch(s, WSR__CONSTANT_SCRATCH,
                                             WEIGHT_FLOATS);
}

double wsr__constant(wsr__attack_batch *s, size_t row)
{
    return weights_of(s)[row].c;
}

static void begin(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    state->weights[row].cost = (double)INFINITY;
    state->weights[row].reached = false;
    state->w->begin(s, row, state->w->ctx);
}

// Keeps what is wrong enough; every tenth of the steps gives up an image whose
// cost has stopped falling.
static void look(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    const wsr__constant_search *const w = state->w;
    weight *const at = &state->weights[row];
    const wsr__loss_target *const target = &s->targets[row];
    const double margin = wsr__loss_margin(
        NULL, NULL, s->logits + row * s->classes, target, s->classes);
    if (wsr__attack_batch_is_adversarial(s, row) && margin >= w->kappa) {
        at->reached = true;
        wsr__attack_batch_offer(s, row, wsr__at_const(s->x, s->d, row));
    }
    const double short_of = margin >= w->kappa ? -w->kappa : -margin;
    const double cost = w->size(s, row, w->ctx) + at->c * short_of;
    const int64_t tenth = w->steps >= 10 ? w->steps / 10 : 1;
    if (state->step % tenth == 0) {
        if (cost > at->cost * 0.9999) {
            wsr__attack_batch_deactivate(s, row);
        }
        at->cost = cost;
    }
}

// A linear model is d = short / |g| away, and |d|^2 + c (short - |g| |d|) is
// the smallest there for c = 2 short / |g|^2.
static void expect(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    const double width = wsr__width(s->model->box);
    const double short_of = state->w->kappa - s->loss[row];
    const float *const g = wsr__at_const(s->grad, s->d, row);
    double squares = 0;
    double most = 0;
    for (int64_t i = 0; i < s->d; i++) {
        const double v = fabs((double)g[i]) * width;
        squares += v * v;
        most = fmax(most, v);
    }
    state->weights[row].expected = 0;
    if (squares > 0 && short_of > 0) {
        state->weights[row].expected =
            fmax(2 * short_of / squares, state->w->least / most);
    }
}

// Bisection once a weight has succeeded, before that ten times the last. Where
// the given weight is orders of magnitude away from what a linear model would
// need, that is tried instead.
static double next_weight(const weight *at)
{
    const double usual = at->high < (double)INFINITY ? (at->low + at->high) / 2
                                                     : 10 * at->c;
    const bool far = usual < 1e-4 * at->expected || usual > 1e3 * at->expected;
    const bool open = at->expected > at->low && at->expected < at->high;
    return far && open ? at->expected : usual;
}

static void adjust(wsr__attack_batch *s, size_t row, void *ctx)
{
    (void)s;
    const run_state *const state = ctx;
    weight *const at = &state->weights[row];
    *(at->reached ? &at->high : &at->low) = at->c;
    at->c = next_weight(at);
}

static bool look_first(wsr__attack_batch *s, size_t row, void *ctx)
{
    look(s, row, ctx);
    return true;
}

// Logits at x of the rows, and what belongs to them where it is needed.
static wsr_status go_there(wsr__attack_batch *s, run_state *state)
{
    const wsr__constant_search *const w = state->w;
    const wsr__attack_pass pass = {
        .look = look_first, .ctx = state, .loss = wsr__loss_margin};
    if (state->step == 0 || (w->gradient && state->step < w->steps)) {
        return wsr__attack_batch_pass(s, &pass);
    }
    const wsr_status status = wsr__attack_batch_forward(s);
    if (status == WSR_OK) {
        wsr__attack_batch_each(s, look, state);
        wsr__attack_batch_compact(s);
    }
    return status;
}

// One round with the current weights: steps + 1 forward and steps backward
// passes at most.
static wsr_status try_weights(wsr__attack_batch *s, run_state *state,
                              bool first)
{
    wsr_status status = WSR_OK;
    const wsr__constant_search *const w = state->w;
    wsr__attack_batch_reactivate(s);
    wsr__attack_batch_each(s, begin, state);
    for (state->step = 0; state->step <= w->steps && s->n_active > 0;
         state->step++) {
        const bool last = state->step == w->steps;
        WSR_TRY(go_there(s, state));
        if (state->step == 0 && first) {
            wsr__attack_batch_each(s, expect, state);
        }
        if (!last) {
            WSR_TRY(w->step(s, w->ctx, state->step));
        }
    }
    wsr__attack_batch_reactivate(s);
    wsr__attack_batch_each(s, adjust, state);
out:
    return status;
}

wsr_status wsr__constant_search_run(wsr__attack_batch *s,
                                    const wsr__constant_search *search)
{
    wsr_status status = WSR_OK;
    run_state state = {search, weights_of(s), 0};
    if (state.weights == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < s->capacity; i++) {
        state.weights[i] = (weight){.c = search->c, .high = (double)INFINITY};
    }
    for (int64_t k = 0; k < search->binary_search_steps && s->n_active > 0;
         k++) {
        WSR_TRY(try_weights(s, &state, k == 0));
    }
out:
    return status;
}
