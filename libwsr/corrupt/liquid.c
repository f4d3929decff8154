// SPDX-License-Identifier: Apache-2.0
//
// The contours of drops: edges of a layer of bytes (Canny 1986, "A
// computational approach to edge detection") and distances to them by a chamfer
// (Borgefors 1986, "Distance transformations in digital images").

#include "corrupt/corrupt.h"

#include <math.h>

enum { WEAK_FROM = 50, STRONG_FROM = 150 }; // gradients of an edge

// Derivatives along x and y of a layer whose edge pixels are repeated.
static void sobel(double *dx, double *dy, const double *layer, wsr__image p)
{
    static const double smooth[3] = {1, 2, 1};
    for (int64_t i = 0; i < p.h * p.w; i++) {
        double v[3][3];
        for (int64_t k = 0; k < 9; k++) {
            const int64_t y =
                wsr__border_index(i / p.w + k / 3 - 1, p.h, WSR__BORDER_REPEAT);
            const int64_t x =
                wsr__border_index(i % p.w + k % 3 - 1, p.w, WSR__BORDER_REPEAT);
            v[k / 3][k % 3] = layer[y * p.w + x];
        }
        dx[i] = 0;
        dy[i] = 0;
        for (int64_t k = 0; k < 3; k++) {
            dx[i] += smooth[k] * (v[k][2] - v[k][0]);
            dy[i] += smooth[k] * (v[2][k] - v[0][k]);
        }
    }
}

// |dx| + |dy|; 0 outside of the plane.
static double size_at(const double *dx, const double *dy, wsr__image p,
                      int64_t y, int64_t x)
{
    const bool inside = y >= 0 && y < p.h && x >= 0 && x < p.w;
    const int64_t i = y * p.w + x;
    return inside ? fabs(dx[i]) + fabs(dy[i]) : 0;
}

// Whether the gradient at (y, x) is largest along its own direction, rounded to
// one of four. Of two equal neighbours the first counts, except on diagonals.
static bool is_ridge(const double *dx, const double *dy, wsr__image p,
                     int64_t y, int64_t x)
{
    const double tan_22 = 0.41421356237309503;
    const int64_t i = y * p.w + x;
    const double a = fabs(dx[i]);
    const double b = fabs(dy[i]);
    const double m = a + b;
    if (b < tan_22 * a) {
        return m > size_at(dx, dy, p, y, x - 1) &&
               m >= size_at(dx, dy, p, y, x + 1);
    }
    if (b > (tan_22 + 2) * a) {
        return m > size_at(dx, dy, p, y - 1, x) &&
               m >= size_at(dx, dy, p, y + 1, x);
    }
    const int64_t s = dx[i] * dy[i] < 0 ? -1 : 1;
    return m > size_at(dx, dy, p, y - 1, x - s) &&
           m > size_at(dx, dy, p, y + 1, x + s);
}

// Weak pixels beside an edge belong to it. Returns whether there were any.
static bool grow(double *edges, const double *weak, wsr__image p)
{
    bool any = false;
    for (int64_t i = 0; i < p.h * p.w; i++) {
        for (int64_t k = 0; k < 9 && weak[i] > 0 && edges[i] <= 0; k++) {
            const int64_t y = i / p.w + k / 3 - 1;
            const int64_t x = i % p.w + k % 3 - 1;
            const bool inside = y >= 0 && y < p.h && x >= 0 && x < p.w;
            if (inside && edges[y * p.w + x] > 0) {
                edges[i] = 1;
                any = true;
            }
        }
    }
    return any;
}

void wsr__contours(double *edges, const double *layer, wsr__image plane,
                   double *spare)
{
    const int64_t pixels = plane.h * plane.w;
    double *const dx = spare;
    double *const dy = dx + pixels;
    double *const weak = dy + pixels;
    sobel(dx, dy, layer, plane);
    for (int64_t i = 0; i < pixels; i++) {
        const int64_t y = i / plane.w;
        const int64_t x = i % plane.w;
        const double m = size_at(dx, dy, plane, y, x);
        weak[i] = m > WEAK_FROM && is_ridge(dx, dy, plane, y, x);
        edges[i] = weak[i] > 0 && m > STRONG_FROM;
    }
    while (grow(edges, weak, plane)) {
    }
}

// Half of the neighbours of the chamfer with their distances; the other half
// lies opposite.
static const struct {
    int64_t y;
    int64_t x;
    double length;
} neighbours[] = {{0, -1, 1},       {-1, 0, 1},       {-1, -1, 1.4},
                  {-1, 1, 1.4},     {-1, -2, 2.1969}, {-1, 2, 2.1969},
                  {-2, -1, 2.1969}, {-2, 1, 2.1969}};

// Shortest way to an edge over the neighbours on one side (sign 1: above and
// left).
static void relax(double *dst, wsr__image p, int64_t i, int64_t sign)
{
    const size_t n = sizeof(neighbours) / sizeof(neighbours[0]);
    for (size_t k = 0; k < n; k++) {
        const int64_t y = i / p.w + sign * neighbours[k].y;
        const int64_t x = i % p.w + sign * neighbours[k].x;
        if (y >= 0 && y < p.h && x >= 0 && x < p.w) {
            dst[i] = fmin(dst[i], dst[y * p.w + x] + neighbours[k].length);
        }
    }
}

void wsr__distances(double *dst, const double *edges, wsr__image plane)
{
    const int64_t pixels = plane.h * plane.w;
    for (int64_t i = 0; i < pixels; i++) {
        dst[i] = edges[i] > 0 ? 0 : 1e9;
    }
    for (int64_t i = 0; i < pixels; i++) {
        relax(dst, plane, i, 1);
    }
    for (int64_t i = pixels - 1; i >= 0; i--) {
        relax(dst, plane, i, -1);
    }
}
