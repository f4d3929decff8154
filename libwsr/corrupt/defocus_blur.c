// SPDX-License-Identifier: Apache-2.0
//
// Defocus blur: a lens out of focus spreads a point over a disc. The kernel is
// a disc of pixels with soft edges: it is smoothed with a Gaussian of 3 x 3
// pixels, or 5 x 5 for radii above 8.

#include "corrupt/corrupt.h"

#include <math.h>

enum { RADIUS = 12, SIDE = 2 * RADIUS + 1 }; // of the largest kernel

// Radius of the disc and sigma of its smoothing, in pixels.
static const double levels[WSR__SCALES][WSR__SEVERITIES][2] = {
    {{0.3, 0.4}, {0.4, 0.5}, {0.5, 0.6}, {1, 0.2}, {1.5, 0.1}},
    {{3, 0.1}, {4, 0.5}, {6, 0.5}, {8, 0.5}, {10, 0.5}}};

static size_t spare(wsr__image shape)
{
    return (size_t)(shape.h * shape.w);
}

// The published kernels have 17 x 17 pixels, those of larger discs as many as
// the disc. Smoothing reflects the disc at their edges.
static int64_t extent(double radius)
{
    return radius <= 8 ? 8 : (int64_t)radius;
}

// Whether pixel (y, x) from the middle belongs to the disc.
static bool in_disc(int64_t y, int64_t x, double radius)
{
    const int64_t edge = extent(radius);
    const int64_t a = y < 0 ? -y : y;
    const int64_t b = x < 0 ? -x : x;
    const double p = (double)(a > edge ? 2 * edge - a : a);
    const double q = (double)(b > edge ? 2 * edge - b : b);
    return p * p + q * q <= radius * radius;
}

// The smoothed disc, not yet divided by its number of pixels.
static double soft_disc(int64_t y, int64_t x, const double *level)
{
    const int64_t reach = level[0] <= 8 ? 1 : 2;
    double sum = 0;
    double total = 0;
    for (int64_t i = -reach; i <= reach; i++) {
        for (int64_t k = -reach; k <= reach; k++) {
            const double weight =
                exp(-(double)(i * i + k * k) / (2 * level[1] * level[1]));
            total += weight;
            sum += in_disc(y + i, x + k, level[0]) ? weight : 0;
        }
    }
    return sum / total;
}

// Fills in (2 radius + 1)^2 weights; those further out are zero.
static int64_t make_kernel(double *weights, const double *level)
{
    const int64_t inner = (int64_t)level[0];
    const int64_t edge = extent(level[0]);
    const int64_t radius = inner + 1 < edge ? inner + 1 : edge;
    double pixels = 0;
    for (int64_t y = -inner; y <= inner; y++) {
        for (int64_t x = -inner; x <= inner; x++) {
            pixels += in_disc(y, x, level[0]);
        }
    }
    for (int64_t y = -radius; y <= radius; y++) {
        for (int64_t x = -radius; x <= radius; x++) {
            // In single precision, as OpenCV has them.
            *weights++ = (double)(float)(soft_disc(y, x, level) / pixels);
        }
    }
    return radius;
}

static void apply(wsr__canvas *canvas, const double *level)
{
    double weights[SIDE * SIDE];
    const int64_t radius = make_kernel(weights, level);
    const wsr__kernel2d kernel = {weights, radius};
    wsr__correlate(canvas->x, canvas->shape, &kernel, WSR__BORDER_REFLECT,
                   canvas->spare);
}

const wsr__corruption_class wsr__corruption_defocus_blur = {
    .super = {.name = "defocus_blur",
              .summary = "average over a disc, as a lens out of focus",
              .reference = "Hendrycks and Dietterich 2019, arXiv:1903.12261"},
    .group = "blur",
    .levels = levels[0][0],
    .width = 2,
    .spare = spare,
    .apply = apply,
};
