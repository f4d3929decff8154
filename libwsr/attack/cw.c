// SPDX-License-Identifier: Apache-2.0
//
// The attack of Carlini and Wagner in the Euclidean norm. With x' = lo + (hi -
// lo) (tanh w + 1) / 2, which cannot leave the box, Adam minimises
//
//   |x' - x0|^2 / (hi - lo)^2 + c max(z_y - max_{i != y} z_i, -kappa)
//
// over w, and c is searched per image (engine/constant_search.c). The nearest
// image that is wrong by more than kappa is kept. "Towards evaluating the
// robustness of neural networks", arXiv:1608.04644.
//
// Pixels at the edge of the box are w = +-inf; they are drawn in by 1e-6 of it
// so that they can move.

#include "attack/attack.h"
#include "attack/engine/constant_search.h"
#include "optim/optim.h"

#include <math.h>
#include <string.h>

enum { W, MOMENT_1, MOMENT_2 };

typedef struct params {
    double c;
    double kappa;
    int64_t steps;
    double lr;
    int64_t binary_search_steps;
} params;

static const wsr__option schema[] = {
    {"c", WSR__FLOAT, offsetof(params, c), "1", 1e-10, 1e10, "",
     "weight of the misclassification at the beginning", NULL},
    {"kappa", WSR__FLOAT, offsetof(params, kappa), "0", 0, 1e6, "logits",
     "by how much the image must be wrong", NULL},
    {"steps", WSR__INT, offsetof(params, steps), "100", 1, 1000000, "steps",
     "gradient steps for each weight", NULL},
    {"lr", WSR__FLOAT, offsetof(params, lr), "0.01", 1e-9, 100, "",
     "learning rate of Adam", NULL},
    {"search", WSR__INT, offsetof(params, binary_search_steps), "9", 1, 1000,
     "", "weights that are tried", NULL},
    {0},
};

static const wsr__adam usual = {.beta1 = 0.9, .beta2 = 0.999, .tol = 1e-8};

typedef struct run_state {
    const params *p;
    float *w;
    float *m;
    float *v;
    int64_t step;
} run_state;

static void put_x(wsr__attack_batch *s, const run_state *state, size_t row)
{
    const wsr__box box = s->model->box;
    const float half = (box.hi - box.lo) / 2;
    const float *const w = wsr__at_const(state->w, s->d, row);
    float *const x = wsr__at(s->x, s->d, row);
    for (int64_t i = 0; i < s->d; i++) {
        x[i] = box.lo + half * (tanhf(w[i]) + 1);
    }
    wsr__clip(x, s->d, box);
}

static void begin(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    const wsr__box box = s->model->box;
    const float *const x0 = wsr__at_const(s->x0, s->d, row);
    const size_t floats = (size_t)s->d * sizeof(float);
    float *const w = wsr__at(state->w, s->d, row);
    for (int64_t i = 0; i < s->d; i++) {
        const double u = ((double)x0[i] - (double)box.lo) /
                         ((double)box.hi - (double)box.lo);
        w[i] = (float)atanh((2 * u - 1) * 0.999999);
    }
    memset(wsr__at(state->m, s->d, row), 0, floats);
    memset(wsr__at(state->v, s->d, row), 0, floats);
    put_x(s, state, row);
}

// The part of the gradient that the model contributes is there only while the
// image is not wrong enough.
static void move(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    const double width = wsr__width(s->model->box);
    const double half = width / 2;
    const bool enough = s->loss[row] >= state->p->kappa;
    const double c = enough ? 0 : wsr__constant(s, row);
    const float *const x = wsr__at_const(s->x, s->d, row);
    const float *const x0 = wsr__at_const(s->x0, s->d, row);
    float *const g = wsr__at(s->grad, s->d, row);
    for (int64_t i = 0; i < s->d; i++) {
        const double t = ((double)x[i] - (double)s->model->box.lo) / half - 1;
        const double dx = 2 * ((double)x[i] - (double)x0[i]) / width -
                          c * (double)g[i] * width;
        g[i] = (float)(dx * 0.5 * (1 - t * t));
    }
    const wsr__update update = {
        .data = wsr__at(state->w, s->d, row),
        .grad = g,
        .state = {wsr__at(state->m, s->d, row), wsr__at(state->v, s->d, row)},
        .n = s->d,
        .lr = state->p->lr,
        .step = state->step + 1};
    wsr__adam_update(&update, &usual, 0);
    put_x(s, state, row);
}

static wsr_status step(wsr__attack_batch *s, void *ctx, int64_t number)
{
    run_state *const state = ctx;
    state->step = number;
    wsr__attack_batch_each(s, move, state);
    return WSR_OK;
}

// The part of the objective that measures the change: its squared l2 norm in
// units of the pixel range.
static double squares(const wsr__attack_batch *s, size_t row, const void *ctx)
{
    (void)ctx;
    const double length = wsr__distance(WSR__L2, wsr__at_const(s->x, s->d, row),
                                        wsr__at_const(s->x0, s->d, row), s->d);
    const double part = length / wsr__width(s->model->box);
    return part * part;
}

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    const params *const p = options;
    run_state state = {p, wsr__attack_batch_scratch(s, W, s->d),
                       wsr__attack_batch_scratch(s, MOMENT_1, s->d),
                       wsr__attack_batch_scratch(s, MOMENT_2, s->d), 0};
    const wsr__constant_search search = {
        .c = p->c,
        .binary_search_steps = p->binary_search_steps,
        .kappa = p->kappa,
        .steps = p->steps,
        .begin = begin,
        .gradient = true,
        .step = step,
        .size = squares,
        .ctx = &state};
    if (state.w == NULL || state.m == NULL || state.v == NULL) {
        return WSR_NOMEM;
    }
    return wsr__constant_search_run(s, &search);
}

static uint64_t passes(const wsr__attack_batch *s, const void *options)
{
    (void)s;
    const params *const p = options;
    return wsr__constant_search_passes(p->binary_search_steps, p->steps);
}

const wsr__attack_class wsr__attack_cw = {
    .super = {.name = "cw",
              .summary = "smallest Euclidean change, by Adam in tanh space",
              .reference = "Carlini and Wagner 2017, arXiv:1608.04644",
              .schema = schema,
              .params_size = sizeof(params)},
    .norms = 1u << WSR__L2,
    .needs_gradient = true,
    .targets = true,
    .unbounded = true,
    .min_norm = true,
    .run = run,
    .passes = passes,
};
