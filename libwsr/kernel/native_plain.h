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

/// Every step-th number of a row.
WSR_INLINE void take_columns(float *to, const float *from, int64_t n,
                             const int64_t step)
{
    int64_t i = 0;
    for (; step == 1 && i + BUNDLE <= n; i += BUNDLE) {
        stbu(to + i, ldbu(from + i));
    }
    for (; i < n; i++) {
        to[i] = from[i * step];
    }
}

WSR_INLINE void read_row(float *to, const float *row,
                         const wsr__plain_layout *l, const int64_t step)
{
    const wsr__dense_layout *const s = &l->sides;
    for (int64_t r = 0; r < step; r++) {
        // Columns left + i * step that exist: i in [begin, end).
        const int64_t left = s->first[1] + r;
        const int64_t begin =
            min64(max64((step - 1 - left) / step, 0), s->columns);
        const int64_t end =
            max64(begin, min64((s->w - left + step - 1) / step, s->columns));
        take_columns(to + r * l->plane + begin, row + left + begin * step,
                     end - begin, step);
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
    for (int64_t c = 0; c < channels; c++) {
        for (int64_t y = begin; y < end; y++) {
            const int64_t at = y - top;
            float *const plane = to + c * l->channel +
                                 at % s->stride[0] * s->stride[1] * l->plane +
                                 at / s->stride[0] * l->pitch;
            const float *const row = image + (c * s->h + y) * s->w;
            if (s->stride[1] == 1) {
                read_row(plane, row, l, 1);
            } else if (s->stride[1] == 2) {
                read_row(plane, row, l, 2);
            } else if (s->stride[1] == 4) {
                read_row(plane, row, l, 4);
            } else {
                read_row(plane, row, l, s->stride[1]);
            }
        }
    }
}

#endif
