// SPDX-License-Identifier: Apache-2.0
//
// Motion blur: the camera moves along a line whose angle is drawn from
// [-45, 45) degrees.

#include "corrupt/corrupt.h"

// Radius and sigma in pixels.
static const double levels[WSR__SCALES][WSR__SEVERITIES][2] = {
    {{6, 1}, {6, 1.5}, {6, 2}, {8, 2}, {9, 2.5}},
    {{10, 3}, {15, 5}, {15, 8}, {15, 12}, {20, 15}}};

static size_t spare(wsr__image shape)
{
    return (size_t)(shape.h * shape.w);
}

static void apply(wsr__canvas *canvas, const double *level)
{
    const double u = (double)wsr__rng_uniform(&canvas->rng);
    const wsr__motion motion = {level[0], level[1], 90 * u - 45};
    wsr__motion_blur(canvas->x, canvas->shape, &motion, canvas->spare);
}

const wsr__corruption_class wsr__corruption_motion_blur = {
    .super = {.name = "motion_blur",
              .summary = "average along a line of random angle",
              .reference = "Hendrycks and Dietterich 2019, arXiv:1903.12261"},
    .group = "blur",
    .levels = levels[0][0],
    .width = 2,
    .spare = spare,
    .apply = apply,
};
