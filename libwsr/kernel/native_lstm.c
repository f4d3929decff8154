// SPDX-License-Identifier: Apache-2.0
//
// One LSTM layer (Hochreiter and Schmidhuber 1997, with forget gates), gates
// in the order i, f, g, o:
//
//   [i f g o] = [s s tanh s](W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)
//   c_t = f * c_{t-1} + i * g,   h_t = o * tanh(c_t)
//
// Sequences go eight to a vector, one per lane: the small matrices are then
// read by broadcasts, the functions work on whole vectors, and a block of
// eight runs through all its steps without meeting another one. Two blocks
// run side by side, which halves the broadcasts. Lanes without a sequence
// hold zeros on the way in and get zero gradients.
//
// A record holds one step of one block: x, gates, c, tanh(c), h. Backward
// turns the gates into the gradients of what went into them; the gradients of
// the weights are then sums over all records, a few rows of weights at a
// time, always in the same order. All three passes read and write the same
// records, hence one long file.

#include "kernel/native_math.h"

#include <string.h>

enum {
    LANES = WSR__BLOCK,
    PAIR = 2, // blocks side by side
    ROWS = 4, // rows of weights at a time
    COLS = 3  // columns of weights at a time
};

// What all threads of one call read.
typedef struct call {
    const wsr__lstm *p;
    const wsr__lstm_weights *w;
    const wsr__lstm_grads *grads;
    const float *src;
    float *dst;
    const float *diff_dst;
    float *records;
    float *scratch;
    int64_t step; // floats from record to record of a block; 0: one record
} call;

// Where the parts of a record begin.
typedef struct parts {
    int64_t gates;
    int64_t c;
    int64_t tanh_c;
    int64_t h;
} parts;

WSR_INLINE parts parts_of(const wsr__lstm *p)
{
    const int64_t gates = p->i * LANES;
    const int64_t unit = p->h * LANES;
    return (parts){gates, gates + 4 * unit, gates + 5 * unit, gates + 6 * unit};
}

WSR_INLINE float *record(const call *c, int64_t block, int64_t t)
{
    const wsr__lstm *const p = c->p;
    const int64_t floats = (p->i + 7 * p->h) * LANES;
    const int64_t steps = c->step == 0 ? 1 : p->l;
    return c->records + block * steps * floats + t * c->step;
}

// sum[r][b] += over k of w[r * down + k * along] * v[b][k]: `rows` rows of a
// matrix times the vectors of `blocks` blocks.
WSR_INLINE void add_product(v8 sum[ROWS][PAIR], const float *w,
                            const int64_t strides[2], int64_t n,
                            const float *const v[PAIR], const int sizes[2])
{
    for (int64_t k = 0; k < n; k++) {
        v8 x[PAIR];
        WSR_UNROLL
        for (int b = 0; b < sizes[1]; b++) {
            x[b] = ld8(v[b] + k * LANES);
        }
        WSR_UNROLL
        for (int r = 0; r < sizes[0]; r++) {
            const v8 a = splat8(w[r * strides[0] + k * strides[1]]);
            WSR_UNROLL
            for (int b = 0; b < sizes[1]; b++) {
                sum[r][b] = fma8(a, x[b], sum[r][b]);
            }
        }
    }
}

// ----------------------------------------------------------------- forward

// x of one step of a block: row r of src becomes lane r. The lanes of missing
// sequences are zeros.
static void load_step(const call *c, int64_t block, int64_t t, float *x)
{
    const wsr__lstm *const p = c->p;
    const int64_t first = block * LANES;
    const int64_t lanes = min64(LANES, p->n - first);
    for (int64_t k = 0; lanes < LANES && k < p->i; k++) {
        st8(x + k * LANES, splat8(0.0f));
    }
    for (int64_t lane = 0; lane < lanes; lane++) {
        const float *const row = c->src + ((first + lane) * p->l + t) * p->i;
        for (int64_t k = 0; k < p->i; k++) {
            x[k * LANES + lane] = row[k];
        }
    }
}

// One step of the blocks that run side by side.
typedef struct at_step {
    float *now[PAIR];
    const float *before[PAIR]; // the step before; not read at the first one
    int64_t t;
} at_step;

WSR_INLINE at_step at_step_of(const call *c, int64_t block, int64_t t,
                              const int blocks)
{
    const int64_t last = block + blocks - 1;
    const int64_t u = t > 0 ? t - 1 : 0;
    return (at_step){.now = {record(c, block, t), record(c, last, t)},
                     .before = {record(c, block, u), record(c, last, u)},
                     .t = t};
}

// What goes into the gates.
WSR_INLINE void gates_in(const call *c, const at_step *s, const int blocks)
{
    const wsr__lstm *const p = c->p;
    const wsr__lstm_weights *const w = c->w;
    const parts at = parts_of(p);
    const int sizes[] = {ROWS, blocks};
    const int64_t ih[] = {p->i, 1};
    const int64_t hh[] = {p->h, 1};
    const float *const x[] = {s->now[0], s->now[1]};
    const float *const h[] = {s->before[0] + at.h, s->before[1] + at.h};
    for (int64_t j = 0; j < 4 * p->h; j += ROWS) {
        v8 sum[ROWS][PAIR];
        WSR_UNROLL
        for (int r = 0; r < ROWS; r++) {
            const v8 bias = splat8(w->bias_ih[j + r] + w->bias_hh[j + r]);
            sum[r][0] = bias;
            sum[r][1] = bias;
        }
        add_product(sum, w->ih + j * p->i, ih, p->i, x, sizes);
        if (s->t > 0) {
            add_product(sum, w->hh + j * p->h, hh, p->h, h, sizes);
        }
        WSR_UNROLL
        for (int r = 0; r < ROWS; r++) {
            WSR_UNROLL
            for (int b = 0; b < blocks; b++) {
                st8(s->now[b] + at.gates + (j + r) * LANES, sum[r][b]);
            }
        }
    }
}

// Gates, cell and output of one block.
static void cell(const wsr__lstm *p, float *now, const float *before,
                 bool first)
{
    const parts at = parts_of(p);
    float *const gates = now + at.gates;
    const int64_t unit = p->h * LANES;
    for (int64_t u = 0; u < unit; u += LANES) {
        const v8 i = sigmoid8(ld8(gates + u));
        const v8 f = sigmoid8(ld8(gates + unit + u));
        const v8 g = tanh8(ld8(gates + 2 * unit + u));
        const v8 o = sigmoid8(ld8(gates + 3 * unit + u));
        const v8 old = first ? splat8(0.0f) : ld8(before + at.c + u);
        const v8 c = fma8(f, old, mul8(i, g));
        const v8 squashed = tanh8(c);
        st8(gates + u, i);
        st8(gates + unit + u, f);
        st8(gates + 2 * unit + u, g);
        st8(gates + 3 * unit + u, o);
        st8(now + at.c + u, c);
        st8(now + at.tanh_c + u, squashed);
        st8(now + at.h + u, mul8(o, squashed));
    }
}

static void store_result(const call *c, int64_t block)
{
    const wsr__lstm *const p = c->p;
    const float *const h = record(c, block, p->l - 1) + parts_of(p).h;
    const int64_t first = block * LANES;
    for (int64_t lane = 0; lane < min64(LANES, p->n - first); lane++) {
        for (int64_t u = 0; u < p->h; u++) {
            c->dst[(first + lane) * p->h + u] = h[u * LANES + lane];
        }
    }
}

// All steps of the blocks that run side by side.
WSR_INLINE void forward_blocks(const call *c, int64_t block, const int blocks)
{
    for (int64_t t = 0; t < c->p->l; t++) {
        const at_step s = at_step_of(c, block, t, blocks);
        for (int b = 0; b < blocks; b++) {
            load_step(c, block + b, t, s.now[b]);
        }
        gates_in(c, &s, blocks);
        for (int b = 0; b < blocks; b++) {
            cell(c->p, s.now[b], s.before[b], t == 0);
        }
    }
    for (int b = 0; b < blocks; b++) {
        store_result(c, block + b);
    }
}

static void forward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    int64_t block = begin;
    for (; block + PAIR <= end; block += PAIR) {
        forward_blocks(ctx, block, PAIR);
    }
    if (block < end) {
        forward_blocks(ctx, block, 1);
    }
}

static int64_t blocks_of(const wsr__lstm *p)
{
    return (p->n + LANES - 1) / LANES;
}

static int64_t step_of_record(const wsr__lstm *p, bool keep)
{
    return keep ? (p->i + 7 * p->h) * LANES : 0;
}

void WSR_NAME(wsr__lstm_forward)(float *dst, const wsr__lstm *p,
                                 const float *src, const wsr__lstm_weights *w,
                                 float *records, bool keep)
{
    call c = {.p = p,
              .w = w,
              .src = src,
              .dst = dst,
              .records = records,
              .step = step_of_record(p, keep)};
    wsr__parallel(blocks_of(p), forward_share, &c);
}

// ---------------------------------------------------------------- backward

// Gradients of h and c of one block, which later steps leave behind; behind
// them room for that of x.
static float *carried(const call *c, int64_t block)
{
    return c->scratch + block * (2 * c->p->h + c->p->i) * LANES;
}

static void start_at_result(const call *c, int64_t block)
{
    const wsr__lstm *const p = c->p;
    float *const dh = carried(c, block);
    const int64_t first = block * LANES;
    memset(dh, 0, (size_t)(2 * p->h * LANES) * sizeof(*dh));
    for (int64_t lane = 0; lane < min64(LANES, p->n - first); lane++) {
        for (int64_t u = 0; u < p->h; u++) {
            dh[u * LANES + lane] = c->diff_dst[(first + lane) * p->h + u];
        }
    }
}

// From the gradients of h and c to those of what goes into the gates.
static void cell_back(const wsr__lstm *p, float *now, const float *before,
                      float *dh, bool first)
{
    const parts at = parts_of(p);
    float *const gates = now + at.gates;
    const int64_t unit = p->h * LANES;
    const v8 one = splat8(1.0f);
    for (int64_t u = 0; u < unit; u += LANES) {
        const v8 i = ld8(gates + u);
        const v8 f = ld8(gates + unit + u);
        const v8 g = ld8(gates + 2 * unit + u);
        const v8 o = ld8(gates + 3 * unit + u);
        const v8 squashed = ld8(now + at.tanh_c + u);
        const v8 old = first ? splat8(0.0f) : ld8(before + at.c + u);
        const v8 d = ld8(dh + u);
        const v8 derivative = sub8(one, mul8(squashed, squashed));
        const v8 dc = fma8(mul8(d, o), derivative, ld8(dh + unit + u));
        st8(dh + unit + u, mul8(dc, f));
        st8(gates + u, mul8(mul8(dc, g), mul8(i, sub8(one, i))));
        st8(gates + unit + u, mul8(mul8(dc, old), mul8(f, sub8(one, f))));
        st8(gates + 2 * unit + u, mul8(mul8(dc, i), sub8(one, mul8(g, g))));
        st8(gates + 3 * unit + u,
            mul8(mul8(d, squashed), mul8(o, sub8(one, o))));
    }
}

// out[b][k] = sum over j of w[j][k] * gates[b][j], for k < n.
WSR_INLINE void product_back(float *const out[PAIR], const float *w, int64_t n,
                             const float *const gates[PAIR], int64_t count,
                             const int blocks)
{
    const int64_t strides[] = {1, n};
    const int many[] = {ROWS, blocks};
    const int one[] = {1, blocks};
    int64_t k = 0;
    for (; k + ROWS <= n; k += ROWS) {
        v8 sum[ROWS][PAIR];
        WSR_UNROLL
        for (int r = 0; r < ROWS; r++) {
            sum[r][0] = splat8(0.0f);
            sum[r][1] = splat8(0.0f);
        }
        add_product(sum, w + k, strides, count, gates, many);
        WSR_UNROLL
        for (int r = 0; r < ROWS; r++) {
            WSR_UNROLL
            for (int b = 0; b < blocks; b++) {
                st8(out[b] + (k + r) * LANES, sum[r][b]);
            }
        }
    }
    for (; k < n; k++) {
        v8 sum[ROWS][PAIR];
        sum[0][0] = splat8(0.0f);
        sum[0][1] = splat8(0.0f);
        add_product(sum, w + k, strides, count, gates, one);
        WSR_UNROLL
        for (int b = 0; b < blocks; b++) {
            st8(out[b] + k * LANES, sum[0][b]);
        }
    }
}

static void store_diff_src(const call *c, int64_t block, int64_t t,
                           const float *dx)
{
    const wsr__lstm *const p = c->p;
    const bool add = c->grads->add_src;
    const int64_t first = block * LANES;
    for (int64_t lane = 0; lane < min64(LANES, p->n - first); lane++) {
        float *const to = c->grads->src + ((first + lane) * p->l + t) * p->i;
        for (int64_t k = 0; k < p->i; k++) {
            to[k] = (add ? to[k] : 0.0f) + dx[k * LANES + lane];
        }
    }
}

// The same backward, from the last step to the first.
WSR_INLINE void backward_blocks(const call *c, int64_t block, const int blocks)
{
    const wsr__lstm *const p = c->p;
    const int64_t last = block + blocks - 1;
    float *const dh[] = {carried(c, block), carried(c, last)};
    float *const dx[] = {dh[0] + 2 * p->h * LANES, dh[1] + 2 * p->h * LANES};
    for (int b = 0; b < blocks; b++) {
        start_at_result(c, block + b);
    }
    for (int64_t t = p->l - 1; t >= 0; t--) {
        const at_step s = at_step_of(c, block, t, blocks);
        const int64_t gates_at = parts_of(p).gates;
        const float *const gates[] = {s.now[0] + gates_at, s.now[1] + gates_at};
        for (int b = 0; b < blocks; b++) {
            cell_back(p, s.now[b], s.before[b], dh[b], t == 0);
        }
        if (t > 0) {
            product_back(dh, c->w->hh, p->h, gates, 4 * p->h, blocks);
        }
        if (c->grads->src == NULL) {
            continue;
        }
        product_back(dx, c->w->ih, p->i, gates, 4 * p->h, blocks);
        for (int b = 0; b < blocks; b++) {
            store_diff_src(c, block + b, t, dx[b]);
        }
    }
}

static void backward_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    int64_t block = begin;
    for (; block + PAIR <= end; block += PAIR) {
        backward_blocks(ctx, block, PAIR);
    }
    if (block < end) {
        backward_blocks(ctx, block, 1);
    }
}

// ----------------------------------------------------------------- weights

// The sum of the lanes, always in the same order.
WSR_INLINE float total8(v8 v)
{
    float lane[LANES];
    double sum = 0;
    stu8(lane, v);
    for (int k = 0; k < LANES; k++) {
        sum += (double)lane[k];
    }
    return (float)sum;
}

// Where the columns of a weight gradient come from: `from` floats into the
// record of this step, or with `lag` of the step before.
typedef struct columns {
    int64_t count;
    int64_t from;
    int64_t lag;
} columns;

// sum[r][j] += gates[r] * x[j], the part of one record.
WSR_INLINE void weight_products(v8 sum[ROWS][COLS], const float *gates,
                                const float *x, const int cols)
{
    WSR_UNROLL
    for (int r = 0; r < ROWS; r++) {
        const v8 d = ld8(gates + r * LANES);
        WSR_UNROLL
        for (int j = 0; j < cols; j++) {
            sum[r][j] = fma8(d, ld8(x + j * LANES), sum[r][j]);
        }
    }
}

// diff[r][k] += sum over records of gates[row + r] * column k, for `cols`
// columns.
WSR_INLINE void weight_tile(float *diff, const call *c, int64_t row,
                            const columns *v, int64_t k, const int cols)
{
    const wsr__lstm *const p = c->p;
    const int64_t gates = parts_of(p).gates + row * LANES;
    v8 sum[ROWS][COLS];
    WSR_UNROLL
    for (int r = 0; r < ROWS; r++) {
        WSR_UNROLL
        for (int j = 0; j < COLS; j++) {
            sum[r][j] = splat8(0.0f);
        }
    }
    for (int64_t block = 0; block < blocks_of(p); block++) {
        for (int64_t t = v->lag; t < p->l; t++) {
            weight_products(sum, record(c, block, t) + gates,
                            record(c, block, t - v->lag) + v->from + k * LANES,
                            cols);
        }
    }
    for (int r = 0; r < ROWS; r++) {
        for (int j = 0; j < cols; j++) {
            diff[(row + r) * v->count + k + j] += total8(sum[r][j]);
        }
    }
}

// Gradients of ROWS rows of a matrix of weights, a few columns at a time.
static void weight_rows(float *diff, const call *c, int64_t row,
                        const columns *v)
{
    int64_t k = 0;
    for (; k + COLS <= v->count; k += COLS) {
        weight_tile(diff, c, row, v, k, COLS);
    }
    for (; k < v->count; k++) {
        weight_tile(diff, c, row, v, k, 1);
    }
}

// Gradients of ROWS biases: sums over all records.
static void bias_rows(float *diff, const call *c, int64_t row)
{
    const wsr__lstm *const p = c->p;
    const int64_t gates = parts_of(p).gates + row * LANES;
    for (int64_t r = 0; r < ROWS; r++) {
        v8 sum = splat8(0.0f);
        for (int64_t block = 0; block < blocks_of(p); block++) {
            for (int64_t t = 0; t < p->l; t++) {
                sum = add8(sum, ld8(record(c, block, t) + gates + r * LANES));
            }
        }
        diff[row + r] += total8(sum);
    }
}

// Work items are groups of ROWS rows. Each sums over all records in their
// order, so the number of threads does not change a sum.
static void weights_share(void *ctx, int64_t begin, int64_t end, size_t part)
{
    (void)part;
    const call *const c = ctx;
    const wsr__lstm_grads *const g = c->grads;
    const columns ih = {c->p->i, 0, 0};
    const columns hh = {c->p->h, parts_of(c->p).h, 1};
    for (int64_t row = begin * ROWS; row < end * ROWS; row += ROWS) {
        if (g->ih != NULL) {
            weight_rows(g->ih, c, row, &ih);
        }
        if (g->hh != NULL) {
            weight_rows(g->hh, c, row, &hh);
        }
        if (g->bias != NULL) {
            bias_rows(g->bias, c, row);
        }
    }
}

void WSR_NAME(wsr__lstm_backward)(const wsr__lstm_grads *grads,
                                  const wsr__lstm *p, const float *diff_dst,
                                  const wsr__lstm_weights *w, float *records,
                                  float *scratch)
{
    call c = {.p = p,
              .w = w,
              .grads = grads,
              .diff_dst = diff_dst,
              .records = records,
              .scratch = scratch,
              .step = step_of_record(p, true)};
    wsr__parallel(blocks_of(p), backward_share, &c);
    if (grads->ih != NULL || grads->hh != NULL || grads->bias != NULL) {
        wsr__parallel(4 * p->h / ROWS, weights_share, &c);
    }
}
