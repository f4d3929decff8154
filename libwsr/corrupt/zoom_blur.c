// SPDX-License-Identifier: Apache-2.0
//
// Zoom blur: the camera moves towards the scene. The mean of the image and of
// its enlargements by 1, 1 + step, 1 + 2 step, ...

#include "corrupt/corrupt.h"

#include <string.h>

// Number of enlargements and step. The published ranges are written with an end
// that they exclude; rounding includes it in the first two, which makes 7 and
// 12 enlargements of small images.
static const double levels[WSR__SCALES][WSR__SEVERITIES][2] = {
    {{7, 0.01}, {12, 0.01}, {16, 0.01}, {21, 0.01}, {26, 0.01}},
    {{12, 0.01}, {16, 0.01}, {11, 0.02}, {13, 0.02}, {11, 0.03}}};

// A plane, and the sum of its enlargements.
static size_t spare(wsr__image shape)
{
    return 2 * (size_t)(shape.h * shape.w);
}

static void apply(wsr__canvas *canvas, const double *level)
{
    const wsr__image plane = {1, canvas->shape.h, canvas->shape.w};
    const int64_t pixels = plane.h * plane.w;
    double *const zoomed = canvas->spare;
    double *const sum = zoomed + pixels;
    const int64_t n = (int64_t)level[0];
    // With the rounding error of the published ranges, which decides whether an
    // enlargement by 1.25 makes 32 or 33 pixels of 26.
    const double step = (1 + level[1]) - 1;
    for (int64_t c = 0; c < canvas->shape.c; c++) {
        double *const x = canvas->x + c * pixels;
        memcpy(sum, x, sizeof(*sum) * (size_t)pixels);
        for (int64_t k = 0; k < n; k++) {
            wsr__zoom(zoomed, x, plane, 1 + (double)k * step);
            for (int64_t i = 0; i < pixels; i++) {
                sum[i] += zoomed[i];
            }
        }
        for (int64_t i = 0; i < pixels; i++) {
            x[i] = sum[i] / (double)(n + 1);
        }
    }
}

const wsr__corruption_class wsr__corruption_zoom_blur = {
    .super = {.name = "zoom_blur",
              .summary = "mean of enlargements",
              .reference = "Hendrycks and Dietterich 2019, arXiv:1903.12261"},
    .group = "blur",
    .levels = levels[0][0],
    .width = 2,
    .spare = spare,
    .apply = apply,
};
