// SPDX-License-Identifier: Apache-2.0
//
// The elastic-net attack, whose changes are small in the l1 norm: with steps
// of the fast iterative shrinkage-thresholding algorithm (FISTA) it minimises
//
//   c max(z_y - max_{i != y} z_i, -kappa) + |x - x0|^2 + beta |x - x0|_1
//
// as   x' = S(y - lr_k grad(y)),   y <- x' + k / (k + 3) (x' - x)
//
// where grad is that of the first two terms, lr_k = lr sqrt(1 - k / steps), and
// S takes beta off every change, not beyond zero, and clips to the box; pixels
// are in parts of their range. c is searched per image
// (engine/constant_search.c). Chen et al., "EAD: elastic-net attacks to deep
// neural networks via adversarial examples", arXiv:1709.04114, with the
// decision by the l1 norm.

#include "attack/attack.h"
#include "attack/engine/constant_search.h"

#include <math.h>
#include <string.h>

enum { AHEAD };

typedef struct params {
    double c;
    double beta;
    double kappa;
    int64_t steps;
    double lr;
    int64_t binary_search_steps;
} params;

static const wsr__option schema[] = {
    {"c", WSR__FLOAT, offsetof(params, c), "0.001", 1e-10, 1e10, "",
     "weight of the misclassification at the beginning", NULL},
    {"beta", WSR__FLOAT, offsetof(params, beta), "0.001", 0, 1e3, "",
     "weight of the l1 norm, what a step takes off every change", NULL},
    {"kappa", WSR__FLOAT, offsetof(params, kappa), "0", 0, 1e6, "logits",
     "by how much the image must be wrong", NULL},
    {"steps", WSR__INT, offsetof(params, steps), "100", 1, 1000000, "steps",
     "gradient steps for each weight", NULL},
    {"lr", WSR__FLOAT, offsetof(params, lr), "0.01", 1e-9, 100, "",
     "length of the first step, in gradients", NULL},
    {"search", WSR__INT, offsetof(params, binary_search_steps), "9", 1, 1000,
     "", "weights that are tried", NULL},
    {0},
};

typedef struct run_state {
    const params *p;
    float *ahead; // y
    int64_t step;
} run_state;

static void begin(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    const size_t floats = (size_t)s->d * sizeof(float);
    const float *const x0 = wsr__at_const(s->x0, s->d, row);
    memcpy(wsr__at(s->x, s->d, row), x0, floats);
    memcpy(wsr__at(state->ahead, s->d, row), x0, floats);
}

// Take `beta` off the change from x0, not beyond zero; into the box.
static float shrink(float z, float x0, float beta, wsr__box box)
{
    const float change = z - x0;
    const float left = fmaxf(fabsf(change) - beta, 0);
    return fminf(fmaxf(x0 + copysignf(left, change), box.lo), box.hi);
}

static void move(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    const params *const p = state->p;
    const double part = (double)state->step / (double)p->steps;
    const double lr = p->lr * sqrt(1 - part);
    const double width = wsr__width(s->model->box);
    const float beta = (float)(p->beta * width);
    const float on = (float)state->step / (float)(state->step + 3);
    const bool enough = s->loss[row] >= p->kappa;
    const double c = enough ? 0 : wsr__constant(s, row) * width * width;
    const float *const g = wsr__at_const(s->grad, s->d, row);
    const float *const x0 = wsr__at_const(s->x0, s->d, row);
    float *const x = wsr__at(s->x, s->d, row);
    float *const y = wsr__at(state->ahead, s->d, row);
    for (int64_t i = 0; i < s->d; i++) {
        const double dy = 2 * ((double)y[i] - (double)x0[i]) - c * (double)g[i];
        const float z = (float)((double)y[i] - lr * dy);
        const float next = shrink(z, x0[i], beta, s->model->box);
        y[i] = next + on * (next - x[i]);
        x[i] = next;
    }
}

static wsr_status step(wsr__attack_batch *s, void *ctx, int64_t number)
{
    run_state *const state = ctx;
    const wsr_status status =
        number == 0
            ? WSR_OK
            : wsr__attack_batch_gradient_at(s, state->ahead, wsr__loss_margin);
    if (status == WSR_OK) {
        state->step = number;
        wsr__attack_batch_each(s, move, state);
    }
    return status;
}

static double elastic(const wsr__attack_batch *s, size_t row, const void *ctx)
{
    const run_state *const state = ctx;
    const float *const x = wsr__at_const(s->x, s->d, row);
    const float *const x0 = wsr__at_const(s->x0, s->d, row);
    const double width = wsr__width(s->model->box);
    const double length = wsr__distance(WSR__L2, x, x0, s->d) / width;
    return length * length +
           state->p->beta * wsr__distance(WSR__L1, x, x0, s->d) / width;
}

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    const params *const p = options;
    run_state state = {p, wsr__attack_batch_scratch(s, AHEAD, s->d), 0};
    const wsr__constant_search search = {
        .c = p->c,
        .binary_search_steps = p->binary_search_steps,
        .kappa = p->kappa,
        .steps = p->steps,
        .begin = begin,
        .step = step,
        .least = p->beta / p->lr,
        .size = elastic,
        .ctx = &state};
    return state.ahead == NULL ? WSR_NOMEM
                               : wsr__constant_search_run(s, &search);
}

static uint64_t passes(const wsr__attack_batch *s, const void *options)
{
    (void)s;
    const params *const p = options;
    return wsr__constant_search_passes(p->binary_search_steps, p->steps) +
           (uint64_t)(p->binary_search_steps * p->steps); // at the points ahead
}

const wsr__attack_class wsr__attack_ead = {
    .super = {.name = "ead",
              .summary = "smallest l1 change, by shrinking steps",
              .reference = "Chen et al. 2018, arXiv:1709.04114",
              .schema = schema,
              .params_size = sizeof(params)},
    .norms = 1u << WSR__L1,
    .needs_gradient = true,
    .targets = true,
    .unbounded = true,
    .min_norm = true,
    .run = run,
    .passes = passes,
};
