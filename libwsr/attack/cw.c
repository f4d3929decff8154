// SPDX-License-Identifier: Apache-2.0
//
// The attack of Carlini and Wagner in the Euclidean norm. With x' = lo + (hi -
// lo) (tanh w + 1) / 2, which cannot leave the box, Adam minimises
//
//   |x' - x0|^2 + c max(z_y - max_{i != y} z_i, -kappa)
//
// over w, and c is searched per image: ten times as much after a failure
// without a success before, else the middle between the last failure and the
// last success. The nearest image that is wrong by more than kappa is kept.
// "Towards evaluating the robustness of neural networks", arXiv:1608.04644.
//
// Pixels at the edge of the box are w = +-inf; they are drawn in by 1e-6 of it
// so that they can move.

#include "attack/attack.h"
#include "optim/optim.h"

#include <math.h>
#include <string.h>

enum { W, MOMENT_1, MOMENT_2, SEARCH };

// Per image: the columns of the array SEARCH.
enum { C, C_LOW, C_HIGH, COST, REACHED, COLUMNS };

typedef struct params {
    double c;
    double kappa;
    int64_t steps;
    double lr;
    int64_t search;
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
    {"search", WSR__INT, offsetof(params, search), "9", 1, 1000, "",
     "weights that are tried", NULL},
    {0},
};

static const wsr__adam usual = {.beta1 = 0.9, .beta2 = 0.999, .tol = 1e-8};

typedef struct run_state {
    const params *p;
    float *w;
    float *m;
    float *v;
    float *search;
    int64_t step;
} run_state;

static float *columns(const run_state *state, size_t row)
{
    return state->search + row * COLUMNS;
}

static void put_x(wsr__siege *s, const run_state *state, size_t row)
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

static void begin(wsr__siege *s, size_t row, void *ctx)
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
    columns(state, row)[COST] = INFINITY;
    columns(state, row)[REACHED] = 0;
    put_x(s, state, row);
}

// The part of the gradient that the model contributes is there only while the
// image is not wrong enough.
static void step(wsr__siege *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    const double half = ((double)s->model->box.hi - (double)s->model->box.lo) /
                        2;
    const bool enough = s->loss[row] >= state->p->kappa;
    const double c = enough ? 0 : (double)columns(state, row)[C];
    const float *const x = wsr__at_const(s->x, s->d, row);
    const float *const x0 = wsr__at_const(s->x0, s->d, row);
    float *const g = wsr__at(s->grad, s->d, row);
    for (int64_t i = 0; i < s->d; i++) {
        const double t = ((double)x[i] - (double)s->model->box.lo) / half - 1;
        const double dx = 2 * ((double)x[i] - (double)x0[i]) - c * (double)g[i];
        g[i] = (float)(dx * half * (1 - t * t));
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

// Keeps what is wrong enough; every tenth of the steps gives up an image whose
// cost has stopped falling.
static void look(wsr__siege *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    const params *const p = state->p;
    float *const column = columns(state, row);
    const wsr__aim *const aim = &s->goals[row];
    const float *const x = wsr__at_const(s->x, s->d, row);
    const double margin =
        wsr__loss_margin(NULL, s->logits + row * s->classes, aim, s->classes);
    if (wsr__siege_won(s, row) && margin >= p->kappa) {
        column[REACHED] = 1;
        wsr__siege_offer(s, row, x);
    }
    const double length =
        wsr__distance(WSR__L2, x, wsr__at_const(s->x0, s->d, row), s->d);
    const double short_of = margin >= p->kappa ? -p->kappa : -margin;
    const double cost = length * length + (double)column[C] * short_of;
    const int64_t tenth = p->steps >= 10 ? p->steps / 10 : 1;
    if (state->step % tenth == 0) {
        if (cost > (double)column[COST] * 0.9999) {
            wsr__siege_retire(s, row);
        }
        column[COST] = (float)cost;
    }
}

static void adjust(wsr__siege *s, size_t row, void *ctx)
{
    (void)s;
    const run_state *const state = ctx;
    float *const column = columns(state, row);
    if (column[REACHED] > 0) {
        column[C_HIGH] = column[C];
    } else {
        column[C_LOW] = column[C];
    }
    column[C] = column[C_HIGH] < INFINITY ? (column[C_LOW] + column[C_HIGH]) / 2
                                          : 10 * column[C];
}

static wsr_status try_weights(wsr__siege *s, run_state *state)
{
    wsr_status status = WSR_OK;
    wsr__siege_recall(s);
    wsr__siege_each(s, begin, state);
    for (state->step = 0; state->step <= state->p->steps && s->m > 0;
         state->step++) {
        const bool last = state->step == state->p->steps;
        WSR_TRY(wsr__siege_forward(s, !last));
        wsr__siege_each(s, look, state);
        wsr__siege_leave(s);
        if (!last) {
            WSR_TRY(wsr__siege_backward(s, wsr__loss_margin));
            wsr__siege_each(s, step, state);
        }
    }
    wsr__siege_recall(s);
    wsr__siege_each(s, adjust, state);
out:
    return status;
}

static wsr_status run(wsr__siege *s, const void *options)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    run_state state = {p,
                       wsr__siege_spare(s, W, s->d),
                       wsr__siege_spare(s, MOMENT_1, s->d),
                       wsr__siege_spare(s, MOMENT_2, s->d),
                       wsr__siege_spare(s, SEARCH, COLUMNS),
                       0};
    if (state.w == NULL || state.m == NULL || state.v == NULL ||
        state.search == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < s->capacity; i++) {
        columns(&state, i)[C] = (float)p->c;
        columns(&state, i)[C_LOW] = 0;
        columns(&state, i)[C_HIGH] = INFINITY;
    }
    for (int64_t k = 0; k < p->search && s->m > 0; k++) {
        WSR_TRY(try_weights(s, &state));
    }
out:
    return status;
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
    .minimal = true,
    .run = run,
};
