// SPDX-License-Identifier: Apache-2.0
//
// What the passes of a convolution on plain tensors share: how an image is read
// into padded planes, and where the taps lie in these.

#ifndef WSR_KERNEL_NATIVE_PLAIN_H
#define WSR_KERNEL_NATIVE_PLAIN_H

#include "kernel/native_dense.h"

/// Where the taps of each phase lie in the planes of a channel.
WSR_INLINE void plain_taps(tap_list *t, const wsr__conv *c,
                           const wsr__plain_layout *l, bool forward)
{
    const wsr__dense_layout *const s = &l->sides;
    int64_t n = 0;
    for (int64_t i = 0; i < s->phases[0] * s->phases[1]; i++) {
        t->begin[i] = n;
        for (int64_t k = 0; k < c->kh * c->kw; k++) {
            int64_t y;
            int64_t x;
            if (!tap_distance(&y, c, forward, 0, k / c->kw, i / s->phases[1]) ||
                !tap_distance(&x, c, forward, 1, k % c->kw, i % s->phases[1])) {
                continue;
            }
            y -= s->first[0];
            x -= s->first[1];
            const int64_t plane = y % s->stride[0] * s->stride[1] +
                                  x % s->stride[1];
            t->at[n] = plane * l->plane + y / s->stride[0] * l->pitch +
                       x / s->stride[1];
            t->weight[n] = k;
            n++;
        }
        t->begin[i + 1] = n;
    }
}

/// Numbers begin to end of a plane's row: every step-th of a row.
WSR_INLINE void take_columns(float *to, const float *from, int64_t begin,
                             int64_t end, const int64_t step)
{
    int64_t i = begin;
    for (; step == 1 && i + BUNDLE <= end; i += BUNDLE) {
        stbu(to + i, ldbu(from + i));
    }
    for (; i < end; i++) {
        to[i] = from[i * step];
    }
}

/// The columns of a row that each plane of a stride takes: numbers begin to
/// end, of which number i is column left + i * stride.
typedef struct columns {
    int64_t begin[WSR__DENSE_STRIDE];
    int64_t end[WSR__DENSE_STRIDE];
} columns;

static columns columns_of(const wsr__dense_layout *s)
{
    const int64_t step = s->stride[1];
    columns k;
    for (int64_t r = 0; r < step; r++) {
        const int64_t left = s->first[1] + r;
        k.begin[r] = min64(max64((step - 1 - left) / step, 0), s->columns);
        k.end[r] = max64(k.begin[r],
                         min64((s->w - left + step - 1) / step, s->columns));
    }
    return k;
}

/// Eights from column `i` on, as many as all four planes have; returns what is
/// left.
WSR_INLINE int64_t read_eights(float *to, const float *row, const columns *k,
                               int64_t i, int64_t plane)
{
    const int64_t end =
        min64(min64(k->end[0], k->end[1]), min64(k->end[2], k->end[3]));
    for (; i + 8 <= end; i += 8) {
        split4(to + i, plane, row + i * 4);
    }
    return i;
}

WSR_INLINE void read_row(float *to, const float *row, const columns *k,
                         const wsr__plain_layout *l, const int64_t step)
{
    const float *const from = row + l->sides.first[1];
    const int64_t first = k->begin[0]; // no plane begins later
    const int64_t next = step == 4 ? read_eights(to, from, k, first, l->plane)
                                   : first;
    for (int64_t r = 0; r < step; r++) {
        float *const plane = to + r * l->plane;
        take_columns(plane, from + r, k->begin[r], min64(first, k->end[r]),
                     step);
        take_columns(plane, from + r, next, k->end[r], step);
    }
}

/// Copy what the band of results from row `first` on meets of some channels of
/// an image, between zeros that are there already.
static void plain_read(float *to, const float *image, int64_t channels,
                       const wsr__plain_layout *l, int64_t first)
{
    const wsr__dense_layout *const s = &l->sides;
    const int64_t top = first * s->stride[0] + s->first[0];
    const int64_t height = l->plane / l->pitch * s->stride[0];
    const int64_t begin = max64(top, 0);
    const int64_t end = min64(top + height, s->h);
    const columns k = columns_of(s);
    for (int64_t c = 0; c < channels; c++) {
        for (int64_t y = begin; y < end; y++) {
            const int64_t at = y - top;
            float *const plane = to + c * l->channel +
                                 at % s->stride[0] * s->stride[1] * l->plane +
                                 at / s->stride[0] * l->pitch;
            const float *const row = image + (c * s->h + y) * s->w;
            if (s->stride[1] == 1) {
                read_row(plane, row, &k, l, 1);
            } else if (s->stride[1] == 2) {
                read_row(plane, row, &k, l, 2);
            } else if (s->stride[1] == 4) {
                read_row(plane, row, &k, l, 4);
            } else {
                read_row(plane, row, &k, l, s->stride[1]);
            }
        }
    }
}

#endif
