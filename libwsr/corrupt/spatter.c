// SPDX-License-Identifier: Apache-2.0
//
// Spatter: drops on the lens. Drops are where smoothed noise exceeds a
// threshold. Drops of water brighten the image in pale turquoise, by the
// distance to their contours; drops of mud cover it in brown.

#include "corrupt/corrupt.h"

#include <math.h>

// Mean and sigma of the noise, sigma of its smoothing, threshold; strength of
// water or sigma of the edges of mud; 1 for mud.
static const double levels[WSR__SCALES][WSR__SEVERITIES][6] = {
    {{0.62, 0.1, 0.7, 0.7, 0.5, 0},
     {0.65, 0.1, 0.8, 0.7, 0.5, 0},
     {0.65, 0.3, 1, 0.69, 0.5, 0},
     {0.65, 0.1, 0.7, 0.69, 0.6, 1},
     {0.65, 0.1, 0.5, 0.68, 0.6, 1}},
    {{0.65, 0.3, 4, 0.69, 0.6, 0},
     {0.65, 0.3, 3, 0.68, 0.6, 0},
     {0.65, 0.3, 2, 0.68, 0.5, 0},
     {0.65, 0.3, 1, 0.65, 1.5, 1},
     {0.67, 0.4, 1, 0.65, 1.5, 1}}};

// The layer, two planes of water, three of contours.
static size_t spare(wsr__image shape)
{
    return 6 * (size_t)(shape.h * shape.w);
}

// Number of channel c of a colour; of a grey image, its lightness.
static double component(const double colour[3], wsr__image shape, int64_t c)
{
    if (shape.c != 3) {
        return wsr__luma(colour[0], colour[1], colour[2]);
    }
    return c == 0 ? colour[0] : c == 1 ? colour[1] : colour[2];
}

// Stretch bytes to an even distribution, as OpenCV's equalizeHist: the least
// becomes 0, and a plane of one number stays.
static void equalise(double *x, int64_t pixels)
{
    int64_t count[256] = {0};
    double table[256] = {0};
    int64_t sum = 0;
    int64_t least = 0;
    for (int64_t i = 0; i < pixels; i++) {
        count[(int)x[i]]++;
    }
    while (count[least] == 0) {
        least++;
    }
    if (count[least] == pixels) {
        return;
    }
    for (int64_t k = least + 1; k < 256; k++) {
        sum += count[k];
        table[k] = rint((double)sum * 255 / (double)(pixels - count[least]));
    }
    for (int64_t i = 0; i < pixels; i++) {
        x[i] = table[(int)x[i]];
    }
}

static void average(double *x, wsr__image plane, double *other)
{
    static const double ninth[9] = {1.0 / 9, 1.0 / 9, 1.0 / 9, 1.0 / 9, 1.0 / 9,
                                    1.0 / 9, 1.0 / 9, 1.0 / 9, 1.0 / 9};
    const wsr__kernel2d kernel = {ninth, 1};
    wsr__correlate(x, plane, &kernel, WSR__BORDER_REFLECT, other);
}

// How much light each pixel of the drops catches, from the upper left: layer of
// bytes -> numbers of which only the ratios count.
static void light(double *dst, const double *layer, wsr__image plane,
                  double *other)
{
    static const double slope[9] = {-2, -1, 0, -1, 1, 1, 0, 1, 2};
    const wsr__kernel2d emboss = {slope, 1};
    const int64_t pixels = plane.h * plane.w;
    wsr__contours(other, layer, plane, other + pixels);
    wsr__distances(dst, other, plane);
    for (int64_t i = 0; i < pixels; i++) {
        dst[i] = fmin(dst[i], 20);
    }
    average(dst, plane, other);
    for (int64_t i = 0; i < pixels; i++) {
        // The mean of equal numbers may come out a rounding error smaller.
        dst[i] = floor(dst[i] + 1e-6);
    }
    equalise(dst, pixels);
    wsr__correlate(dst, plane, &emboss, WSR__BORDER_REFLECT, other);
    for (int64_t i = 0; i < pixels; i++) {
        dst[i] = fmin(fmax(dst[i], 0), 255);
    }
    average(dst, plane, other);
    for (int64_t i = 0; i < pixels; i++) {
        dst[i] = rint(dst[i]) * layer[i];
    }
}

// Without any light the image stays as it is.
static void add_water(wsr__canvas *canvas, double *layer, double strength)
{
    static const double turquoise[3] = {175.0 / 255, 238.0 / 255, 238.0 / 255};
    const wsr__image plane = {1, canvas->shape.h, canvas->shape.w};
    const int64_t pixels = plane.h * plane.w;
    double *const m = layer + pixels;
    double most = 0;
    for (int64_t i = 0; i < pixels; i++) {
        layer[i] = floor(255 * fmin(layer[i], 1));
    }
    light(m, layer, plane, m + pixels);
    for (int64_t i = 0; i < pixels; i++) {
        most = fmax(most, m[i]);
    }
    for (int64_t i = 0; i < wsr__image_floats(canvas->shape) && most > 0; i++) {
        canvas->x[i] += strength * m[i % pixels] / most *
                        component(turquoise, canvas->shape, i / pixels);
    }
}

static void add_mud(wsr__canvas *canvas, double *m, double sigma)
{
    static const double brown[3] = {63.0 / 255, 42.0 / 255, 20.0 / 255};
    const wsr__image plane = {1, canvas->shape.h, canvas->shape.w};
    const int64_t pixels = plane.h * plane.w;
    const wsr__gauss gauss = {sigma, 4, WSR__BORDER_REPEAT};
    for (int64_t i = 0; i < pixels; i++) {
        m[i] = m[i] > 0;
    }
    wsr__smooth(m, plane, &gauss, m + pixels);
    for (int64_t i = 0; i < wsr__image_floats(canvas->shape); i++) {
        const double cover = m[i % pixels] < 0.8 ? 0 : m[i % pixels];
        canvas->x[i] = (1 - cover) * canvas->x[i] +
                       cover * component(brown, canvas->shape, i / pixels);
    }
}

static void apply(wsr__canvas *canvas, const double *level)
{
    const wsr__image plane = {1, canvas->shape.h, canvas->shape.w};
    const int64_t pixels = plane.h * plane.w;
    const wsr__gauss gauss = {level[2], 4, WSR__BORDER_REPEAT};
    double *const layer = canvas->spare;
    for (int64_t i = 0; i < pixels; i++) {
        layer[i] = level[0] + level[1] * wsr__rng_normal(&canvas->rng);
    }
    wsr__smooth(layer, plane, &gauss, layer + pixels);
    for (int64_t i = 0; i < pixels; i++) {
        layer[i] = layer[i] < level[3] ? 0 : layer[i];
    }
    if (level[5] > 0) {
        add_mud(canvas, layer, level[4]);
    } else {
        add_water(canvas, layer, level[4]);
    }
}

const wsr__corruption_class wsr__corruption_spatter = {
    .super = {.name = "spatter",
              .summary = "drops of water or mud on the lens",
              .reference = "Hendrycks and Dietterich 2019, arXiv:1903.12261"},
    .group = "weather",
    .levels = levels[0][0],
    .width = 6,
    .spare = spare,
    .apply = apply,
};
