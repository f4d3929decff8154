// SPDX-License-Identifier: Apache-2.0
//
// Geometry of the backward pass of a depthwise convolution towards its source.
//
// With stride s the source pixels fall into s * s classes by their row and
// column modulo s. The gradient of a class is a forward convolution with
// stride 1 of diff_dst, with the flipped taps that meet the class.

#ifndef WSR_KERNEL_NATIVE_REVERSE_H
#define WSR_KERNEL_NATIVE_REVERSE_H

#include "kernel/native_plane.h"

/// The pixels y = stride * i + phase along one axis, and the taps that meet
/// them: diff_src[y] takes tap first - step * j of diff_dst[i + low + gap * j].
typedef struct phase {
    int count;
    int64_t first;
    int64_t step;
    int64_t low;
    int64_t gap;
} phase;

WSR_INLINE phase phase_of(const wsr__dw *p, int64_t which)
{
    phase f = {.count = 0, .gap = p->stride == 1 ? p->dilation : 1};
    for (int64_t k = p->kernel - 1; k >= 0; k--) {
        const int64_t at = which + p->pad - k * p->dilation;
        if (at % p->stride != 0) {
            continue;
        }
        if (f.count == 0) {
            f.first = k;
            f.low = at / p->stride;
        }
        if (f.count == 1) {
            f.step = f.first - k;
        }
        f.count++;
    }
    return f;
}

typedef struct reverse {
    int64_t s; // stride
    phase phase[2];
    row_kernel row[2]; // per column phase
    int64_t offset[2]; // of a column phase in reversed weights
    int64_t low;       // first diff_dst pixel relative to i, over the phases
    int64_t high;      // last one
} reverse;

WSR_INLINE reverse reverse_of(const wsr__dw *p)
{
    reverse r = {.s = p->stride, .low = INT64_MAX, .high = INT64_MIN};
    int64_t offset = 0;
    for (int64_t i = 0; i < p->stride; i++) {
        const phase f = phase_of(p, i);
        r.phase[i] = f;
        r.row[i] = WSR_NAME(wsr__row_kernel)(f.count > 0 ? f.count : 1,
                                             f.count > 0 ? f.gap : 1, 1);
        r.offset[i] = offset;
        offset += p->kernel * f.count * BUNDLE;
        if (f.count > 0) {
            r.low = min64(r.low, f.low);
            r.high = max64(r.high, f.low + f.gap * (f.count - 1));
        }
    }
    return r;
}

/// i / stride, which is 1 or 2.
WSR_INLINE int64_t over_stride(const reverse *r, int64_t i)
{
    return i >> (r->s - 1);
}

/// Weights of a bundle as backward reads them: [column phase][ky][j][BUNDLE].
WSR_INLINE void reverse_weights(float *to, const reverse *r, const wsr__dw *p,
                                const float *weights, int count)
{
    const int64_t pitch = count > 1 ? p->kernel * p->kernel * WSR__BLOCK : 0;
    for (int64_t i = 0; i < r->s; i++) {
        const phase *const f = &r->phase[i];
        float *const column = to + r->offset[i];
        for (int64_t ky = 0; ky < p->kernel; ky++) {
            for (int j = 0; j < f->count; j++) {
                const int64_t tap = ky * p->kernel + f->first - f->step * j;
                stb(column + (ky * f->count + j) * BUNDLE,
                    load_blocks(weights + tap * WSR__BLOCK, pitch));
            }
        }
    }
}

/// Planes of diff_src in the making: those of a bundle.
typedef struct reversing {
    const wsr__dw *p;
    const reverse *r;
    ring rows;            // of diff_dst, from column i0 + r->low on
    const float *weights; // reversed
    float *out;           // the first plane
    const float *mask;    // NULL, or src of the mask: the same plane
    int64_t i0;           // columns stride * i0 and so on ...
    int64_t ni;           // ... so many in each column phase at most
} reversing;

/// The taps of row y of diff_src in one column phase.
WSR_INLINE void taps_backward(taps *t, const reversing *m, int64_t y,
                              int64_t column)
{
    const reverse *const r = m->r;
    const phase *const rows = &r->phase[y & (r->s - 1)];
    const phase *const columns = &r->phase[column];
    const int64_t left = (columns->low - r->low) * BUNDLE;
    const int64_t pitch = columns->count * BUNDLE;
    const int64_t first = over_stride(r, y) + rows->low;
    int64_t ring_row = -1;
    t->count = 0;
    for (int j = 0; columns->count > 0 && j < rows->count; j++) {
        const int64_t i = first + rows->gap * j;
        if (i < 0 || i >= m->p->oh) {
            continue;
        }
        ring_row = ring_row < 0 ? i % m->rows.rows
                                : next_ring_row(ring_row, rows->gap, &m->rows);
        t->row[t->count] = m->rows.data + ring_row * m->rows.pitch + left;
        t->weight[t->count] = m->weights + r->offset[column] +
                              (rows->first - rows->step * j) * pitch;
        t->count++;
    }
}

/// Row y of diff_src.
WSR_INLINE void reverse_row(const reversing *m, int64_t y, finish *f)
{
    const reverse *const r = m->r;
    for (int64_t column = 0; column < r->s; column++) {
        taps t;
        taps_backward(&t, m, y, column);
        const int64_t x = m->i0 * r->s + column;
        const int64_t n = min64(m->ni, over_stride(r, m->p->w - x + r->s - 1));
        const int64_t offset = (y * m->p->w + x) * WSR__BLOCK;
        f->mask = m->mask != NULL ? m->mask + offset : NULL;
        r->row[column](m->out + offset, r->s * WSR__BLOCK, &t, n, f);
    }
    finish_flush(f);
}

#endif
