// SPDX-License-Identifier: Apache-2.0
//
// Linear filters on the planes of an image, and what lies beyond its edges.

#include "corrupt/corrupt.h"

#include <math.h>
#include <string.h>

enum { WEIGHTS = 1024 }; // most of one side of a Gaussian

// An index may lie beyond an edge by more than the side of the image.
int64_t wsr__border_index(int64_t i, int64_t n, wsr__border edge)
{
    if (edge == WSR__BORDER_REPEAT || n == 1) {
        return i < 0 ? 0 : i < n ? i : n - 1;
    }
    const int64_t period = edge == WSR__BORDER_MIRROR ? 2 * n : 2 * n - 2;
    int64_t k = i % period;
    k = k < 0 ? k + period : k;
    return k < n ? k : edge == WSR__BORDER_MIRROR ? period - 1 - k : period - k;
}

// Weights of 0, 1, ... pixels from the middle; the sum over both sides is 1.
// Returns the radius.
static int64_t gauss_weights(double weights[WEIGHTS], const wsr__gauss *g)
{
    int64_t radius = (int64_t)(g->most * g->sigma + 0.5);
    double sum = 1;
    radius = radius < WEIGHTS ? radius : WEIGHTS - 1;
    weights[0] = 1;
    for (int64_t i = 1; i <= radius; i++) {
        const double t = (double)i / g->sigma;
        weights[i] = exp(-0.5 * t * t);
        sum += 2 * weights[i];
    }
    for (int64_t i = 0; i <= radius; i++) {
        weights[i] /= sum;
    }
    return radius;
}

// A line of numbers inside a plane.
typedef struct line {
    int64_t n;
    int64_t stride;
} line;

static void smooth_line(double *dst, const double *src, line l,
                        const double *weights, int64_t radius, wsr__border edge)
{
    for (int64_t i = 0; i < l.n; i++) {
        double sum = weights[0] * src[i * l.stride];
        for (int64_t k = 1; k <= radius; k++) {
            const int64_t a = wsr__border_index(i - k, l.n, edge);
            const int64_t b = wsr__border_index(i + k, l.n, edge);
            sum += weights[k] * (src[a * l.stride] + src[b * l.stride]);
        }
        dst[i * l.stride] = sum;
    }
}

// Columns first, then rows.
void wsr__smooth(double *x, wsr__image shape, const wsr__gauss *gauss,
                 double *spare)
{
    double weights[WEIGHTS];
    const int64_t radius = gauss_weights(weights, gauss);
    if (radius == 0) {
        return;
    }
    for (int64_t c = 0; c < shape.c; c++) {
        double *const plane = x + c * shape.h * shape.w;
        for (int64_t i = 0; i < shape.w; i++) {
            smooth_line(spare + i, plane + i, (line){shape.h, shape.w}, weights,
                        radius, gauss->edge);
        }
        for (int64_t i = 0; i < shape.h; i++) {
            smooth_line(plane + i * shape.w, spare + i * shape.w,
                        (line){shape.w, 1}, weights, radius, gauss->edge);
        }
    }
}

// The sum under the kernel with its middle at (y, x).
static double correlate_at(const double *plane, wsr__image shape, int64_t y,
                           int64_t x, const wsr__kernel2d *kernel,
                           wsr__border edge)
{
    const int64_t r = kernel->radius;
    const double *weight = kernel->weights;
    double sum = 0;
    for (int64_t i = y - r; i <= y + r; i++) {
        const double *const row = plane +
                                  wsr__border_index(i, shape.h, edge) * shape.w;
        for (int64_t k = x - r; k <= x + r; k++) {
            sum += *weight++ * row[wsr__border_index(k, shape.w, edge)];
        }
    }
    return sum;
}

void wsr__correlate(double *x, wsr__image shape, const wsr__kernel2d *kernel,
                    wsr__border edge, double *spare)
{
    const int64_t pixels = shape.h * shape.w;
    for (int64_t c = 0; c < shape.c; c++) {
        double *const plane = x + c * pixels;
        memcpy(spare, plane, sizeof(*spare) * (size_t)pixels);
        for (int64_t i = 0; i < pixels; i++) {
            plane[i] = correlate_at(spare, shape, i / shape.w, i % shape.w,
                                    kernel, edge);
        }
    }
}
