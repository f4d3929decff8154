// SPDX-License-Identifier: Apache-2.0
//
// Contrast: every channel comes closer to its mean, x -> m + c (x - m).

#include "corrupt/corrupt.h"

static const double levels[WSR__SCALES][WSR__SEVERITIES] = {
    {0.75, 0.5, 0.4, 0.3, 0.15}, {0.4, 0.3, 0.2, 0.1, 0.05}}; // c

static void apply(wsr__canvas *canvas, const double *level)
{
    const int64_t pixels = canvas->shape.h * canvas->shape.w;
    for (int64_t c = 0; c < canvas->shape.c; c++) {
        double *const x = canvas->x + c * pixels;
        double mean = 0;
        for (int64_t i = 0; i < pixels; i++) {
            mean += x[i];
        }
        mean /= (double)pixels;
        for (int64_t i = 0; i < pixels; i++) {
            x[i] = mean + level[0] * (x[i] - mean);
        }
    }
}

const wsr__corruption_class wsr__corruption_contrast = {
    .super = {.name = "contrast",
              .summary = "bring each channel closer to its mean",
              .reference = "Hendrycks and Dietterich 2019, arXiv:1903.12261"},
    .group = "digital",
    .levels = levels[0],
    .width = 1,
    .apply = apply,
};
