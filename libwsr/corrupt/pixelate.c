// SPDX-License-Identifier: Apache-2.0
//
// Pixelation: the image is reduced by averages over boxes and enlarged again.

#include "corrupt/corrupt.h"

#include <math.h>

static const double levels[WSR__SCALES][WSR__SEVERITIES] = {
    {0.95, 0.9, 0.85, 0.75, 0.65},
    {0.6, 0.5, 0.4, 0.3, 0.25}}; // sides of the reduced image, relative

// A plane between both directions, and the reduced image.
static size_t spare(wsr__image shape)
{
    return 2 * (size_t)(shape.h * shape.w);
}

// A line of numbers inside a plane.
typedef struct line {
    double *at;
    int64_t n;
    int64_t stride;
} line;

// Each number of the result is the mean of those whose middles lie in its box,
// rounded to a byte, as Pillow's box filter has it. A box is at least as wide
// as one of the source's numbers.
static void resize_line(line dst, line src)
{
    const double scale = (double)src.n / (double)dst.n;
    const double half = 0.5 * fmax(scale, 1);
    for (int64_t i = 0; i < dst.n; i++) {
        const double middle = ((double)i + 0.5) * scale;
        const double first = fmax(middle - half, 0);
        const double last = fmin(middle + half, (double)src.n);
        double sum = 0;
        double count = 0;
        for (int64_t k = (int64_t)first; k < src.n && (double)k < last; k++) {
            const double from = ((double)k + 0.5 - middle) / (2 * half);
            if (from > -0.5 && from <= 0.5) {
                sum += rint(255 * src.at[k * src.stride]);
                count++;
            }
        }
        dst.at[i * dst.stride] = floor(sum / count + 0.5) / 255;
    }
}

// Resize a plane (h0, w0) to (h1, w1), rows first. `between` holds (h0, w1).
static void resize(double *dst, wsr__image to, double *src, wsr__image from,
                   double *between)
{
    for (int64_t y = 0; y < from.h; y++) {
        resize_line((line){between + y * to.w, to.w, 1},
                    (line){src + y * from.w, from.w, 1});
    }
    for (int64_t x = 0; x < to.w; x++) {
        resize_line((line){dst + x, to.h, to.w},
                    (line){between + x, from.h, to.w});
    }
}

static void apply(wsr__canvas *canvas, const double *level)
{
    const wsr__image full = {1, canvas->shape.h, canvas->shape.w};
    const int64_t pixels = full.h * full.w;
    const int64_t h = (int64_t)((double)full.h * level[0]);
    const int64_t w = (int64_t)((double)full.w * level[0]);
    const wsr__image reduced = {1, h > 1 ? h : 1, w > 1 ? w : 1};
    double *const between = canvas->spare;
    double *const small = between + pixels;
    for (int64_t c = 0; c < canvas->shape.c; c++) {
        double *const x = canvas->x + c * pixels;
        resize(small, reduced, x, full, between);
        resize(x, full, small, reduced, between);
    }
}

const wsr__corruption_class wsr__corruption_pixelate = {
    .super = {.name = "pixelate",
              .summary = "reduce by boxes and enlarge again",
              .reference = "Hendrycks and Dietterich 2019, arXiv:1903.12261"},
    .group = "digital",
    .levels = levels[0],
    .width = 1,
    .spare = spare,
    .apply = apply,
};
