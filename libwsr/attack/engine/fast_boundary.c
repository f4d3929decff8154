// SPDX-License-Identifier: Apache-2.0
//
// The fast adaptive boundary method, the engine of fab and fab_t. It walks
// along the decision boundary towards the clean image: with the difference of
// logits f = z_c - z_y linearised at x, w = grad f,
//
//   d1 = smallest change of x  onto f = 0, d2 = that of x0
//   a  = min(|d1| / (|d1| + |d2|), alpha)
//   x  <- clip((1 - a) (x + eta d1) + a (x0 + eta d2))
//
// where project_hyperplane.c finds d1 and d2. Whenever x is misclassified, it
// is kept if it is the nearest so far, and moved towards the clean image: x <-
// x0 + beta (x - x0). Croce and Hein, "Minimally distorted adversarial examples
// with a fast adaptive boundary attack", arXiv:1907.02044.
//
// The forward pass that says whether x is wrong is also that of its gradient.
// Only an image that was drawn in needs another one; since most that are at
// the boundary are wrong after every step, these are looked at first by a pass
// that keeps nothing for a gradient.

#include "attack/engine/fast_boundary.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { NORMAL, TO_PLANE, CLEAN_TO_PLANE, ROWS };

// What the walk knows of an image.
typedef struct row_state {
    double f;      // difference of logits whose boundary is the nearest
    double length; // distance to it
    int64_t steps; // done
    bool drawn_in; // x has just been
    bool fresh;    // found wrong by the last forward
    bool likely;   // was wrong after its last step, so will be again
} row_state;

enum { ROW_FLOATS = (sizeof(row_state) + sizeof(float) - 1) / sizeof(float) };

typedef struct walk {
    const wsr__fab *p;
    float *normal;       // (n, d) gradient at the nearest boundary
    float *change;       // (n, d)
    float *clean_change; // (n, d)
    row_state *rows;
    bool all;      // boundaries to all classes, not to the target's alone
    uint32_t draw; // number of the random start, 0: none
} walk;

static void start_row(wsr__attack_batch *s, size_t row, void *ctx)
{
    static const double usual[] = {0.3, 1, 5};
    const walk *const w = ctx;
    const float *const x0 = wsr__at_const(s->x0, s->d, row);
    float *const x = wsr__at(s->x, s->d, row);
    float *const t = wsr__at(w->change, s->d, row);
    const double eps = (double)s->eps;
    double radius = s->best[row] < eps ? s->best[row] : eps;
    w->rows[row] = (row_state){0};
    memcpy(x, x0, (size_t)s->d * sizeof(*x));
    if (w->draw == 0) {
        return;
    }
    const double width = wsr__width(s->model->box);
    radius = isinf(radius) ? usual[s->norm] * width : radius;
    wsr__rng rng = wsr__attack_batch_rng(s, row, w->draw);
    for (int64_t i = 0; i < s->d; i++) {
        t[i] = x0[i] + (float)width * (s->norm == WSR__LINF
                                           ? 2 * wsr__rng_uniform(&rng) - 1
                                           : (float)wsr__rng_normal(&rng));
    }
    const double length = wsr__distance(s->norm, t, x0, s->d);
    for (int64_t i = 0; i < s->d && length > 0; i++) {
        x[i] += (float)(radius / 2 / length * ((double)t[i] - (double)x0[i]));
    }
    wsr__clip(x, s->d, s->model->box);
}

static double dual_length(wsr__lp lp, const float *g, int64_t d)
{
    double most = 0;
    double sum = 0;
    double squares = 0;
    for (int64_t i = 0; i < d; i++) {
        const double v = fabs((double)g[i]);
        most = v > most ? v : most;
        sum += v;
        squares += v * v;
    }
    return lp == WSR__LINF ? sum : lp == WSR__L2 ? sqrt(squares) : most;
}

static void compare_row(wsr__attack_batch *s, size_t row, void *ctx)
{
    const walk *const w = ctx;
    const float *const g = wsr__at_const(s->grad, s->d, row);
    row_state *const r = &w->rows[row];
    const double derivative = dual_length(s->norm, g, s->d);
    // Where it is flat all around, one of the boundaries has to do.
    const double length = derivative > 0 ? fabs(s->loss[row]) / derivative
                                         : DBL_MAX;
    if (length < r->length) {
        r->length = length;
        r->f = s->loss[row];
        memcpy(wsr__at(w->normal, s->d, row), g, (size_t)s->d * sizeof(*g));
    }
}

static double inner(const float *w, const float *a, const float *b, int64_t d)
{
    double sum = 0;
    for (int64_t i = 0; i < d; i++) {
        sum += (double)w[i] * ((double)a[i] - (double)b[i]);
    }
    return sum;
}

static double change_length(wsr__lp lp, const float *change, int64_t d,
                            wsr__box box)
{
    double most = 0;
    double sum = 0;
    double squares = 0;
    for (int64_t i = 0; i < d; i++) {
        const double v = fabs((double)change[i]);
        most = v > most ? v : most;
        sum += v;
        squares += v * v;
    }
    const double length = lp == WSR__LINF ? most
                          : lp == WSR__L2 ? sqrt(squares)
                                          : sum;
    const double least = 1e-8 * wsr__width(box);
    return length > least ? length : least;
}

static void step_row(wsr__attack_batch *s, size_t row, void *ctx)
{
    const walk *const w = ctx;
    row_state *const r = &w->rows[row];
    const float *const x0 = wsr__at_const(s->x0, s->d, row);
    float *const x = wsr__at(s->x, s->d, row);
    float *const d1 = wsr__at(w->change, s->d, row);
    float *const d2 = wsr__at(w->clean_change, s->d, row);
    wsr__hyperplane plane = {wsr__at_const(w->normal, s->d, row),
                             x,
                             r->f,
                             s->d,
                             s->norm,
                             s->model->box};
    wsr__project_hyperplane(d1, &plane);
    plane.c += inner(plane.w, x0, x, s->d);
    plane.x = x0;
    wsr__project_hyperplane(d2, &plane);
    const double a1 = change_length(s->norm, d1, s->d, plane.box);
    const double a2 = change_length(s->norm, d2, s->d, plane.box);
    const double share = a1 / (a1 + a2);
    const double a = share < w->p->alpha ? share : w->p->alpha;
    const double eta = w->p->eta;
    for (int64_t i = 0; i < s->d; i++) {
        const double here = (double)x[i] + eta * (double)d1[i];
        const double there = (double)x0[i] + eta * (double)d2[i];
        x[i] = (float)((1 - a) * here + a * there);
    }
    wsr__clip(x, s->d, s->model->box);
    r->steps++;
    r->drawn_in = false;
}

static void draw_in(wsr__attack_batch *s, size_t row, double beta)
{
    const float *const x0 = wsr__at_const(s->x0, s->d, row);
    float *const x = wsr__at(s->x, s->d, row);
    for (int64_t i = 0; i < s->d; i++) {
        const double c = (double)x0[i];
        x[i] = (float)(c + beta * ((double)x[i] - c));
    }
}

// After a forward: keep what is wrong, and draw it in.
static void look_row(wsr__attack_batch *s, size_t row, void *ctx)
{
    const walk *const w = ctx;
    row_state *const r = &w->rows[row];
    const bool won = wsr__attack_batch_is_adversarial(s, row);
    r->fresh = won && !r->drawn_in;
    r->likely = r->drawn_in ? r->likely : won;
    if (won) {
        wsr__attack_batch_offer(s, row, wsr__at(s->x, s->d, row));
    }
    if (r->steps >= w->p->steps) {
        wsr__attack_batch_deactivate(s, row);
    } else if (r->fresh) {
        draw_in(s, row, w->p->beta);
        r->drawn_in = true;
    }
    r->length = (double)INFINITY;
}

// Those that were drawn in need no gradient where they were.
static bool look_and_go_on(wsr__attack_batch *s, size_t row, void *ctx)
{
    const walk *const w = ctx;
    look_row(s, row, ctx);
    return !w->rows[row].fresh;
}

// The boundary to the c-th likeliest class is the next to look at.
static void aim(wsr__attack_batch *s, const walk *w, size_t c)
{
    for (size_t k = 0; k < s->n_active && w->all; k++) {
        wsr__loss_target *const target = &s->loss_targets[s->active[k]];
        target->target_class =
            wsr__ranked(target->clean, s->classes, target->label, c);
    }
}

// Gradients of the boundaries, for the rows in s->active, which have the first.
static wsr_status look_around(wsr__attack_batch *s, walk *w)
{
    wsr_status status = WSR_OK;
    const size_t boundaries = w->all ? s->classes - 1 : 1;
    wsr__attack_batch_each(s, compare_row, w);
    for (size_t c = 1; c < boundaries && s->n_active > 0; c++) {
        aim(s, w, c);
        WSR_TRY(wsr__attack_batch_gradient_at(s, s->x, wsr__loss_difference));
        wsr__attack_batch_each(s, compare_row, w);
    }
out:
    return status;
}

// Whether a row had better be looked at before its gradient is computed.
static bool looked_at_first(const walk *w, size_t row)
{
    const row_state *const r = &w->rows[row];
    return !r->drawn_in && (r->likely || r->steps >= w->p->steps);
}

// Puts the rows that are looked at first in front of the others.
static size_t sort_rows(wsr__attack_batch *s, const walk *w, uint32_t *aside)
{
    size_t first = 0;
    size_t rest = 0;
    for (size_t k = 0; k < s->n_active; k++) {
        const uint32_t row = s->active[k];
        if (looked_at_first(w, row)) {
            s->active[first++] = row;
        } else {
            aside[rest++] = row;
        }
    }
    memcpy(s->active + first, aside, rest * sizeof(*aside));
    return first;
}

// Looks at the first rows alone, by a pass that keeps nothing.
static wsr_status look_first(wsr__attack_batch *s, walk *w, uint32_t *aside)
{
    wsr_status status = WSR_OK;
    const size_t all = s->n_active;
    const size_t first = sort_rows(s, w, aside);
    memcpy(aside, s->active + first, (all - first) * sizeof(*aside));
    s->n_active = first;
    WSR_TRY(wsr__attack_batch_forward(s));
    wsr__attack_batch_each(s, look_row, w);
    wsr__attack_batch_compact(s);
    memcpy(s->active + s->n_active, aside, (all - first) * sizeof(*aside));
    s->n_active += all - first;
out:
    return status;
}

// A step of every row, apart from those that turn out to be wrong where they
// were not expected to be: these were drawn in and wait for the next tick.
static wsr_status tick(wsr__attack_batch *s, walk *w, uint32_t *aside)
{
    wsr_status status = WSR_OK;
    size_t going = 0;
    size_t waiting = 0;
    const wsr__attack_pass pass = {
        .look = look_and_go_on, .ctx = w, .loss = wsr__loss_difference};
    WSR_TRY(look_first(s, w, aside));
    aim(s, w, 0);
    WSR_TRY(wsr__attack_batch_pass(s, &pass));
    for (size_t k = 0; k < s->n_active; k++) {
        const uint32_t row = s->active[k];
        if (w->rows[row].fresh) {
            aside[waiting++] = row;
        } else {
            s->active[going++] = row;
        }
    }
    s->n_active = going;
    WSR_TRY(look_around(s, w));
    wsr__attack_batch_each(s, step_row, w);
    memcpy(s->active + s->n_active, aside, waiting * sizeof(*aside));
    s->n_active += waiting;
out:
    return status;
}

static wsr_status walk_run(wsr__attack_batch *s, walk *w)
{
    wsr_status status = WSR_OK;
    uint32_t *const aside = wsr__alloc(s->n_active, sizeof(*aside));
    if (aside == NULL) {
        return WSR_NOMEM;
    }
    wsr__attack_batch_each(s, start_row, w);
    while (s->n_active > 0) {
        WSR_TRY(tick(s, w, aside));
    }
out:
    wsr__free(aside);
    return status;
}

static wsr_status begin(walk *w, wsr__attack_batch *s, const wsr__fab *p)
{
    *w = (walk){
        .p = p,
        .normal = wsr__attack_batch_scratch(s, NORMAL, s->d),
        .change = wsr__attack_batch_scratch(s, TO_PLANE, s->d),
        .clean_change = wsr__attack_batch_scratch(s, CLEAN_TO_PLANE, s->d),
        .rows = (void *)wsr__attack_batch_scratch(s, ROWS, ROW_FLOATS)};
    return w->normal == NULL || w->change == NULL || w->clean_change == NULL ||
                   w->rows == NULL
               ? WSR_NOMEM
               : WSR_OK;
}

static int64_t targets_of(const wsr__attack_batch *s, const wsr__fab *fab)
{
    const int64_t others = (int64_t)s->classes - 1;
    return fab->targets < others ? fab->targets : others;
}

// A row may wait for a tick before each of its steps. A tick looks at the rows
// in two passes, the second of which serves the first boundary.
static uint64_t passes_of(const wsr__fab *p, int64_t boundaries)
{
    return (uint64_t)(p->restarts * (2 * p->steps + 2) * (boundaries + 1));
}

wsr__lp wsr__fab_norm(const void *fab)
{
    return wsr__lp_named(((const wsr__fab *)fab)->norm.s);
}

uint64_t wsr__fab_passes(const wsr__attack_batch *s, const void *fab)
{
    return passes_of(fab, (int64_t)s->classes - 1);
}

uint64_t wsr__fab_passes_targets(const wsr__attack_batch *s, const void *fab)
{
    return passes_of(fab, 1) * (uint64_t)targets_of(s, fab);
}

wsr_status wsr__fab_run(wsr__attack_batch *s, const wsr__fab *fab)
{
    wsr_status status = WSR_OK;
    walk w;
    WSR_TRY(begin(&w, s, fab));
    w.all = true;
    for (int64_t r = 0; r < fab->restarts && s->n_active > 0; r++) {
        w.draw = (uint32_t)r;
        WSR_TRY(walk_run(s, &w));
        wsr__attack_batch_reactivate(s);
    }
out:
    return status;
}

wsr_status wsr__fab_run_targets(wsr__attack_batch *s, const wsr__fab *fab)
{
    wsr_status status = WSR_OK;
    walk w;
    const int64_t targets = targets_of(s, fab);
    WSR_TRY(begin(&w, s, fab));
    for (int64_t r = 0; r < targets * fab->restarts && s->n_active > 0; r++) {
        for (size_t k = 0; k < s->n_active; k++) {
            wsr__loss_target *const target = &s->loss_targets[s->active[k]];
            target->target_class = wsr__ranked(target->clean, s->classes,
                                               target->label,
                                               (size_t)(r % targets));
        }
        w.draw = (uint32_t)(r / targets);
        WSR_TRY(walk_run(s, &w));
        wsr__attack_batch_reactivate(s);
    }
out:
    return status;
}
