// SPDX-License-Identifier: Apache-2.0
//
// Gaussian noise: x + N(0, sigma^2) for each number, as from a sensor in low
// light.

#include "corrupt/corrupt.h"

static const double levels[WSR__SCALES][WSR__SEVERITIES] = {
    {0.04, 0.06, 0.08, 0.09, 0.10}, {0.08, 0.12, 0.18, 0.26, 0.38}}; // sigma

static void apply(wsr__canvas *canvas, const double *level)
{
    const int64_t n = wsr__image_floats(canvas->shape);
    for (int64_t i = 0; i < n; i++) {
        canvas->x[i] += level[0] * wsr__rng_normal(&canvas->rng);
    }
}

const wsr__corruption_class wsr__corruption_gaussian_noise = {
    .super = {.name = "gaussian_noise",
              .summary = "add a normal variable to each number",
              .reference = "Hendrycks and Dietterich 2019, arXiv:1903.12261"},
    .group = "noise",
    .levels = levels[0],
    .width = 1,
    .apply = apply,
};
