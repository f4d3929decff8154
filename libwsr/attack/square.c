// SPDX-License-Identifier: Apache-2.0
//
// Square: random search that needs logits alone. Proposals change a square
// window of the best image so far, whose side shrinks on a fixed schedule, and
// are taken when they lower the margin z_y - max_{i != y} z_i.
//
//   linf  every channel of the window moves by +- 2 eps, clipped
//   l2    a window gets a pattern of two bumps of opposite sign, paid for by
//         emptying another window and by what is left of eps
//   l1    the same with steeper bumps and the L1 norm, then projected
//
// Andriushchenko, Croce, Flammarion and Hein, "Square attack: a query-efficient
// black-box adversarial attack via random search", arXiv:1912.00049; for L1
// Croce and Hein, arXiv:2103.01208. An image has windows of its own, drawn by
// its number, and is not attacked further after a success.

#include "attack/square.h"
#include "attack/attack.h"
#include "attack/engine/batch.h"

#include <math.h>
#include <string.h>

enum { BEST, LOSS, DELTA, PATTERN, FRESH };

typedef wsr__square params;

static const char *const losses[] = {"margin", "ce", NULL};

static const wsr__option schema[] = {
    {"queries", WSR__INT, offsetof(params, queries), "5000", 1, 1e8, "queries",
     "most logits per image and restart", NULL},
    {"p", WSR__FLOAT, offsetof(params, p), "0.8", 1e-6, 1, "",
     "share of the pixels that are changed at the beginning", NULL},
    {"restarts", WSR__INT, offsetof(params, restarts), "1", 1, 10000, "",
     "tries", NULL},
    {"rescale", WSR__BOOL, offsetof(params, rescale), "false", 0, 0, "",
     "fit the schedule of 10000 queries to the number of queries", NULL},
    {"loss", WSR__WORD, offsetof(params, loss), "margin", 0, 0, "",
     "what proposals must improve", losses},
    {"norm", WSR__WORD, offsetof(params, norm), "linf", 0, 0, "",
     "norm of the ball", wsr__lp_names},
    {0},
};

static wsr__lp norm(const void *options)
{
    const params *const p = options;
    return wsr__lp_named(p->norm.s);
}

typedef struct run_state {
    const params *p;
    wsr__order order; // of the loss
    float *best;      // (n, d)
    float *value;     // (n) loss there: to be raised
    float *delta;     // (n, d)
    float *pattern;   // (n, h * w)
    float *fresh;     // (n, h * w) new content of one channel of a window
    int64_t side;     // of the windows
    uint32_t draw;    // number of the query, restarts counted through
} run_state;

// A window of the image.
typedef struct window {
    int64_t y;
    int64_t x;
    int64_t side;
} window;

static bool covers(const window *v, int64_t y, int64_t x)
{
    return y >= v->y && y < v->y + v->side && x >= v->x && x < v->x + v->side;
}

static float sign(wsr__rng *rng)
{
    return (wsr__rng_u32(rng) >> 31) != 0 ? 1.0f : -1.0f;
}

static int64_t below(wsr__rng *rng, int64_t n)
{
    return (int64_t)((float)n * wsr__rng_uniform(rng));
}

// The last row and column are never drawn, as in the authors' code.
static window draw_window(const wsr__attack_batch *s, int64_t side,
                          wsr__rng *rng)
{
    const int64_t *const dims = s->model->shape.dims;
    window v = {0, 0, side};
    v.y = below(rng, dims[1] - side);
    v.x = below(rng, dims[2] - side);
    return v;
}

// Share of the pixels that change after `query` queries.
static double share_at(const params *p, int64_t query)
{
    static const int64_t ends[] = {10,   50,   200,  500, 1000,
                                   2000, 4000, 6000, 8000};
    const double scale = p->rescale ? 10000.0 / (double)p->queries : 1;
    const int64_t at = (int64_t)((double)query * scale);
    double share = p->p;
    for (size_t k = 0; k < sizeof(ends) / sizeof(ends[0]); k++) {
        share /= at > ends[k] ? 2 : 1;
    }
    return share;
}

// Side of the square window that holds the given share of the pixels.
static int64_t side_at(const wsr__attack_batch *s, const params *p,
                       int64_t query)
{
    const int64_t *const dims = s->model->shape.dims;
    const int64_t most = dims[1] < dims[2] ? dims[1] : dims[2];
    const double pixels = (double)(dims[1] * dims[2]);
    int64_t side = (int64_t)rint(sqrt(share_at(p, query) * pixels));
    if (s->norm == WSR__LINF) {
        side = side < 1 ? 1 : side;
    } else { // odd, so that the two bumps differ
        side = side < 3 ? 3 : side;
        side += side % 2 == 0;
    }
    return side > most ? most : side;
}

// --------------------------------------------------------------------- linf

// The first image in linf: vertical stripes of plus or minus eps per channel.
static void stripes(wsr__attack_batch *s, size_t row, const run_state *state)
{
    const int64_t *const dims = s->model->shape.dims;
    const wsr__ball ball = wsr__attack_batch_ball(s, row);
    float *const x = wsr__at(s->x, s->d, row);
    wsr__rng rng = wsr__attack_batch_rng(s, row, state->draw);
    for (int64_t c = 0; c < dims[0]; c++) {
        for (int64_t j = 0; j < dims[2]; j++) {
            const float step = s->eps * sign(&rng);
            for (int64_t i = 0; i < dims[1]; i++) {
                const int64_t at = (c * dims[1] + i) * dims[2] + j;
                x[at] = ball.x0[at] + step;
            }
        }
    }
    wsr__project(x, &ball);
}

// A step of 2 eps takes every pixel of the window to one end of the ball after
// the projection.
static void propose_linf(wsr__attack_batch *s, size_t row,
                         const run_state *state)
{
    const int64_t *const dims = s->model->shape.dims;
    const wsr__ball ball = wsr__attack_batch_ball(s, row);
    float *const x = wsr__at(s->x, s->d, row);
    wsr__rng rng = wsr__attack_batch_rng(s, row, state->draw);
    const window v = draw_window(s, state->side, &rng);
    memcpy(x, wsr__at(state->best, s->d, row), (size_t)s->d * sizeof(*x));
    for (int64_t c = 0; c < dims[0]; c++) {
        const float step = 2 * s->eps * sign(&rng);
        for (int64_t i = v.y; i < v.y + v.side; i++) {
            for (int64_t j = v.x; j < v.x + v.side; j++) {
                x[(c * dims[1] + i) * dims[2] + j] += step;
            }
        }
    }
    wsr__project(x, &ball);
}

// ----------------------------------------------------------------- l2 and l1

// The norm of a sum of term_of(), so that both norms share the loops below.
static double length_of(wsr__lp lp, double sum)
{
    return lp == WSR__L2 ? sqrt(sum) : sum;
}

static double term_of(wsr__lp lp, double v)
{
    return lp == WSR__L2 ? v * v : fabs(v);
}

static void scale_by(float *v, int64_t n, double factor)
{
    for (int64_t i = 0; i < n; i++) {
        v[i] = (float)((double)v[i] * factor);
    }
}

// Norm of n numbers in l2 or l1.
static double norm_of(wsr__lp lp, const float *v, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += term_of(lp, (double)v[i]);
    }
    return length_of(lp, sum);
}

// What keeps quotients of lengths finite.
static double tiny_of(const wsr__attack_batch *s)
{
    return 1e-12 * wsr__width(s->model->box);
}

// A bump of `rows` x `cols`: rectangles around the centre, each larger and
// weaker than the one before. Its norm is 1.
static void bump(float *v, int64_t rows, int64_t cols, wsr__lp lp)
{
    const int64_t y = rows / 2;
    const int64_t x = cols / 2;
    const int64_t rings = (y > x ? y : x) + 1;
    memset(v, 0, (size_t)(rows * cols) * sizeof(*v));
    for (int64_t k = 0; k < rings; k++) {
        const double k1 = (double)(k + 1);
        const float add =
            (float)(lp == WSR__L2 ? 1 / (k1 * k1) : 1 / (k1 * k1 * k1 * k1));
        for (int64_t i = y > k ? y - k : 0; i <= y + k && i < rows; i++) {
            for (int64_t j = x > k ? x - k : 0; j <= x + k && j < cols; j++) {
                v[i * cols + j] += add;
            }
        }
    }
    if (rows > 0) {
        scale_by(v, rows * cols, 1 / norm_of(lp, v, rows * cols));
    }
}

// One bump up above one bump down, or beside it.
static void draw_pattern(float *v, int64_t side, wsr__lp lp, wsr__rng *rng)
{
    const int64_t half = side / 2;
    bump(v, half, side, lp);
    bump(v + half * side, side - half, side, lp);
    scale_by(v + half * side, (side - half) * side, -1);
    scale_by(v, side * side, 1 / norm_of(lp, v, side * side));
    if (wsr__rng_uniform(rng) > 0.5f) {
        for (int64_t i = 0; i < side; i++) {
            for (int64_t j = 0; j < i; j++) {
                const float held = v[i * side + j];
                v[i * side + j] = v[j * side + i];
                v[j * side + i] = held;
            }
        }
    }
}

// x = x0 + delta, in ball and box.
static void put(wsr__attack_batch *s, size_t row, float *delta)
{
    wsr__ball ball = wsr__attack_batch_ball(s, row);
    float *const x = wsr__at(s->x, s->d, row);
    if (s->norm == WSR__L2) {
        const double length = norm_of(WSR__L2, delta, s->d);
        scale_by(delta, s->d, (double)s->eps / (length + tiny_of(s)));
    } else {
        ball.eps *= 1 - 1e-6f;
    }
    for (int64_t i = 0; i < s->d; i++) {
        x[i] = ball.x0[i] + delta[i];
    }
    wsr__project(x, &ball);
}

// Every channel of a window gets the pattern up or down.
static void add_tile(const wsr__attack_batch *s, float *delta,
                     const float *pattern, const window *v, wsr__rng *rng)
{
    const int64_t *const dims = s->model->shape.dims;
    for (int64_t c = 0; c < dims[0]; c++) {
        const float up = sign(rng);
        float *const channel = delta + c * dims[1] * dims[2];
        for (int64_t k = 0; k < v->side * v->side; k++) {
            const int64_t y = v->y + k / v->side;
            channel[y * dims[2] + v->x + k % v->side] += up * pattern[k];
        }
    }
}

// The first image in l2 and l1: a grid of patterns, five in a column, scaled
// to the strength.
static void tiles(wsr__attack_batch *s, size_t row, const run_state *state)
{
    const int64_t *const dims = s->model->shape.dims;
    const int64_t side = dims[1] / 5 > 1 ? dims[1] / 5 : 1;
    const int64_t first = dims[1] > 5 * side ? (dims[1] - 5 * side) / 2 : 0;
    float *const delta = wsr__at(state->delta, s->d, row);
    float *const pattern = wsr__at(state->pattern, dims[1] * dims[2], row);
    wsr__rng rng = wsr__attack_batch_rng(s, row, state->draw);
    memset(delta, 0, (size_t)s->d * sizeof(*delta));
    for (int64_t y = first; y + side <= dims[1]; y += side) {
        for (int64_t x = first; x + side <= dims[2]; x += side) {
            const window v = {y, x, side};
            draw_pattern(pattern, side, s->norm, &rng);
            add_tile(s, delta, pattern, &v, &rng);
        }
    }
    const double length = norm_of(s->norm, delta, s->d);
    scale_by(delta, s->d, (double)s->eps / (length + 1e-12));
    put(s, row, delta);
}

// What a proposal in the l2 or l1 ball works with.
typedef struct exchange {
    window to;   // gets the pattern
    window from; // is emptied
    double left; // of the strength, per channel
    const float *pattern;
    float *fresh;
} exchange;

// The window `to` receives the pattern on top of its present direction; the
// norm of both windows together, and what is left of the strength, go into it.
// The window `from` is emptied.
static void exchange_channel(const wsr__attack_batch *s, float *delta,
                             const exchange *ex, float up)
{
    const int64_t *const dims = s->model->shape.dims;
    const int64_t side = ex->to.side;
    double inside = 0;
    double both = 0;
    double fresh = 0;
    for (int64_t at = 0; at < dims[1] * dims[2]; at++) {
        const int64_t y = at / dims[2];
        const int64_t x = at % dims[2];
        const double v = term_of(s->norm, (double)delta[at]);
        const bool in = covers(&ex->to, y, x);
        inside += in ? v : 0;
        both += in || covers(&ex->from, y, x) ? v : 0;
    }
    inside = length_of(s->norm, inside);
    for (int64_t k = 0; k < side * side; k++) {
        const int64_t at = (ex->to.y + k / side) * dims[2] + ex->to.x +
                           k % side;
        const double v = (double)(up * ex->pattern[k]) +
                         (double)delta[at] / (tiny_of(s) + inside);
        ex->fresh[k] = (float)v;
        fresh += term_of(s->norm, v);
    }
    const double budget = s->norm == WSR__L2
                              ? sqrt(ex->left + both)
                              : (ex->left + both) * (double)dims[0];
    const double scale = budget / (1e-12 + length_of(s->norm, fresh));
    for (int64_t k = 0; k < ex->from.side * ex->from.side; k++) {
        delta[(ex->from.y + k / side) * dims[2] + ex->from.x + k % side] = 0;
    }
    for (int64_t k = 0; k < side * side; k++) {
        delta[(ex->to.y + k / side) * dims[2] + ex->to.x + k % side] =
            (float)((double)ex->fresh[k] * scale);
    }
}

// In l2 squares of norms add up, in l1 the norms themselves, so `left` is the
// difference of squares or of norms, divided evenly among the channels.
static void propose_other(wsr__attack_batch *s, size_t row,
                          const run_state *state)
{
    const int64_t *const dims = s->model->shape.dims;
    const int64_t plane = dims[1] * dims[2];
    const float *const x0 = wsr__at_const(s->x0, s->d, row);
    const float *const best = wsr__at_const(state->best, s->d, row);
    float *const delta = wsr__at(state->delta, s->d, row);
    float *const pattern = wsr__at(state->pattern, plane, row);
    wsr__rng rng = wsr__attack_batch_rng(s, row, state->draw);
    exchange ex = {.pattern = pattern,
                   .fresh = wsr__at(state->fresh, plane, row)};
    ex.to = draw_window(s, state->side, &rng);
    ex.from = draw_window(s, state->side, &rng);
    for (int64_t i = 0; i < s->d; i++) {
        delta[i] = best[i] - x0[i];
    }
    const double used = norm_of(s->norm, delta, s->d);
    const double eps = (double)s->eps;
    const double left = s->norm == WSR__L2 ? eps * eps - used * used
                                           : eps - used;
    ex.left = (left > 0 ? left : 0) / (double)dims[0];
    draw_pattern(pattern, state->side, s->norm, &rng);
    for (int64_t c = 0; c < dims[0]; c++) {
        exchange_channel(s, delta + c * plane, &ex, sign(&rng));
    }
    put(s, row, delta);
}

// --------------------------------------------------------------- the search

static void begin_row(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    if (s->norm == WSR__LINF) {
        stripes(s, row, state);
    } else {
        tiles(s, row, state);
    }
    state->value[row] = -INFINITY;
}

static void propose_row(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    if (s->norm == WSR__LINF) {
        propose_linf(s, row, state);
    } else {
        propose_other(s, row, state);
    }
}

// A proposal is kept if it raises the loss, otherwise the next one begins at
// the best point again.
static void check_row(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    const float *const x = wsr__at_const(s->x, s->d, row);
    const float value = (float)state->order(s->logits + row * s->classes,
                                            &s->loss_targets[row], s->classes);
    if (value > state->value[row]) {
        state->value[row] = value;
        memcpy(wsr__at(state->best, s->d, row), x, (size_t)s->d * sizeof(*x));
    }
    if (wsr__attack_batch_is_adversarial(s, row)) {
        wsr__attack_batch_record_success(s, row, x);
    }
}

static void publish(wsr__attack_batch *s, size_t row, void *ctx)
{
    const run_state *const state = ctx;
    memcpy(wsr__at(s->found, s->d, row), wsr__at(state->best, s->d, row),
           (size_t)s->d * sizeof(*s->found));
}

// One restart. Every query draws from a counter of its own, so a row's draws do
// not depend on which other rows are still active.
static wsr_status search(wsr__attack_batch *s, run_state *state)
{
    wsr_status status = WSR_OK;
    for (int64_t k = 0; k < state->p->queries && s->n_active > 0; k++) {
        state->side = side_at(s, state->p, k);
        wsr__attack_batch_each(s, k == 0 ? begin_row : propose_row, state);
        WSR_TRY(wsr__attack_batch_forward(s));
        wsr__attack_batch_each(s, check_row, state);
        wsr__attack_batch_compact(s);
        state->draw++;
    }
    wsr__attack_batch_each(s, publish, state);
out:
    return status;
}

static wsr_status run(wsr__attack_batch *s, const void *options)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    const int64_t *const dims = s->model->shape.dims;
    const int64_t plane = dims[1] * dims[2];
    run_state state = {.p = p,
                       .order = wsr__streq(p->loss.s, "ce") ? wsr__order_ce
                                                            : wsr__order_margin,
                       .best = wsr__attack_batch_scratch(s, BEST, s->d),
                       .value = wsr__attack_batch_scratch(s, LOSS, 1),
                       .delta = wsr__attack_batch_scratch(s, DELTA, s->d),
                       .pattern = wsr__attack_batch_scratch(s, PATTERN, plane),
                       .fresh = wsr__attack_batch_scratch(s, FRESH, plane)};
    if (state.best == NULL || state.value == NULL || state.delta == NULL ||
        state.pattern == NULL || state.fresh == NULL) {
        return WSR_NOMEM;
    }
    for (int64_t r = 0; r < p->restarts && s->n_active > 0; r++) {
        WSR_TRY(search(s, &state));
        wsr__attack_batch_reactivate(s);
    }
out:
    return status;
}

static uint64_t passes(const wsr__attack_batch *s, const void *options)
{
    (void)s;
    const params *const p = options;
    return (uint64_t)(p->restarts * p->queries);
}

const wsr__attack_class wsr__attack_square = {
    .super = {.name = "square",
              .summary = "random search with square windows, without gradients",
              .reference = "Andriushchenko et al. 2020, arXiv:1912.00049",
              .schema = schema,
              .params_size = sizeof(params)},
    .norms = 1u << WSR__LINF | 1u << WSR__L2 | 1u << WSR__L1,
    .norm = norm,
    .targets = true,
    .early_stop = true,
    .run = run,
    .passes = passes,
};
