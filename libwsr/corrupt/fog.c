// SPDX-License-Identifier: Apache-2.0
//
// Fog: x -> (x + density f) most / (most + density), where f is a plasma
// fractal in [0, 1] and most the largest number of the image.
//
// The fractal comes from the diamond-square algorithm on a torus (Fournier,
// Fussell and Carpenter 1982): from a coarse grid to finer ones, the point in
// the middle of four others gets their mean and a uniform variable, whose range
// falls with the square of `decay` from grid to grid.

#include "corrupt/corrupt.h"

#include <math.h>

// Density and decay.
static const double levels[WSR__SCALES][WSR__SEVERITIES][2] = {
    {{0.2, 3}, {0.5, 3}, {0.75, 2.5}, {1, 2}, {1.5, 1.75}},
    {{1.5, 2}, {2, 2}, {2.5, 1.7}, {2.5, 1.5}, {3, 1.4}}};

// A power of two.
static int64_t side_of(wsr__image shape)
{
    int64_t side = 2;
    while (side < shape.h || side < shape.w) {
        side *= 2;
    }
    return side;
}

static size_t spare(wsr__image shape)
{
    const int64_t side = side_of(shape);
    return (size_t)(side * side);
}

// A torus of heights, and the grid in hand.
typedef struct plasma {
    double *at; // (side, side)
    int64_t side;
    double range;
    wsr__rng *rng;
} plasma;

static double height(const plasma *p, int64_t y, int64_t x)
{
    const int64_t mask = p->side - 1;
    return p->at[(y & mask) * p->side + (x & mask)];
}

// A point from the four around it: at (dy, dx) and at right angles to that.
static void fill(plasma *p, int64_t y, int64_t x, int64_t dy, int64_t dx)
{
    const double mean = (height(p, y + dy, x + dx) + height(p, y - dy, x - dx) +
                         height(p, y + dx, x - dy) +
                         height(p, y - dx, x + dy)) /
                        4;
    const double u = 2 * (double)wsr__rng_uniform(p->rng) - 1;
    p->at[y * p->side + x] = mean + p->range * p->range * u;
}

// Middles of squares need the corners, middles of edges need both.
static void refine(plasma *p, int64_t step)
{
    const int64_t half = step / 2;
    for (int64_t y = half; y < p->side; y += step) {
        for (int64_t x = half; x < p->side; x += step) {
            fill(p, y, x, half, half);
        }
    }
    for (int64_t y = 0; y < p->side; y += half) {
        for (int64_t x = y % step == 0 ? half : 0; x < p->side; x += step) {
            fill(p, y, x, half, 0);
        }
    }
}

// Heights brought to [0, 1].
static void make_plasma(plasma *p, double decay)
{
    const int64_t n = p->side * p->side;
    double low = HUGE_VAL;
    double high = -HUGE_VAL;
    p->at[0] = 0;
    for (int64_t step = p->side; step >= 2; step /= 2) {
        refine(p, step);
        p->range /= decay;
    }
    for (int64_t i = 0; i < n; i++) {
        low = fmin(low, p->at[i]);
        high = fmax(high, p->at[i]);
    }
    for (int64_t i = 0; i < n; i++) {
        p->at[i] = (p->at[i] - low) / (high - low);
    }
}

static void apply(wsr__canvas *canvas, const double *level)
{
    const wsr__image shape = canvas->shape;
    const int64_t n = wsr__image_floats(shape);
    plasma p = {canvas->spare, side_of(shape), 100, &canvas->rng};
    double most = 0;
    make_plasma(&p, level[1]);
    for (int64_t i = 0; i < n; i++) {
        most = fmax(most, canvas->x[i]);
    }
    for (int64_t i = 0; i < n; i++) {
        const int64_t row = i / shape.w % shape.h;
        const double f = p.at[row * p.side + i % shape.w];
        canvas->x[i] = (canvas->x[i] + level[0] * f) * most / (most + level[0]);
    }
}

const wsr__corruption_class wsr__corruption_fog = {
    .super = {.name = "fog",
              .summary = "mix in a plasma fractal",
              .reference = "Hendrycks and Dietterich 2019, arXiv:1903.12261"},
    .group = "weather",
    .levels = levels[0][0],
    .width = 2,
    .spare = spare,
    .apply = apply,
};
