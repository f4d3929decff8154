// SPDX-License-Identifier: Apache-2.0
//
// Glass blur: as through frosted glass. A little Gaussian blur, then every
// pixel takes the colour of a random pixel nearby, then the blur again.
//
// The published code means to swap two pixels, but its assignment copies one
// over the other, since both sides are views of one array. The published
// images are made so, and so are these.

#include "corrupt/corrupt.h"

#include <math.h>

// Sigma in pixels, reach of the copies in pixels, number of rounds.
static const double levels[WSR__SCALES][WSR__SEVERITIES][3] = {
    {{0.05, 1, 1}, {0.25, 1, 1}, {0.4, 1, 1}, {0.25, 1, 2}, {0.4, 1, 2}},
    {{0.7, 1, 2}, {0.9, 2, 1}, {1, 2, 3}, {1.1, 3, 2}, {1.5, 4, 2}}};

static size_t spare(wsr__image shape)
{
    return (size_t)(shape.h * shape.w);
}

// From the bottom right to the top left; offsets are in [-reach, reach).
static void scatter(wsr__canvas *canvas, int64_t reach)
{
    const wsr__image shape = canvas->shape;
    const uint32_t range = 2 * (uint32_t)reach;
    for (int64_t y = shape.h - reach; y > reach; y--) {
        for (int64_t x = shape.w - reach; x > reach; x--) {
            const int64_t dx = wsr__rng_below(&canvas->rng, range) - reach;
            const int64_t dy = wsr__rng_below(&canvas->rng, range) - reach;
            for (int64_t c = 0; c < shape.c; c++) {
                double *const plane = canvas->x + c * shape.h * shape.w;
                // The last row is h - reach, which exists from reach 1 on.
                plane[y * shape.w + x] = plane[(y + dy) * shape.w + x + dx];
            }
        }
    }
}

static void apply(wsr__canvas *canvas, const double *level)
{
    const wsr__gauss gauss = {level[0], 4, WSR__BORDER_REPEAT};
    const int64_t n = wsr__image_floats(canvas->shape);
    wsr__smooth(canvas->x, canvas->shape, &gauss, canvas->spare);
    for (int64_t i = 0; i < n; i++) {
        canvas->x[i] = floor(255 * canvas->x[i]) / 255;
    }
    for (int64_t round = 0; round < (int64_t)level[2]; round++) {
        scatter(canvas, (int64_t)level[1]);
    }
    wsr__smooth(canvas->x, canvas->shape, &gauss, canvas->spare);
}

const wsr__corruption_class wsr__corruption_glass_blur = {
    .super = {.name = "glass_blur",
              .summary = "copy near pixels over each other, between two blurs",
              .reference = "Hendrycks and Dietterich 2019, arXiv:1903.12261"},
    .group = "blur",
    .levels = levels[0][0],
    .width = 3,
    .spare = spare,
    .apply = apply,
};
