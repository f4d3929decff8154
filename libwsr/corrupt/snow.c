// SPDX-License-Identifier: Apache-2.0
//
// Snow: a layer of bright flakes, blurred along their fall and added together
// with the same layer turned upside down; the image below becomes whiter.

#include "corrupt/corrupt.h"

#include <math.h>

// Mean, sigma and zoom of the noise that flakes come from, the threshold of
// flakes, radius and sigma of the motion, share of the image.
static const double levels[WSR__SCALES][WSR__SEVERITIES][7] = {
    {{0.1, 0.2, 1, 0.6, 8, 3, 0.95},
     {0.1, 0.2, 1, 0.5, 10, 4, 0.9},
     {0.15, 0.3, 1.75, 0.55, 10, 4, 0.9},
     {0.25, 0.3, 2.25, 0.6, 12, 6, 0.85},
     {0.3, 0.3, 1.25, 0.65, 14, 12, 0.8}},
    {{0.1, 0.3, 3, 0.5, 10, 4, 0.8},
     {0.2, 0.3, 2, 0.5, 12, 4, 0.7},
     {0.55, 0.3, 4, 0.9, 12, 8, 0.7},
     {0.55, 0.3, 4.5, 0.85, 12, 8, 0.65},
     {0.55, 0.3, 2.5, 0.85, 12, 12, 0.55}}};

// A layer and a plane beside it.
static size_t spare(wsr__image shape)
{
    return 2 * (size_t)(shape.h * shape.w);
}

// Flakes fall at an angle from -135 to -45 degrees, that is, downwards.
static void make_layer(double *layer, double *other, wsr__canvas *canvas,
                       const double *level)
{
    const wsr__image plane = {1, canvas->shape.h, canvas->shape.w};
    const int64_t pixels = plane.h * plane.w;
    for (int64_t i = 0; i < pixels; i++) {
        other[i] = level[0] + level[1] * wsr__rng_normal(&canvas->rng);
    }
    wsr__zoom(layer, other, plane, level[2]);
    for (int64_t i = 0; i < pixels; i++) {
        layer[i] = layer[i] < level[3] ? 0 : fmin(layer[i], 1);
        layer[i] = floor(255 * layer[i]) / 255;
    }
    const double u = (double)wsr__rng_uniform(&canvas->rng);
    const wsr__motion motion = {level[4], level[5], 90 * u - 135};
    wsr__motion_blur(layer, plane, &motion, other);
}

static void apply(wsr__canvas *canvas, const double *level)
{
    const wsr__image shape = canvas->shape;
    const int64_t pixels = shape.h * shape.w;
    double *const layer = canvas->spare;
    double *const grey = layer + pixels;
    make_layer(layer, grey, canvas, level);
    wsr__grey(grey, canvas->x, shape);
    for (int64_t i = 0; i < pixels; i++) {
        const double white = 1.5 * grey[i] + 0.5;
        const double flakes = layer[i] + layer[pixels - 1 - i];
        for (int64_t c = 0; c < shape.c; c++) {
            double *const x = canvas->x + c * pixels + i;
            *x = level[6] * *x + (1 - level[6]) * fmax(*x, white) + flakes;
        }
    }
}

const wsr__corruption_class wsr__corruption_snow = {
    .super = {.name = "snow",
              .summary = "add flakes that fall and whiten the image",
              .reference = "Hendrycks and Dietterich 2019, arXiv:1903.12261"},
    .group = "weather",
    .levels = levels[0][0],
    .width = 7,
    .spare = spare,
    .apply = apply,
};
