// SPDX-License-Identifier: Apache-2.0
//
// JPEG compression at a low quality. The image goes to lightness and two
// colours, the colours to half the side, and all through the quantised cosine
// transform (jpeg_block.c) and back. The steps round as libjpeg-turbo with its
// defaults does, which Pillow uses: 4:2:0, accurate transform, smooth
// enlargement of the colours. A grey image has lightness alone.

#include "corrupt/corrupt.h"

#include <math.h>

static const double levels[WSR__SCALES][WSR__SEVERITIES] = {
    {80, 65, 58, 50, 40}, {25, 18, 15, 10, 7}}; // quality

// Sides of a plane in samples, and as a multiple of the 16 of a block of
// colour.
static int64_t padded(int64_t n)
{
    return (n + 15) / 16 * 16;
}

static int64_t half(int64_t n)
{
    return (n + 1) / 2;
}

// Four planes of whole numbers: three colours and a fourth for two small ones.
static size_t spare(wsr__image shape)
{
    const size_t samples = (size_t)(padded(shape.h) * padded(shape.w));
    return 4 * samples * sizeof(int32_t) / sizeof(double) + 1;
}

// A plane of samples in memory of (rows, stride).
typedef struct plane {
    int32_t *at;
    int64_t h;
    int64_t w;
    int64_t rows;
    int64_t stride;
} plane;

// Colours in 16 bits after the point.
static void to_ycc(int32_t *y, int32_t *b, int32_t *r, const int32_t rgb[3])
{
    enum { ONE_HALF = 1 << 15, MIDDLE = 128 << 16 };
    *y = (19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + ONE_HALF) >> 16;
    *b = (-11059 * rgb[0] - 21709 * rgb[1] + 32768 * rgb[2] + MIDDLE +
          ONE_HALF - 1) >>
         16;
    *r = (32768 * rgb[0] - 27439 * rgb[1] - 5329 * rgb[2] + MIDDLE + ONE_HALF -
          1) >>
         16;
}

// x / 2^16, rounded; x may be negative.
static int32_t rounded(int32_t x)
{
    const int32_t far = INT32_C(512) << 16; // below all x
    return ((x + far + (1 << 15)) >> 16) - 512;
}

static void from_ycc(int32_t rgb[3], int32_t y, int32_t b, int32_t r)
{
    rgb[0] = wsr__jpeg_byte(y + rounded(91881 * (r - 128)));
    rgb[1] =
        wsr__jpeg_byte(y + rounded(-22554 * (b - 128) - 46802 * (r - 128)));
    rgb[2] = wsr__jpeg_byte(y + rounded(116130 * (b - 128)));
}

// Repeat the last column and the last row to the end of the memory.
static void pad(plane *p)
{
    for (int64_t y = 0; y < p->rows; y++) {
        int32_t *const row = p->at + y * p->stride;
        const int32_t *const from = y < p->h ? row : row - p->stride;
        for (int64_t x = 0; x < p->stride; x++) {
            row[x] = x < p->w || y >= p->h ? from[x] : row[p->w - 1];
        }
    }
}

// Means of 2 x 2 samples of a padded plane; halves round down and up in turns.
static void reduce(plane *dst, const plane *src)
{
    for (int64_t y = 0; y < dst->h; y++) {
        const int32_t *const a = src->at + 2 * y * src->stride;
        const int32_t *const b = a + src->stride;
        for (int64_t x = 0; x < dst->stride; x++) {
            dst->at[y * dst->stride + x] = (a[2 * x] + a[2 * x + 1] + b[2 * x] +
                                            b[2 * x + 1] + 1 + (int32_t)x % 2) /
                                           4;
        }
    }
}

// A sample of twice the size: 3/4 of the nearest and 1/4 of the next one, in
// both directions. Halves round up and down in turns.
static int32_t enlarged(const plane *src, int64_t y, int64_t x)
{
    const int64_t y0 = y / 2;
    const int64_t x0 = x / 2;
    if (src->w <= 2) {
        return src->at[y0 * src->stride + x0]; // as libjpeg does
    }
    const int64_t y1 = wsr__border_index(y0 + (y % 2 == 0 ? -1 : 1), src->h,
                                         WSR__BORDER_REPEAT);
    const int64_t x1 = wsr__border_index(x0 + (x % 2 == 0 ? -1 : 1), src->w,
                                         WSR__BORDER_REPEAT);
    const int32_t *const a = src->at + y0 * src->stride;
    const int32_t *const b = src->at + y1 * src->stride;
    const int32_t near = 3 * a[x0] + b[x0];
    const int32_t far = 3 * a[x1] + b[x1];
    return (3 * near + far + (x % 2 == 0 ? 8 : 7)) / 16;
}

// The planes of an image in spare memory: lightness, colours, and the colours
// at half the side.
typedef struct planes {
    plane full[3];
    plane small[2];
} planes;

static planes planes_of(wsr__canvas *canvas)
{
    planes p;
    const wsr__image shape = canvas->shape;
    const int64_t rows = padded(shape.h);
    const int64_t stride = padded(shape.w);
    int32_t *at = (int32_t *)(void *)canvas->spare;
    for (size_t i = 0; i < 3; i++) {
        p.full[i] = (plane){at, shape.h, shape.w, rows, stride};
        at += rows * stride;
    }
    for (size_t i = 0; i < 2; i++) {
        p.small[i] =
            (plane){at, half(shape.h), half(shape.w), rows / 2, stride / 2};
        at += rows / 2 * (stride / 2);
    }
    return p;
}

static void load(planes *p, const wsr__canvas *canvas)
{
    const wsr__image shape = canvas->shape;
    const int64_t pixels = shape.h * shape.w;
    for (int64_t i = 0; i < pixels; i++) {
        int32_t v[3] = {0};
        const int64_t k = i / shape.w * p->full[0].stride + i % shape.w;
        for (int64_t c = 0; c < shape.c; c++) {
            v[c] = (int32_t)rint(255 * canvas->x[c * pixels + i]);
        }
        p->full[0].at[k] = v[0];
        if (shape.c == 3) {
            to_ycc(p->full[0].at + k, p->full[1].at + k, p->full[2].at + k, v);
        }
    }
}

static void store(wsr__canvas *canvas, const planes *p)
{
    const wsr__image shape = canvas->shape;
    const int64_t pixels = shape.h * shape.w;
    for (int64_t i = 0; i < pixels; i++) {
        const int64_t y = i / shape.w;
        const int64_t x = i % shape.w;
        int32_t v[3] = {p->full[0].at[y * p->full[0].stride + x]};
        if (shape.c == 3) {
            from_ycc(v, v[0], enlarged(&p->small[0], y, x),
                     enlarged(&p->small[1], y, x));
        }
        for (int64_t c = 0; c < shape.c; c++) {
            canvas->x[c * pixels + i] = (double)v[c] / 255;
        }
    }
}

static void apply(wsr__canvas *canvas, const double *level)
{
    const int quality = (int)level[0];
    planes p = planes_of(canvas);
    int32_t table[64];
    load(&p, canvas);
    wsr__jpeg_table(table, false, quality);
    pad(&p.full[0]);
    wsr__jpeg_plane(p.full[0].at, p.full[0].rows, p.full[0].stride, table);
    wsr__jpeg_table(table, true, quality);
    for (size_t i = 0; i < 2 && canvas->shape.c == 3; i++) {
        plane *const small = &p.small[i];
        pad(&p.full[1 + i]);
        reduce(small, &p.full[1 + i]);
        // All columns are there by now; the rows below are repeated.
        plane wide = *small;
        wide.w = wide.stride;
        pad(&wide);
        wsr__jpeg_plane(small->at, small->rows, small->stride, table);
    }
    store(canvas, &p);
}

const wsr__corruption_class wsr__corruption_jpeg_compression = {
    .super = {.name = "jpeg_compression",
              .summary = "JPEG compression at a low quality",
              .reference = "Hendrycks and Dietterich 2019, arXiv:1903.12261"},
    .group = "digital",
    .levels = levels[0],
    .width = 1,
    .spare = spare,
    .apply = apply,
};
