// SPDX-License-Identifier: Apache-2.0
//
// Gaussian blur with the edge pixels repeated.

#include "corrupt/corrupt.h"

static const double levels[WSR__SCALES][WSR__SEVERITIES] = {
    {0.4, 0.6, 0.7, 0.8, 1}, {1, 2, 3, 4, 6}}; // sigma in pixels

static size_t spare(wsr__image shape)
{
    return (size_t)(shape.h * shape.w);
}

static void apply(wsr__canvas *canvas, const double *level)
{
    const wsr__gauss gauss = {level[0], 4, WSR__BORDER_REPEAT};
    wsr__smooth(canvas->x, canvas->shape, &gauss, canvas->spare);
}

const wsr__corruption_class wsr__corruption_gaussian_blur = {
    .super = {.name = "gaussian_blur",
              .summary = "convolve with a Gaussian",
              .reference = "Hendrycks and Dietterich 2019, arXiv:1903.12261"},
    .group = "blur",
    .levels = levels[0],
    .width = 1,
    .spare = spare,
    .apply = apply,
};
