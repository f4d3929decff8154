// SPDX-License-Identifier: Apache-2.0
//
// Pools of 3x3 windows with stride 1 or 2, row by row.
//
// Forward: a window is reduced along its rows first, each source row once for
// all windows that contain it, then across the three reduced rows (average:
// across rows first). With strict comparisons in this order the first maximum
// in row-major order wins. Backward gathers: diff_src of a pixel is a sum over
// the windows that contain it, read from a ring of padded gradient rows, for
// the maximum with those entries kept whose index names the pixel.

#include "kernel/native_pool.h"
#include "kernel/native_reverse.h"

#include <math.h>

enum { SIDE = 3, STRIP = 64, TILE = 8, WIDE = 2 * STRIP + 8 };

bool WSR_NAME(wsr__pool3_fits)(const wsr__pool *p)
{
    return p->kernel == SIDE && p->stride <= 2 && p->pad <= 1;
}

// A value, and the tap it comes from. A tap is counted from the window's top
// left, as a float so that it can be selected by the same masks.
typedef struct maximum {
    v8 value;
    v8 tap;
} maximum;

// Strictly larger, or the first NaN: taps must come in row-major order.
WSR_INLINE void take(maximum *m, v8 value, v8 tap)
{
    const v8 more = beats8(value, m->value);
    m->value = select8(more, value, m->value);
    m->tap = select8(more, tap, m->tap);
}

// ------------------------------------------------------------------ maximum

// One row of `values` and `taps` of a strip.
typedef struct reduced {
    float values[STRIP * WSR__BLOCK];
    float taps[STRIP * WSR__BLOCK];
} reduced;

// The maximum of taps [begin, end) of a row, its first NaN if there is one.
WSR_INLINE maximum reduce_taps(const float *x, int64_t begin, int64_t end)
{
    maximum m = {ld8(x + begin * WSR__BLOCK), splat8((float)begin)};
    for (int64_t k = begin + 1; k < end; k++) {
        take(&m, ld8(x + k * WSR__BLOCK), splat8((float)k));
    }
    return m;
}

// Pixels [x0, x0 + n) of a source row reduced along it.
static void reduce_row(reduced *to, const float *row, const wsr__pool *p,
                       int64_t x0, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const int64_t left = (x0 + i) * p->stride - p->pad;
        const float *const x = row + left * WSR__BLOCK;
        maximum m;
        if (left >= 0 && left + SIDE <= p->w) {
            m = reduce_taps(x, 0, SIDE);
        } else {
            m = reduce_taps(x, max64(0, -left), min64(SIDE, p->w - left));
        }
        st8(to->values + i * WSR__BLOCK, m.value);
        st8(to->taps + i * WSR__BLOCK, m.tap);
    }
}

// n pixels of dst from the rows [begin, end) of a window.
WSR_INLINE void max_rows(float *dst, uint8_t *index,
                         const reduced *const rows[SIDE],
                         const int64_t taken[2], int64_t n)
{
    for (int64_t i = 0; i < n * WSR__BLOCK; i += WSR__BLOCK) {
        const reduced *const first = rows[taken[0]];
        maximum m = {ld8(first->values + i),
                     add8(ld8(first->taps + i), splat8((float)(3 * taken[0])))};
        for (int64_t k = taken[0] + 1; k < SIDE && k < taken[1]; k++) {
            const v8 v = ld8(rows[k]->values + i);
            take(&m, v, add8(ld8(rows[k]->taps + i), splat8((float)(3 * k))));
        }
        st8(dst + i, m.value);
        if (index != NULL) {
            st8_bytes(index + i, m.tap);
        }
    }
}

// Source row y is reduced into data[y % 3] once and read by up to three
// windows. The inner windows have all three rows, which the call with constants
// unrolls.
static void max_strip(const pool_call *c, const pool_plane *at, int64_t x0,
                      int64_t n)
{
    const wsr__pool *const p = c->p;
    _Alignas(64) reduced data[SIDE];
    int64_t next = 0;
    for (int64_t y = 0; y < p->oh; y++) {
        const int64_t top = y * p->stride - p->pad;
        const int64_t end = min64(p->h, top + SIDE);
        for (next = max64(next, top); next < end; next++) {
            reduce_row(&data[next % SIDE],
                       c->src + at->in + next * p->w * WSR__BLOCK, p, x0, n);
        }
        const int64_t taken[2] = {max64(0, -top), end - top};
        const reduced *rows[SIDE];
        for (int64_t k = 0; k < SIDE; k++) {
            rows[k] = &data[(top + k + SIDE) % SIDE];
        }
        const int64_t o = (y * p->ow + x0) * WSR__BLOCK;
        uint8_t *const index = c->index != NULL ? c->index + at->index + o
                                                : NULL;
        if (taken[0] == 0 && taken[1] == SIDE) {
            const int64_t all[2] = {0, SIDE};
            max_rows(c->dst + at->out + o, index, rows, all, n);
        } else {
            max_rows(c->dst + at->out + o, index, rows, taken, n);
        }
    }
}

void WSR_NAME(wsr__pool3_max)(const pool_call *c, const pool_plane *at)
{
    for (int64_t x = 0; x < c->p->ow; x += STRIP) {
        max_strip(c, at, x, min64(STRIP, c->p->ow - x));
    }
}

// ------------------------------------------------------------------ average

// Sums of columns [first, first + n) over rows [begin, end) of a plane.
static void sum_columns(float *to, const float *plane, int64_t pitch,
                        const int64_t rows[2], const int64_t columns[2])
{
    const float *const from = plane + rows[0] * pitch + columns[0] * WSR__BLOCK;
    for (int64_t i = 0; i < columns[1] * WSR__BLOCK; i += WSR__BLOCK) {
        v8 sum = ld8(from + i);
        for (int64_t k = 1; k < rows[1] - rows[0]; k++) {
            sum = add8(sum, ld8(from + k * pitch + i));
        }
        st8(to + i, sum);
    }
}

// One row of a strip of dst. The divisor is a constant inside; at the left and
// right edge it is computed for each window.
static void avg_row(const pool_call *c, const pool_plane *at, int64_t y,
                    int64_t x0, int64_t n)
{
    const wsr__pool *const p = c->p;
    _Alignas(64) float sums[WIDE * WSR__BLOCK];
    const int64_t first = max64(0, x0 * p->stride - p->pad);
    const int64_t last = min64(p->w, (x0 + n - 1) * p->stride - p->pad + SIDE);
    span s = span_of(p, y, x0);
    const int64_t rows[2] = {s.top + s.begin[0], s.top + s.end[0]};
    const int64_t columns[2] = {first, last - first};
    sum_columns(sums, c->src + at->in, p->w * WSR__BLOCK, rows, columns);
    float *const dst = c->dst + at->out + (y * p->ow + x0) * WSR__BLOCK;
    s.begin[1] = 0;
    s.end[1] = SIDE;
    const v8 inside = splat8(share_of(p, &s));
    for (int64_t i = 0; i < n; i++) {
        const int64_t left = (x0 + i) * p->stride - p->pad;
        const float *const x = sums + (left - first) * WSR__BLOCK;
        if (left >= 0 && left + SIDE <= p->w) {
            const v8 sum = add8(add8(ld8(x), ld8(x + WSR__BLOCK)),
                                ld8(x + 2 * WSR__BLOCK));
            st8(dst + i * WSR__BLOCK, mul8(sum, inside));
            continue;
        }
        const span edge = span_of(p, y, x0 + i);
        v8 sum = splat8(0.0f);
        for (int64_t k = edge.begin[1]; k < edge.end[1]; k++) {
            sum = add8(sum, ld8(x + k * WSR__BLOCK));
        }
        st8(dst + i * WSR__BLOCK, mul8(sum, splat8(share_of(p, &edge))));
    }
}

void WSR_NAME(wsr__pool3_avg)(const pool_call *c, const pool_plane *at)
{
    for (int64_t y = 0; y < c->p->oh; y++) {
        for (int64_t x = 0; x < c->p->ow; x += STRIP) {
            avg_row(c, at, y, x, min64(STRIP, c->p->ow - x));
        }
    }
}

// ----------------------------------------------------------------- backward

// Rows of gradients and of indices, padded.
typedef struct gradients {
    reverse v;
    window win;
    ring diff;
    ring index; // as floats
    affineb read;
    wsr__dw geometry; // of the pool as if it were a convolution
} gradients;

// A row of gradients that averages share out.
static void share_row(float *to, const wsr__pool *p, int64_t y,
                      const window *win)
{
    span s = span_of(p, y, 0);
    s.begin[1] = 0;
    s.end[1] = SIDE;
    const v8 inside = splat8(share_of(p, &s));
    for (int64_t i = 0; i < win->n; i++) {
        const int64_t left = (win->first + i) * p->stride - p->pad;
        float *const g = to + i * WSR__BLOCK;
        if (left >= 0 && left + SIDE <= p->w) {
            st8(g, mul8(ld8(g), inside));
        } else {
            const span edge = span_of(p, y, win->first + i);
            st8(g, mul8(ld8(g), splat8(share_of(p, &edge))));
        }
    }
}

// Read the next row of diff_dst.
static void gradients_fill(gradients *m, const pool_call *c,
                           const pool_plane *at)
{
    const int64_t y = m->diff.next;
    const int64_t o = y * c->p->ow * WSR__BLOCK;
    const float *const diff = c->src + at->out + o;
    const float *const saved = m->read.on ? c->affine->dst + at->saved + o
                                          : diff;
    const int64_t begin = m->win.at * WSR__BLOCK;
    const int64_t first = m->win.first * WSR__BLOCK;
    read_diff(ring_row(&m->diff, y) + begin, diff + first, saved + first,
              m->win.n, &m->read);
    if (c->saved == NULL) {
        share_row(ring_row(&m->diff, y) + begin, c->p, y, &m->win);
        return;
    }
    const uint8_t *const from = c->saved + at->index + o +
                                m->win.first * WSR__BLOCK;
    float *const to = ring_row(&m->index, y) + begin;
    for (int64_t i = 0; i < m->win.n * WSR__BLOCK; i += WSR__BLOCK) {
        st8(to + i, ld8_bytes(from + i));
    }
}

// The windows that contain the pixels of one row and column phase.
typedef struct containing {
    int count;
    const float *diff[SIDE * SIDE];
    const float *index[SIDE * SIDE];
    float tap[SIDE * SIDE];
} containing;

static void containing_of(containing *w, const gradients *m, int64_t y,
                          int64_t column)
{
    const phase *const rows = &m->v.phase[y & (m->v.s - 1)];
    const phase *const columns = &m->v.phase[column];
    w->count = 0;
    for (int j = 0; j < rows->count; j++) {
        const int64_t i = over_stride(&m->v, y) + rows->low + j;
        if (i < 0 || i >= m->geometry.oh) {
            continue;
        }
        for (int k = 0; k < columns->count; k++) {
            const int64_t at = (columns->low - m->v.low + k) * WSR__BLOCK;
            w->diff[w->count] = ring_row(&m->diff, i) + at;
            w->index[w->count] = ring_row(&m->index, i) + at;
            w->tap[w->count] = (float)((rows->first - rows->step * j) * SIDE +
                                       columns->first - columns->step * k);
            w->count++;
        }
    }
}

// How windows are gathered. All uses are inlined with constants.
typedef struct gathering {
    int pixels;   // at a time
    int64_t step; // floats from pixel to pixel
    bool max;
    bool accumulate;
} gathering;

WSR_INLINE void gather(float *out, const containing *w, int64_t i,
                       const gathering u)
{
    v8 acc[TILE];
    WSR_UNROLL
    for (int p = 0; p < u.pixels; p++) {
        acc[p] = u.accumulate ? ld8(out + p * u.step) : splat8(0.0f);
    }
    for (int k = 0; k < w->count; k++) {
        const float *const diff = opaque(w->diff[k] + i * WSR__BLOCK);
        const float *const index = opaque(w->index[k] + i * WSR__BLOCK);
        const v8 tap = splat8(w->tap[k]);
        WSR_UNROLL
        for (int p = 0; p < u.pixels; p++) {
            v8 g = ld8(diff + p * WSR__BLOCK);
            if (u.max) {
                g = keep8(equal8(ld8(index + p * WSR__BLOCK), tap), g);
            }
            acc[p] = add8(acc[p], g);
        }
    }
    WSR_UNROLL
    for (int p = 0; p < u.pixels; p++) {
        st8(out + p * u.step, acc[p]);
    }
}

WSR_INLINE void gather_row(float *out, const containing *w, int64_t n,
                           gathering u)
{
    int64_t i = 0;
    u.pixels = TILE;
    for (; i + TILE <= n; i += TILE) {
        gather(out + i * u.step, w, i, u);
    }
    u.pixels = 1;
    for (; i < n; i++) {
        gather(out + i * u.step, w, i, u);
    }
}

// A branch for each kind of pool, so that its flag is a constant in the loop.
static void backward_row(float *out, const containing *w, int64_t n,
                         int64_t step, const pool_call *c)
{
    gathering u = {.step = step};
    if (c->saved != NULL) {
        u.max = true;
        u.accumulate = c->accumulate;
        gather_row(out, w, n, u);
    } else {
        u.max = false;
        u.accumulate = c->accumulate;
        gather_row(out, w, n, u);
    }
}

// Columns stride * [i0, i0 + ni) and those between them. The rings hold as many
// rows of diff_dst as one row of diff_src depends on.
static void backward_strip(gradients *m, const pool_call *c,
                           const pool_plane *at, int64_t i0, int64_t ni)
{
    const wsr__pool *const p = c->p;
    const reverse *const v = &m->v;
    _Alignas(64) float data[2][SIDE * (STRIP + SIDE) * WSR__BLOCK];
    m->win = window_make(i0 + v->low, ni + v->high - v->low, p->ow,
                         v->high - v->low + 1);
    m->diff = ring_make(data[0], &m->win, WSR__BLOCK);
    m->index = ring_make(data[1], &m->win, WSR__BLOCK);
    for (int64_t y = 0; y < p->h; y++) {
        const int64_t end = min64(p->oh, over_stride(v, y) + v->high + 1);
        m->diff.next = max64(m->diff.next, over_stride(v, y) + v->low);
        for (; m->diff.next < end; m->diff.next++) {
            gradients_fill(m, c, at);
        }
        for (int64_t column = 0; column < v->s; column++) {
            containing w;
            containing_of(&w, m, y, column);
            const int64_t x = i0 * v->s + column;
            const int64_t n = min64(ni, over_stride(v, p->w - x + v->s - 1));
            backward_row(c->dst + at->in + (y * p->w + x) * WSR__BLOCK, &w, n,
                         v->s * WSR__BLOCK, c);
        }
    }
}

void WSR_NAME(wsr__pool3_backward)(const pool_call *c, const pool_plane *at)
{
    const wsr__pool *const p = c->p;
    gradients m = {.read = affineb_of(c->affine, at->block, 1)};
    m.geometry = (wsr__dw){.h = p->h,
                           .w = p->w,
                           .oh = p->oh,
                           .ow = p->ow,
                           .kernel = SIDE,
                           .stride = p->stride,
                           .pad = p->pad,
                           .dilation = 1};
    m.v = reverse_of(&m.geometry);
    const int64_t ni = (p->w + p->stride - 1) / p->stride;
    for (int64_t i = 0; i < ni; i += STRIP) {
        backward_strip(&m, c, at, i, min64(STRIP, ni - i));
    }
}
