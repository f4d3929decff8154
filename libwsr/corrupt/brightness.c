// SPDX-License-Identifier: Apache-2.0
//
// Brightness: a constant is added to the value of each colour (the largest of
// red, green and blue), which keeps hue and saturation.

#include "corrupt/corrupt.h"

#include <math.h>

static const double levels[WSR__SCALES][WSR__SEVERITIES] = {
    {0.05, 0.1, 0.15, 0.2, 0.3}, {0.1, 0.2, 0.3, 0.4, 0.5}}; // added

// A grey image is its own value.
static void apply(wsr__canvas *canvas, const double *level)
{
    const int64_t pixels = canvas->shape.h * canvas->shape.w;
    const bool colour = canvas->shape.c == 3;
    double *const value = canvas->x + (colour ? 2 * pixels : 0);
    if (colour) {
        wsr__to_hsv(canvas->x, pixels);
    }
    for (int64_t i = 0; i < pixels; i++) {
        value[i] = fmin(value[i] + level[0], 1);
    }
    if (colour) {
        wsr__from_hsv(canvas->x, pixels);
    }
}

const wsr__corruption_class wsr__corruption_brightness = {
    .super = {.name = "brightness",
              .summary = "add to the value of each colour",
              .reference = "Hendrycks and Dietterich 2019, arXiv:1903.12261"},
    .group = "digital",
    .levels = levels[0],
    .width = 1,
    .apply = apply,
};
