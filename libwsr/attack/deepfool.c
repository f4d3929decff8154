// SPDX-License-Identifier: Apache-2.0
//
// DeepFool: the model is taken for linear, and the nearest of the boundaries
// to the other classes is stepped to,
//
//   k* = argmin |f_k - f_y| / |w_k|_q        w_k = grad (f_k - f_y)
//   r <- r + (|f_k* - f_y| / |w_k*|_q + 1e-4) * direction of w_k*     (1e-4 of
//   the pixel range) x  = clip(x0 + (1 + overshoot) * r)
//
// until the prediction changes. Moosavi-Dezfooli, Fawzi and Frossard,
// "DeepFool: a simple and accurate method to fool deep neural networks",
// arXiv:1511.04599. Each class costs a forward and a backward pass per step.

#include "attack/attack.h"
#include "attack/engine/batch.h"

#include <math.h>
#include <string.h>

enum { DIRECTION, RATIO, CHANGE };

typedef struct params {
    int64_t steps;
    double overshoot;
    int64_t classes;
    wsr__text norm;
} params;

static const char *const norms[] = {"l2", "linf", NULL};

static const wsr__option schema[] = {
    {"steps", WSR__INT, offsetof(params, steps), "50", 1, 10000, "steps",
     "most steps", NULL},
    {"overshoot", WSR__FLOAT, offsetof(params, overshoot), "0.02", 0, 10, "",
     "by how much the boundary is passed", NULL},
    {"classes", WSR__INT, offsetof(params, classes), "10", 2, 100000, "",
     "that are considered, the likeliest ones, the label included", NULL},
    {"norm", WSR__WORD, offsetof(params, norm), "l2", 0, 0, "",
     "norm that is to be small", norms},
    {0},
};

static wsr__lp norm(const void *options)
{
    const params *const p = options;
    return wsr__lp_named(p->norm.s);
}

typedef struct run_state {
    const params *p;
    float *direction; // (n, d) gradient towards the nearest boundary so far
    float *ratio;     // (n) its distance
    float *change;    // (n, d)
} run_state;

static double dual_length(const wsr__attack_batch *s, const float *g)
{
    double sum = 0;
    for (int64_t i = 0; i < s->d; i++) {
        const double v = fabs((double)g[i]);
        sum += s->norm == WSR__L2 ? v * v : v;
    }
    return s->norm == WSR__L2 ? sqrt(sum) : sum;
}

static void compare(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    const float *const g = wsr__at_const(s->grad, s->d, row);
    const double length = dual_length(s, g);
    if (!(length > 0)) {
        return;
    }
    const float ratio = (float)(fabs(s->loss[row]) / length);
    if (ratio < state->ratio[row]) {
        state->ratio[row] = ratio;
        memcpy(wsr__at(state->direction, s->d, row), g,
               (size_t)s->d * sizeof(*g));
    }
}

static void step(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    const float *const w = wsr__at_const(state->direction, s->d, row);
    const float *const x0 = wsr__at_const(s->x0, s->d, row);
    const wsr__box box = s->model->box;
    float *const r = wsr__at(state->change, s->d, row);
    float *const x = wsr__at(s->x, s->d, row);
    const double length = dual_length(s, w);
    if (isinf(state->ratio[row]) || !(length > 0)) {
        return; // flat all around
    }
    const double far = (double)state->ratio[row] + 1e-4 * wsr__width(box);
    const double over = 1 + state->p->overshoot;
    for (int64_t i = 0; i < s->d; i++) {
        const double sign = (double)((w[i] > 0) - (w[i] < 0));
        const double unit = s->norm == WSR__L2 ? (double)w[i] / length : sign;
        const double moved = (double)r[i] + far * unit;
        const double most = (double)box.hi - (double)x0[i];
        const double least = (double)box.lo - (double)x0[i];
        const double kept = moved > most ? most : moved < least ? least : moved;
        r[i] = (float)kept;
        x[i] = (float)((double)x0[i] + over * kept);
    }
    wsr__clip(x, s->d, box);
}

// Those that were fooled are done with.
static void collect(wsr__attack_batch *s, size_t row, void *ctx)
{
    (void)ctx;
    if (wsr__attack_batch_is_adversarial(s, row)) {
        wsr__attack_batch_offer(s, row, wsr__at(s->x, s->d, row));
        wsr__attack_batch_deactivate(s, row);
    }
}

static bool collect_first(wsr__attack_batch *s, size_t row, void *ctx)
{
    collect(s, row, ctx);
    return true;
}

static size_t boundaries_of(const wsr__attack_batch *s, const params *p)
{
    const size_t most = s->classes - 1;
    const size_t wanted = (size_t)p->classes - 1;
    return wanted < most ? wanted : most;
}

// Gradients of the differences to the likeliest other classes, one at a time;
// the nearest boundary of the linearised model is kept.
static wsr_status nearest(wsr__attack_batch *s, run_state *state)
{
    wsr_status status = WSR_OK;
    for (size_t c = 0; c < boundaries_of(s, state->p); c++) {
        for (size_t k = 0; k < s->n_active; k++) {
            const size_t row = s->active[k];
            wsr__loss_target *const target = &s->loss_targets[row];
            target->target_class =
                wsr__ranked(target->clean, s->classes, target->label, c);
            state->ratio[row] = c == 0 ? INFINITY : state->ratio[row];
        }
        const wsr__attack_pass pass = {.look = c == 0 ? collect_first : NULL,
                                       .loss = wsr__loss_difference};
        WSR_TRY(wsr__attack_batch_pass(s, &pass));
        wsr__attack_batch_each(s, compare, state);
    }
out:
    return status;
}

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    run_state state = {p, wsr__attack_batch_scratch(s, DIRECTION, s->d),
                       wsr__attack_batch_scratch(s, RATIO, 1),
                       wsr__attack_batch_scratch(s, CHANGE, s->d)};
    if (state.direction == NULL || state.ratio == NULL ||
        state.change == NULL) {
        return WSR_NOMEM;
    }
    memset(state.change, 0, s->capacity * (size_t)s->d * sizeof(float));
    wsr__attack_batch_reset(s);
    for (int64_t k = 0; k < p->steps && s->n_active > 0; k++) {
        WSR_TRY(nearest(s, &state));
        wsr__attack_batch_each(s, step, &state);
    }
    WSR_TRY(wsr__attack_batch_forward(s));
    wsr__attack_batch_each(s, collect, NULL);
    wsr__attack_batch_compact(s);
out:
    return status;
}

static uint64_t passes(const wsr__attack_batch *s, const void *options)
{
    const params *const p = options;
    return (uint64_t)p->steps * boundaries_of(s, p) + 1;
}

const wsr__attack_class wsr__attack_deepfool = {
    .super = {.name = "deepfool",
              .summary = "the nearest boundary of a linearised model",
              .reference = "Moosavi-Dezfooli et al. 2016, arXiv:1511.04599",
              .schema = schema,
              .params_size = sizeof(params)},
    .norms = 1u << WSR__L2 | 1u << WSR__LINF,
    .norm = norm,
    .needs_gradient = true,
    .unbounded = true,
    .min_norm = true,
    .run = run,
    .passes = passes,
};
