// SPDX-License-Identifier: Apache-2.0
//
// Speckle noise: x + x N(0, sigma^2), noise that grows with the number itself.

#include "corrupt/corrupt.h"

static const double levels[WSR__SCALES][WSR__SEVERITIES] = {
    {0.06, 0.1, 0.12, 0.16, 0.2}, {0.15, 0.2, 0.35, 0.45, 0.6}}; // sigma

static void apply(wsr__canvas *canvas, const double *level)
{
    const int64_t n = wsr__image_floats(canvas->shape);
    for (int64_t i = 0; i < n; i++) {
        canvas->x[i] *= 1 + level[0] * wsr__rng_normal(&canvas->rng);
    }
}

const wsr__corruption_class wsr__corruption_speckle_noise = {
    .super = {.name = "speckle_noise",
              .summary = "multiply each number by 1 plus a normal variable",
              .reference = "Hendrycks and Dietterich 2019, arXiv:1903.12261"},
    .group = "noise",
    .levels = levels[0],
    .width = 1,
    .apply = apply,
};
