// SPDX-License-Identifier: Apache-2.0
//
// Elastic transform (Simard, Steinkraus and Platt 2003, "Best practices for
// convolutional neural networks applied to visual document analysis"): a random
// affine map of three points, then a shift of every pixel by smooth noise.

#include "corrupt/corrupt.h"

#include <math.h>

// Size of the shifts, sigma of their smoothing and reach of the three points,
// in pixels. The published constants are multiples of the side: 32 pixels, and
// for large images 244 where 224 was meant.
#define SMALL(a, b, c)               \
    {                                \
        32 * (a), 32 * (b), 32 * (c) \
    }
#define BIG(a, b, c)                    \
    {                                   \
        244 * (a), 244 * (b), 244 * (c) \
    }
static const double levels[WSR__SCALES][WSR__SEVERITIES][3] = {
    {SMALL(0, 0, 0.08), SMALL(0.05, 0.2, 0.07), SMALL(0.08, 0.06, 0.06),
     SMALL(0.1, 0.04, 0.05), SMALL(0.1, 0.03, 0.03)},
    {BIG(2, 0.7, 0.1), BIG(2, 0.08, 0.2), BIG(0.05, 0.01, 0.02),
     BIG(0.07, 0.01, 0.02), BIG(0.12, 0.01, 0.02)}};

// A copy of a plane, both shifts, and a plane for smoothing.
static size_t spare(wsr__image shape)
{
    return 4 * (size_t)(shape.h * shape.w);
}

// A place beyond all images is as good as any other.
static double bounded(double v)
{
    return fmin(fmax(v, -1e6), 1e6);
}

// Bilinear value of a plane at a place.
static double sample(const double *plane, wsr__image shape, double y, double x,
                     wsr__border edge)
{
    const double top = floor(bounded(y));
    const double left = floor(bounded(x));
    const double v = bounded(y) - top;
    const double u = bounded(x) - left;
    const int64_t y0 = wsr__border_index((int64_t)top, shape.h, edge);
    const int64_t y1 = wsr__border_index((int64_t)top + 1, shape.h, edge);
    const int64_t x0 = wsr__border_index((int64_t)left, shape.w, edge);
    const int64_t x1 = wsr__border_index((int64_t)left + 1, shape.w, edge);
    const double *const a = plane + y0 * shape.w;
    const double *const b = plane + y1 * shape.w;
    return (1 - v) * ((1 - u) * a[x0] + u * a[x1]) +
           v * ((1 - u) * b[x0] + u * b[x1]);
}

typedef struct point {
    double x;
    double y;
} point;

// Where each pixel of the result comes from: origin + x along + y down.
typedef struct affine {
    point origin;
    point along;
    point down;
} affine;

// The map that takes points p to points q. Points on a line leave the image as
// it is.
static affine map_of(const point p[3], const point q[3])
{
    const point a = {p[1].x - p[0].x, p[1].y - p[0].y};
    const point b = {p[2].x - p[0].x, p[2].y - p[0].y};
    const point s = {q[1].x - q[0].x, q[1].y - q[0].y};
    const point t = {q[2].x - q[0].x, q[2].y - q[0].y};
    const double det = a.x * b.y - a.y * b.x;
    affine m = {{0, 0}, {1, 0}, {0, 1}};
    if (fabs(det) > 0) {
        m.along = (point){(s.x * b.y - t.x * a.y) / det,
                          (s.y * b.y - t.y * a.y) / det};
        m.down = (point){(t.x * a.x - s.x * b.x) / det,
                         (t.y * a.x - s.y * b.x) / det};
        m.origin = (point){q[0].x - m.along.x * p[0].x - m.down.x * p[0].y,
                           q[0].y - m.along.y * p[0].x - m.down.y * p[0].y};
    }
    return m;
}

static double signed_uniform(wsr__rng *rng)
{
    return 2 * (double)wsr__rng_uniform(rng) - 1;
}

// Three corners of a square in the middle move by at most `reach` each.
static affine draw_map(wsr__canvas *canvas, double reach)
{
    const int64_t h = canvas->shape.h;
    const int64_t w = canvas->shape.w;
    const int64_t third = (h < w ? h : w) / 3;
    const int64_t column = w / 2;
    const int64_t row = h / 2;
    const double side = (double)third;
    const double x = (double)column;
    const double y = (double)row;
    const point q[3] = {
        {x + side, y + side}, {x + side, y - side}, {x - side, y - side}};
    point p[3];
    for (size_t i = 0; i < 3; i++) {
        p[i].x = q[i].x + reach * signed_uniform(&canvas->rng);
        p[i].y = q[i].y + reach * signed_uniform(&canvas->rng);
    }
    return map_of(p, q);
}

// Smooth noise of one direction. `other` is a plane for smoothing.
static void draw_shift(double *shift, double *other, wsr__canvas *canvas,
                       const double *level)
{
    const wsr__image plane = {1, canvas->shape.h, canvas->shape.w};
    const wsr__gauss gauss = {level[1], 3, WSR__BORDER_MIRROR};
    const int64_t pixels = plane.h * plane.w;
    for (int64_t i = 0; i < pixels; i++) {
        shift[i] = signed_uniform(&canvas->rng);
    }
    wsr__smooth(shift, plane, &gauss, other);
    for (int64_t i = 0; i < pixels; i++) {
        shift[i] *= level[0];
    }
}

static void map_plane(double *dst, const double *src, wsr__image shape,
                      const affine *m)
{
    for (int64_t y = 0; y < shape.h; y++) {
        for (int64_t x = 0; x < shape.w; x++) {
            const double right = (double)x;
            const double below = (double)y;
            *dst++ =
                sample(src, shape,
                       m->origin.y + m->along.y * right + m->down.y * below,
                       m->origin.x + m->along.x * right + m->down.x * below,
                       WSR__BORDER_REFLECT);
        }
    }
}

static void shift_plane(double *dst, const double *src, wsr__image shape,
                        const double *dy, const double *dx)
{
    for (int64_t y = 0; y < shape.h; y++) {
        for (int64_t x = 0; x < shape.w; x++) {
            *dst++ = sample(src, shape, (double)y + *dy++, (double)x + *dx++,
                            WSR__BORDER_MIRROR);
        }
    }
}

static void apply(wsr__canvas *canvas, const double *level)
{
    const wsr__image shape = canvas->shape;
    const int64_t pixels = shape.h * shape.w;
    double *const copy = canvas->spare;
    double *const dx = copy + pixels;
    double *const dy = dx + pixels;
    const affine m = draw_map(canvas, level[2]);
    draw_shift(dx, dy + pixels, canvas, level);
    draw_shift(dy, dy + pixels, canvas, level);
    for (int64_t c = 0; c < shape.c; c++) {
        double *const x = canvas->x + c * pixels;
        map_plane(copy, x, shape, &m);
        shift_plane(x, copy, shape, dy, dx);
    }
}

const wsr__corruption_class wsr__corruption_elastic_transform = {
    .super = {.name = "elastic_transform",
              .summary = "move pixels by a random smooth field",
              .reference = "Hendrycks and Dietterich 2019, arXiv:1903.12261"},
    .group = "digital",
    .levels = levels[0][0],
    .width = 3,
    .spare = spare,
    .apply = apply,
};
