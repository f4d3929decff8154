// SPDX-License-Identifier: Apache-2.0
//
// Auto-PGD, the engine of apgd_ce, apgd_dlr and apgd_t: projected gradient
// steps with momentum. The step is halved, and the walk goes back to the best
// point so far, whenever a stretch of steps did not bring enough:
//
//   z       = clip(x + eta * direction(g))
//   x_next  = clip(x + a (z - x) + (1 - a) (x - x_last))        a = 0.75
//
// Croce and Hein, "Reliable evaluation of adversarial robustness with an
// ensemble of diverse parameter-free attacks", arXiv:2003.01690. In the L1
// ball steps go along the signs of the largest entries of the gradient, fewer
// the sparser the best point is, without momentum: Croce and Hein, "Mind the
// box: l1-APGD for sparse adversarial attacks on image classifiers",
// arXiv:2103.01208, where the radius may shrink in stages as well (`large`).
// The file is long because all balls share the steps, restarts and records.

#include "attack/engine/auto_pgd.h"

#include <math.h>
#include <string.h>

enum { LAST, BEST, BEST_GRAD, AHEAD, SUM, ROWS };

const wsr__option wsr__apgd_schema[] = {
    {"steps", WSR__INT, offsetof(wsr__apgd, steps), "100", 1, 100000, "steps",
     "gradient steps", NULL},
    {"restarts", WSR__INT, offsetof(wsr__apgd, restarts), "1", 1, 10000, "",
     "tries from different points", NULL},
    {"eot", WSR__INT, offsetof(wsr__apgd, eot), "1", 1, 10000, "",
     "gradients averaged for each step, for models with a random component",
     NULL},
    {"rho", WSR__FLOAT, offsetof(wsr__apgd, rho), "0.75", 0, 1, "",
     "share of steps that must raise the loss for the step to stay", NULL},
    {"large", WSR__BOOL, offsetof(wsr__apgd, large), "false", 0, 0, "",
     "l1: begin in balls of 3 and 2 times the strength", NULL},
    {"norm", WSR__WORD, offsetof(wsr__apgd, norm), "linf", 0, 0, "",
     "norm of the ball", wsr__lp_names},
    {0},
};

wsr__lp wsr__apgd_norm(const void *apgd)
{
    return wsr__lp_named(((const wsr__apgd *)apgd)->norm.s);
}

// What the search knows of an image.
typedef struct row_state {
    double eta;
    double best;      // order of the loss at the best point
    double best_then; // the same at the last checkpoint
    double last;      // the same of the step before
    double rises;     // steps since the last checkpoint that raised the loss
    double dense;     // l1: share of the gradient's entries that steps follow
    double support;   // l1: pixels changed at the last checkpoint
    int exponent;     // of the sum of gradients
    bool reduced;     // at the last checkpoint
} row_state;

enum { ROW_FLOATS = (sizeof(row_state) + sizeof(float) - 1) / sizeof(float) };

typedef struct apgd_state {
    const wsr__apgd *p;
    wsr__loss loss;
    wsr__order order; // of the loss, what points are compared by
    float *last;      // x one step before
    float *best;      // x with the largest loss
    float *best_grad; // its gradient
    float *ahead;     // z
    float *sum;       // of gradients
    row_state *rows;
    int64_t steps;
    int64_t step;
    int64_t stretch; // steps between checkpoints
    uint32_t draw;   // number of the random start
    bool evaluate;   // points count: the ball is that of the strength
    bool staged;     // x at the beginning is that of an earlier stage
} apgd_state;

// ------------------------------------------------------------------- starts

// A random point: in the linf and l2 balls the draw is scaled to the surface,
// in the l1 ball normal noise as wide as the box is projected.
static void start_row(wsr__attack_batch *s, size_t row, void *ctx)
{
    const apgd_state *const a = ctx;
    const wsr__ball ball = wsr__attack_batch_ball(s, row);
    float *const x = wsr__at(s->x, s->d, row);
    float *const t = wsr__at(a->ahead, s->d, row);
    wsr__rng rng = wsr__attack_batch_rng(s, row, a->draw);
    double most = 0;
    double squares = 0;
    for (int64_t i = 0; i < s->d; i++) {
        t[i] = s->norm == WSR__LINF ? 2 * wsr__rng_uniform(&rng) - 1
                                    : (float)wsr__rng_normal(&rng);
        const double size = fabs((double)t[i]);
        most = size > most ? size : most;
        squares += size * size;
    }
    const double length = s->norm == WSR__LINF ? most : sqrt(squares);
    const float scale = (float)(s->norm == WSR__L1 ? wsr__width(ball.box)
                                : length > 0       ? (double)s->eps / length
                                                   : 0);
    for (int64_t i = 0; i < s->d; i++) {
        x[i] = ball.x0[i] + scale * t[i];
    }
    wsr__project(x, &ball);
}

// Pixels that differ from the clean image.
static double support_of(const wsr__attack_batch *s, size_t row, const float *x)
{
    const float *const x0 = wsr__at_const(s->x0, s->d, row);
    int64_t n = 0;
    for (int64_t i = 0; i < s->d; i++) {
        n += x[i] < x0[i] || x[i] > x0[i];
    }
    return (double)n;
}

// The first step is twice the radius, so that it can cross the ball. `reduced`
// is true at first, so that the first checkpoint cannot find the walk stuck.
static void begin_row(wsr__attack_batch *s, size_t row, void *ctx)
{
    const apgd_state *const a = ctx;
    const wsr__ball ball = wsr__attack_batch_ball(s, row);
    const size_t size = (size_t)s->d * sizeof(float);
    float *const x = wsr__at(s->x, s->d, row);
    const double eps = (double)s->eps;
    row_state *const r = &a->rows[row];
    wsr__project(x, &ball);
    memcpy(wsr__at(a->last, s->d, row), x, size);
    memcpy(wsr__at(a->best, s->d, row), x, size);
    *r = (row_state){.eta = s->norm == WSR__L1 ? eps : 2 * eps,
                     .best = -(double)INFINITY,
                     .dense = 0.2,
                     .support = (double)s->d,
                     .reduced = true};
    if (a->staged) {
        r->support = support_of(s, row, x);
        r->dense = r->support / (double)s->d / 1.5;
    }
}

// -------------------------------------------------------------------- steps

// Moves the pixels whose gradient is among the largest `dense` of all. Their
// steps add up to eta in the l1 norm; 1e-10 is the authors' guard.
static void sparse_step(wsr__attack_batch *s, size_t row, const row_state *r)
{
    const wsr__ball ball = wsr__attack_batch_ball(s, row);
    float *const x = wsr__at(s->x, s->d, row);
    const float *const g = wsr__at_const(s->grad, s->d, row);
    const double rank = (1 - r->dense) * (double)s->d;
    const int64_t k = rank < 0 ? 0 : (int64_t)rank;
    const float bound =
        wsr__kth_magnitude(g, s->d, k > s->d - 1 ? s->d - 1 : k);
    int64_t followed = 0;
    for (int64_t i = 0; i < s->d; i++) {
        followed += fabsf(g[i]) >= bound && g[i] != 0;
    }
    const float length = (float)(r->eta / ((double)followed + 1e-10));
    for (int64_t i = 0; i < s->d; i++) {
        const float sign = (float)(g[i] > 0) - (float)(g[i] < 0);
        x[i] += fabsf(g[i]) >= bound ? length * sign : 0;
    }
    wsr__project(x, &ball);
}

// The gradient is lifted before it is divided by its length: a tiny one would
// lose its bits. The first step has no momentum, for x_last is x.
static void dense_step(wsr__attack_batch *s, size_t row, const apgd_state *a)
{
    const wsr__ball ball = wsr__attack_batch_ball(s, row);
    const float eta = (float)a->rows[row].eta;
    const float share = a->step == 0 ? 1.0f : 0.75f;
    const float *const g = wsr__at_const(s->grad, s->d, row);
    float *const x = wsr__at(s->x, s->d, row);
    float *const z = wsr__at(a->ahead, s->d, row);
    float *const last = wsr__at(a->last, s->d, row);
    double squares = 0;
    for (int64_t i = 0; i < s->d; i++) {
        squares += (double)g[i] * (double)g[i];
    }
    const double length = sqrt(squares);
    const float lift = wsr__lift(length);
    const float unit = length > 0 ? (float)(1 / (length * (double)lift)) : 0;
    for (int64_t i = 0; i < s->d; i++) {
        const float sign = (float)(g[i] > 0) - (float)(g[i] < 0);
        z[i] = x[i] + eta * (s->norm == WSR__LINF ? sign : lift * g[i] * unit);
    }
    wsr__project(z, &ball);
    for (int64_t i = 0; i < s->d; i++) {
        const float moved = x[i] - last[i];
        last[i] = x[i];
        x[i] += share * (z[i] - x[i]) + (1 - share) * moved;
    }
    wsr__project(x, &ball);
}

static void step_row(wsr__attack_batch *s, size_t row, void *ctx)
{
    const apgd_state *const a = ctx;
    if (s->norm == WSR__L1) {
        sparse_step(s, row, &a->rows[row]);
    } else {
        dense_step(s, row, a);
    }
}

// Records the loss at x, which step number a->step made; -1 is the start.
static void note_row(wsr__attack_batch *s, size_t row, void *ctx)
{
    const apgd_state *const a = ctx;
    const size_t size = (size_t)s->d * sizeof(float);
    row_state *const r = &a->rows[row];
    const double loss = a->order(s->logits + row * s->classes,
                                 &s->loss_targets[row], s->classes);
    // The loss before the first step counts as 0, as it does in the authors'
    // code, whose record of losses begins with zeros.
    r->rises += a->step >= 0 && loss > r->last ? 1 : 0;
    r->last = a->step < 0 ? 0 : loss;
    if (loss > r->best) {
        r->best = loss;
        memcpy(wsr__at(a->best, s->d, row), wsr__at(s->x, s->d, row), size);
        memcpy(wsr__at(a->best_grad, s->d, row), wsr__at(s->grad, s->d, row),
               size);
    }
    r->best_then = a->step < 0 ? loss : r->best_then;
}

// -------------------------------------------------------------- checkpoints

static void back_to_best(wsr__attack_batch *s, size_t row, const apgd_state *a)
{
    const size_t size = (size_t)s->d * sizeof(float);
    memcpy(wsr__at(s->x, s->d, row), wsr__at(a->best, s->d, row), size);
    memcpy(wsr__at(s->grad, s->d, row), wsr__at(a->best_grad, s->d, row), size);
}

// Halves the step when too few steps raised the loss, or when the stretch
// before did not halve it and the best loss is still the same.
static void check_dense(wsr__attack_batch *s, size_t row, void *ctx)
{
    const apgd_state *const a = ctx;
    row_state *const r = &a->rows[row];
    const bool few = r->rises <= a->p->rho * (double)a->stretch;
    const bool stuck = !r->reduced && r->best_then >= r->best;
    r->reduced = few || stuck;
    r->best_then = r->best;
    r->rises = 0;
    if (r->reduced) {
        r->eta /= 2;
        back_to_best(s, row, a);
    }
}

// A sparser best point begins anew with the full step; otherwise the step
// shrinks by 1.5, not below a tenth of the strength.
static void check_sparse(wsr__attack_batch *s, size_t row, void *ctx)
{
    const apgd_state *const a = ctx;
    row_state *const r = &a->rows[row];
    const double eps = (double)s->eps;
    const double support =
        support_of(s, row, wsr__at_const(a->best, s->d, row));
    const bool shrinks = support < 0.95 * r->support;
    const double eta = shrinks ? eps : r->eta / 1.5;
    r->eta = eta < eps / 10 ? eps / 10 : eta > eps ? eps : eta;
    r->dense = support / (double)s->d / 1.5;
    r->support = support;
    if (shrinks) {
        back_to_best(s, row, a);
    }
}

static int64_t share_of(double share, int64_t steps)
{
    const int64_t n = (int64_t)(share * (double)steps);
    return n > 1 ? n : 1;
}

// --------------------------------------------------------------- one restart

// Gradients of several passes may have different exponents (see
// wsr__gradient_align), so the smaller is scaled before the sum.
static void sum_row(wsr__attack_batch *s, size_t row, void *ctx)
{
    const apgd_state *const a = ctx;
    const float *const g = wsr__at_const(s->grad, s->d, row);
    float *const sum = wsr__at(a->sum, s->d, row);
    const float factor = wsr__gradient_align(sum, &a->rows[row].exponent,
                                             s->exponent[row], s->d);
    for (int64_t i = 0; i < s->d; i++) {
        sum[i] += factor * g[i] / (float)a->p->eot;
    }
}

static void take_sum(wsr__attack_batch *s, size_t row, void *ctx)
{
    const apgd_state *const a = ctx;
    memcpy(wsr__at(s->grad, s->d, row), wsr__at(a->sum, s->d, row),
           (size_t)s->d * sizeof(float));
}

// The gradient of a random model is the mean over `eot` passes. The last pass
// decides whether the attack succeeded, as in the authors' code.
static wsr_status average(wsr__attack_batch *s, apgd_state *a)
{
    wsr_status status = WSR_OK;
    memset(a->sum, 0, s->capacity * (size_t)s->d * sizeof(float));
    for (size_t k = 0; k < s->n_active; k++) {
        a->rows[s->active[k]].exponent = WSR__EXPONENT_NONE;
    }
    for (int64_t i = 0; i < a->p->eot && s->n_active > 0; i++) {
        const bool evaluate = a->evaluate && i == a->p->eot - 1;
        WSR_TRY(evaluate ? wsr__attack_batch_gradient(s, a->loss)
                         : wsr__attack_batch_gradient_at(s, s->x, a->loss));
        wsr__attack_batch_each(s, sum_row, a);
    }
    wsr__attack_batch_each(s, take_sum, a);
out:
    return status;
}

// Loss, gradient and outcome at x.
static wsr_status look(wsr__attack_batch *s, apgd_state *a)
{
    if (a->p->eot > 1) {
        return average(s, a);
    }
    return a->evaluate ? wsr__attack_batch_gradient(s, a->loss)
                       : wsr__attack_batch_gradient_at(s, s->x, a->loss);
}

// After the last step no gradient is needed.
static wsr_status look_last(wsr__attack_batch *s, const apgd_state *a)
{
    const wsr_status status = wsr__attack_batch_forward(s);
    if (status == WSR_OK && a->evaluate) {
        wsr__attack_batch_check_success(s);
    }
    return status;
}

// The stretches between checkpoints become shorter: 22 % of the steps, then 3 %
// less each time, at least 6 %. In the l1 ball each is 4 %.
static wsr_status run_steps(wsr__attack_batch *s, apgd_state *a)
{
    wsr_status status = WSR_OK;
    const bool sparse = s->norm == WSR__L1;
    int64_t since = 0;
    a->stretch = share_of(sparse ? 0.04 : 0.22, a->steps);
    wsr__attack_batch_each(s, begin_row, a);
    a->step = -1;
    WSR_TRY(look(s, a));
    wsr__attack_batch_each(s, note_row, a);
    for (a->step = 0; a->step < a->steps && s->n_active > 0; a->step++) {
        wsr__attack_batch_each(s, step_row, a);
        WSR_TRY(a->step + 1 < a->steps ? look(s, a) : look_last(s, a));
        wsr__attack_batch_each(s, note_row, a);
        if (++since < a->stretch) {
            continue;
        }
        since = 0;
        wsr__attack_batch_each(s, sparse ? check_sparse : check_dense, a);
        const int64_t less = a->stretch - share_of(0.03, a->steps);
        const int64_t least = share_of(0.06, a->steps);
        a->stretch = sparse ? a->stretch : less > least ? less : least;
    }
out:
    return status;
}

static void from_best(wsr__attack_batch *s, size_t row, void *ctx)
{
    const apgd_state *const a = ctx;
    memcpy(wsr__at(s->x, s->d, row), wsr__at(a->best, s->d, row),
           (size_t)s->d * sizeof(float));
}

static void publish_best(wsr__attack_batch *s, size_t row, void *ctx)
{
    const apgd_state *const a = ctx;
    memcpy(wsr__at(s->found, s->d, row), wsr__at(a->best, s->d, row),
           (size_t)s->d * sizeof(float));
}

// Steps in each of the two larger balls.
static int64_t steps_of_stage(const wsr__apgd *p)
{
    return (3 * p->steps + 9) / 10;
}

// Balls of three, two and one times the strength, each begun where the one
// before ended; only points in the last one count.
static wsr_status run_stages(wsr__attack_batch *s, apgd_state *a)
{
    wsr_status status = WSR_OK;
    const float eps = s->eps;
    const int64_t part = steps_of_stage(a->p);
    a->staged = true;
    for (int stage = 0; stage < 3; stage++) {
        s->eps = eps * (float)(3 - stage);
        a->evaluate = stage == 2;
        a->steps = stage < 2 ? part : a->p->steps - 2 * part;
        a->steps = a->steps < 1 ? 1 : a->steps;
        wsr__attack_batch_each(s, stage == 0 ? start_row : from_best, a);
        WSR_TRY(run_steps(s, a));
    }
out:
    s->eps = eps;
    return status;
}

static wsr_status run_restart(wsr__attack_batch *s, apgd_state *a)
{
    wsr_status status = WSR_OK;
    if (a->p->large && s->norm == WSR__L1) {
        WSR_TRY(run_stages(s, a));
    } else {
        a->evaluate = true;
        a->steps = a->p->steps;
        wsr__attack_batch_each(s, start_row, a);
        WSR_TRY(run_steps(s, a));
    }
    wsr__attack_batch_each(s, publish_best, a);
    a->draw++;
out:
    return status;
}

// ----------------------------------------------------------------- the runs

static wsr_status begin(apgd_state *a, wsr__attack_batch *s, const wsr__apgd *p)
{
    *a = (apgd_state){
        .p = p,
        .last = wsr__attack_batch_scratch(s, LAST, s->d),
        .best = wsr__attack_batch_scratch(s, BEST, s->d),
        .best_grad = wsr__attack_batch_scratch(s, BEST_GRAD, s->d),
        .ahead = wsr__attack_batch_scratch(s, AHEAD, s->d),
        .rows = (void *)wsr__attack_batch_scratch(s, ROWS, ROW_FLOATS)};
    if (p->eot > 1) {
        a->sum = wsr__attack_batch_scratch(s, SUM, s->d);
    }
    return a->last == NULL || a->best == NULL || a->best_grad == NULL ||
                   a->ahead == NULL || a->rows == NULL ||
                   (p->eot > 1 && a->sum == NULL)
               ? WSR_NOMEM
               : WSR_OK;
}

wsr_status wsr__apgd_run(wsr__attack_batch *s, const wsr__apgd *apgd,
                         wsr__loss loss, wsr__order order)
{
    wsr_status status = WSR_OK;
    apgd_state a;
    WSR_TRY(begin(&a, s, apgd));
    a.loss = loss;
    a.order = order;
    for (int64_t r = 0; r < apgd->restarts && s->n_active > 0; r++) {
        WSR_TRY(run_restart(s, &a));
        wsr__attack_batch_reactivate(s);
    }
out:
    return status;
}

static int64_t targets_of(const wsr__attack_batch *s, const wsr__apgd *apgd)
{
    const int64_t others = (int64_t)s->classes - 1;
    return apgd->targets < others ? apgd->targets : others;
}

// Every run of steps ends with a pass without gradient.
uint64_t wsr__apgd_passes(const wsr__attack_batch *s, const void *apgd)
{
    const wsr__apgd *const p = apgd;
    const int64_t part = steps_of_stage(p);
    const int64_t rest = p->steps - 2 * part;
    int64_t passes = p->steps * p->eot + 1;
    if (p->large && s->norm == WSR__L1) {
        passes = (2 * part + (rest < 1 ? 1 : rest)) * p->eot + 3;
    }
    return (uint64_t)(p->restarts * passes);
}

uint64_t wsr__apgd_passes_targets(const wsr__attack_batch *s, const void *apgd)
{
    return wsr__apgd_passes(s, apgd) * (uint64_t)targets_of(s, apgd);
}

wsr_status wsr__apgd_run_targets(wsr__attack_batch *s, const wsr__apgd *apgd,
                                 wsr__loss loss, wsr__order order)
{
    wsr_status status = WSR_OK;
    apgd_state a;
    const int64_t targets = targets_of(s, apgd);
    WSR_TRY(begin(&a, s, apgd));
    a.loss = loss;
    a.order = order;
    for (int64_t r = 0; r < targets * apgd->restarts && s->n_active > 0; r++) {
        for (size_t k = 0; k < s->n_active; k++) {
            wsr__loss_target *const target = &s->loss_targets[s->active[k]];
            target->target_class = wsr__ranked(target->clean, s->classes,
                                               target->label,
                                               (size_t)(r % targets));
        }
        WSR_TRY(run_restart(s, &a));
        wsr__attack_batch_reactivate(s);
    }
out:
    return status;
}
