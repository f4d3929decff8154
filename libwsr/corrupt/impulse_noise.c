// SPDX-License-Identifier: Apache-2.0
//
// Impulse noise, salt and pepper in colour: each number becomes 0 or 1, with
// equal chance, in a share of all numbers.

#include "corrupt/corrupt.h"

static const double levels[WSR__SCALES][WSR__SEVERITIES] = {
    {0.01, 0.02, 0.03, 0.05, 0.07}, {0.03, 0.06, 0.09, 0.17, 0.27}}; // share

// Two numbers are drawn for each, whether it changes or not, so that the noise
// of a larger share includes that of a smaller one for the same stream.
static void apply(wsr__canvas *canvas, const double *level)
{
    const int64_t n = wsr__image_floats(canvas->shape);
    for (int64_t i = 0; i < n; i++) {
        const bool hit = (double)wsr__rng_uniform(&canvas->rng) < level[0];
        const bool salt = wsr__rng_uniform(&canvas->rng) < 0.5f;
        canvas->x[i] = hit ? (double)salt : canvas->x[i];
    }
}

const wsr__corruption_class wsr__corruption_impulse_noise = {
    .super = {.name = "impulse_noise",
              .summary = "set a share of the numbers to 0 or 1",
              .reference = "Hendrycks and Dietterich 2019, arXiv:1903.12261"},
    .group = "noise",
    .levels = levels[0],
    .width = 1,
    .apply = apply,
};
