// SPDX-License-Identifier: Apache-2.0
//
// Saturation: s -> a s + b for the saturation of each colour; weaker at the
// first two severities, stronger at the others. A grey image stays as it is.

#include "corrupt/corrupt.h"

#include <math.h>

// a and b.
static const double levels[WSR__SCALES][WSR__SEVERITIES][2] = {
    {{0.3, 0}, {0.1, 0}, {1.5, 0}, {2, 0.1}, {2.5, 0.2}},
    {{0.3, 0}, {0.1, 0}, {2, 0}, {5, 0.1}, {20, 0.2}}};

static void apply(wsr__canvas *canvas, const double *level)
{
    const int64_t pixels = canvas->shape.h * canvas->shape.w;
    double *const saturation = canvas->x + pixels;
    if (canvas->shape.c == 1) {
        return;
    }
    wsr__to_hsv(canvas->x, pixels);
    for (int64_t i = 0; i < pixels; i++) {
        saturation[i] = fmin(level[0] * saturation[i] + level[1], 1);
    }
    wsr__from_hsv(canvas->x, pixels);
}

const wsr__corruption_class wsr__corruption_saturate = {
    .super = {.name = "saturate",
              .summary = "change the saturation of each colour",
              .reference = "Hendrycks and Dietterich 2019, arXiv:1903.12261"},
    .group = "digital",
    .levels = levels[0][0],
    .width = 2,
    .apply = apply,
};
