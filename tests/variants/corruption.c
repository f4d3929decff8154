// SPDX-License-Identifier: Apache-2.0
// A variant that the gate adds: a shade darker.

#include "corrupt/corrupt.h"

static const double levels[WSR__SCALES][WSR__SEVERITIES] = {
    {0.1, 0.2, 0.3, 0.4, 0.5}, {0.1, 0.2, 0.3, 0.4, 0.5}};

static void apply(wsr__canvas *canvas, const double *level)
{
    for (int64_t i = 0; i < wsr__image_floats(canvas->shape); i++) {
        canvas->x[i] -= level[0];
    }
}

const wsr__corruption_class wsr__corruption_dummy = {
    .super = {"dummy", "a shade darker", "", NULL, 0},
    .group = "digital",
    .levels = levels[0],
    .width = 1,
    .apply = apply,
};
