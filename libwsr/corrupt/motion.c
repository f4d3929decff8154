// SPDX-License-Identifier: Apache-2.0
//
// Motion blur as ImageMagick does it: the mean of the 2 radius + 1 pixels along
// a line from each pixel on, to one side, with weights of a Gaussian that are
// largest at the pixel itself. Pixels of the line are rounded to the grid.
// Beyond the edges the last pixel is repeated.

#include "corrupt/corrupt.h"

#include <math.h>
#include <string.h>

enum { PLACES = 64 }; // most pixels of a line

typedef struct place {
    int64_t y;
    int64_t x;
    double weight;
} place;

// Returns the number of places. Halves round down, as ImageMagick's do.
static size_t make_places(place places[PLACES], const wsr__motion *motion)
{
    const double pi = 3.14159265358979323846;
    const double angle = motion->angle * pi / 180;
    size_t n = 2 * (size_t)ceil(motion->radius) + 1;
    double sum = 0;
    n = n < PLACES ? n : PLACES;
    for (size_t i = 0; i < n; i++) {
        const double t = (double)i / motion->sigma;
        places[i] = (place){(int64_t)ceil((double)i * sin(angle) - 0.5),
                            (int64_t)ceil((double)i * cos(angle) - 0.5),
                            exp(-0.5 * t * t)};
        sum += places[i].weight;
    }
    for (size_t i = 0; i < n; i++) {
        places[i].weight /= sum;
    }
    return n;
}

static double blur_at(const double *plane, wsr__image shape, int64_t at,
                      const place *places, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const int64_t y = wsr__border_index(at / shape.w + places[i].y, shape.h,
                                            WSR__BORDER_REPEAT);
        const int64_t x = wsr__border_index(at % shape.w + places[i].x, shape.w,
                                            WSR__BORDER_REPEAT);
        sum += places[i].weight * plane[y * shape.w + x];
    }
    return floor(255 * sum + 0.5) / 255;
}

void wsr__motion_blur(double *x, wsr__image shape, const wsr__motion *motion,
                      double *spare)
{
    place places[PLACES];
    const size_t n = make_places(places, motion);
    const int64_t pixels = shape.h * shape.w;
    for (int64_t c = 0; c < shape.c; c++) {
        double *const plane = x + c * pixels;
        memcpy(spare, plane, sizeof(*spare) * (size_t)pixels);
        for (int64_t i = 0; i < pixels; i++) {
            plane[i] = blur_at(spare, shape, i, places, n);
        }
    }
}
