// SPDX-License-Identifier: Apache-2.0
//
// Colours of pixels: lightness, and hue, saturation and value (Smith 1978,
// "Color gamut transform pairs"), all numbers in [0, 1].

#include "corrupt/corrupt.h"

#include <math.h>
#include <string.h>

double wsr__luma(double r, double g, double b)
{
    return 0.299 * r + 0.587 * g + 0.114 * b;
}

void wsr__grey(double *dst, const double *x, wsr__image shape)
{
    const int64_t pixels = shape.h * shape.w;
    if (shape.c == 1) {
        memcpy(dst, x, sizeof(*dst) * (size_t)pixels);
        return;
    }
    for (int64_t i = 0; i < pixels; i++) {
        dst[i] = wsr__luma(x[i], x[pixels + i], x[2 * pixels + i]);
    }
}

// Sixths of the circle from red: green is at 2, blue at 4. Grey has hue 0.
static double hue(double r, double g, double b, double most, double spread)
{
    double h = 0;
    if (spread > 0) {
        h = r == most   ? (g - b) / spread
            : g == most ? 2 + (b - r) / spread
                        : 4 + (r - g) / spread;
    }
    h /= 6;
    return h - floor(h);
}

void wsr__to_hsv(double *x, int64_t pixels)
{
    for (int64_t i = 0; i < pixels; i++) {
        double *const r = x + i;
        double *const g = r + pixels;
        double *const b = g + pixels;
        const double most = fmax(*r, fmax(*g, *b));
        const double spread = most - fmin(*r, fmin(*g, *b));
        *r = hue(*r, *g, *b, most, spread);
        *g = most > 0 ? spread / most : 0;
        *b = most;
    }
}

void wsr__from_hsv(double *x, int64_t pixels)
{
    for (int64_t i = 0; i < pixels; i++) {
        double *const r = x + i;
        double *const g = r + pixels;
        double *const b = g + pixels;
        const double s = *g;
        const double v = *b;
        const double sixth = floor(6 * *r);
        const double f = 6 * *r - sixth;
        const double p = v * (1 - s);
        const double q = v * (1 - f * s);
        const double t = v * (1 - (1 - f) * s);
        const double all[6][3] = {{v, t, p}, {q, v, p}, {p, v, t},
                                  {p, q, v}, {t, p, v}, {v, p, q}};
        const double *const c = all[(int)sixth % 6];
        *r = c[0];
        *g = c[1];
        *b = c[2];
    }
}
