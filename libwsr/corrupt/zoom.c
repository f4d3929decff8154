// SPDX-License-Identifier: Apache-2.0
//
// Zoom into the middle of an image. The middle part of ceil(side / factor)
// pixels is stretched to round(part * factor) pixels, so that its corner pixels
// stay corner pixels, and the surplus is cut off.

#include "corrupt/corrupt.h"

#include <math.h>

// One side: where pixel i of the result lies in the source.
typedef struct side {
    int64_t n;     // of the source and of the result
    int64_t first; // of the middle part
    int64_t last;
    int64_t cut; // pixels of the stretched part before the result
    double step;
} side;

static side side_of(int64_t n, double factor)
{
    const int64_t part = (int64_t)ceil((double)n / factor);
    const int64_t first = (n - part) / 2;
    const int64_t long_side = (int64_t)rint((double)part * factor);
    return (side){.n = n,
                  .first = first,
                  .last = first + part - 1,
                  .cut = (long_side - n) / 2,
                  .step = long_side > 1
                              ? (double)(part - 1) / (double)(long_side - 1)
                              : 0};
}

// The source pixel before a place, and the part of the way to the next one.
static int64_t place(double *rest, const side *s, int64_t i)
{
    const double at = (double)(i + s->cut) * s->step;
    const int64_t k = s->first + (int64_t)floor(at);
    *rest = at - floor(at);
    return k < s->last ? k : s->last;
}

void wsr__zoom(double *dst, const double *src, wsr__image plane, double factor)
{
    const side ys = side_of(plane.h, factor);
    const side xs = side_of(plane.w, factor);
    for (int64_t y = 0; y < plane.h; y++) {
        double v;
        const int64_t y0 = place(&v, &ys, y);
        const double *const a = src + y0 * plane.w;
        const double *const b = y0 < ys.last ? a + plane.w : a;
        for (int64_t x = 0; x < plane.w; x++) {
            double u;
            const int64_t x0 = place(&u, &xs, x);
            const int64_t x1 = x0 < xs.last ? x0 + 1 : x0;
            dst[y * plane.w + x] = (1 - v) * ((1 - u) * a[x0] + u * a[x1]) +
                                   v * ((1 - u) * b[x0] + u * b[x1]);
        }
    }
}
