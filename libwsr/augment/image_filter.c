// SPDX-License-Identifier: Apache-2.0
//
// Filters as Pillow has them.
//
// A Gaussian blur is three box blurs in each direction (Gwosdek, Grewenig,
// Bruhn and Weickert 2011, "Theoretical foundations of Gaussian convolution by
// extended box filtering"): a window of 2 r + 1 pixels counts in full and one
// more on each side by a fraction, so that the variance is right for any sigma.
// Windows are running sums, so the cost does not depend on sigma; beyond the
// border the border pixel repeats. Each pass rounds to bytes.
//
// Sharpness blends with a 3x3 mean whose centre counts five times.

#include "augment/image_ops.h"

#include <math.h>
#include <string.h>

enum {
    PASSES = 3,
    STRIP = 64 // columns whose sums are kept at once
};

// ----------------------------------------------------------------- sharpness

// The smoothed value of an inner pixel: (sum of 3x3 + 4 centre) / 13, rounded.
static int smoothed(const unsigned char *p, int64_t w)
{
    const int above = p[-w - 1] + p[-w] + p[-w + 1];
    const int beside = p[-1] + 5 * p[0] + p[1];
    const int below = p[w - 1] + p[w] + p[w + 1];
    return (2 * (above + beside + below) + 13) / 26;
}

// The border is not smoothed, and neither is an image that has nothing else.
wsr_status wsr__image_sharpness(wsr__bitmap *image, double argument,
                                const wsr__border *border)
{
    wsr_status status = WSR_OK;
    const wsr__image shape = image->shape;
    const float factor = (float)argument;
    (void)border;
    if (shape.h < 3 || shape.w < 3) {
        return WSR_OK;
    }
    WSR_TRY(wsr__bitmap_reserve(image, shape));
    memcpy(image->spare, image->bytes, (size_t)wsr__image_floats(shape));
    for (int64_t c = 0; c < shape.c; c++) {
        for (int64_t y = 1; y < shape.h - 1; y++) {
            const int64_t at = (c * shape.h + y) * shape.w;
            const unsigned char *const from = image->bytes + at;
            unsigned char *const to = image->spare + at;
            for (int64_t x = 1; x < shape.w - 1; x++) {
                to[x] = wsr__image_blend(smoothed(from + x, shape.w), from[x],
                                         factor);
            }
        }
    }
    wsr__bitmap_swap(image, shape);
out:
    return status;
}

// ---------------------------------------------------------------------- blur

// A box of 2 radius + 1 pixels of weight `inner` and two of weight `outer`;
// the weights are in units of 2^-24.
typedef struct box {
    int64_t radius;
    uint32_t inner;
    uint32_t outer;
} box;

// Single precision throughout, as in Pillow, apart from what its C promotes.
static box box_of(float sigma)
{
    const float variance = sigma * sigma / (float)PASSES;
    const float length = (float)sqrt(12.0 * (double)variance + 1.0);
    const float whole = (float)floor(((double)length - 1.0) / 2.0);
    float part = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
    part /= 6 * (variance - (whole + 1) * (whole + 1));
    const float radius = whole + part;
    box b = {.radius = (int64_t)radius};
    b.inner = (uint32_t)((float)(1 << 24) / (radius * 2 + 1));
    b.outer = ((1u << 24) - (uint32_t)(b.radius * 2 + 1) * b.inner) / 2;
    return b;
}

static int64_t inside(int64_t i, int64_t n)
{
    return i < 0 ? 0 : i < n ? i : n - 1;
}

static unsigned char weighted(const box *b, uint32_t sum, uint32_t outside)
{
    return (unsigned char)((sum * b->inner + outside * b->outer + (1u << 23)) >>
                           24);
}

// One pass over a row. `sum` is of the window around the pixel before x; the
// places in the middle of a row need not be clipped.
static void blur_row(unsigned char *restrict dst,
                     const unsigned char *restrict src, int64_t n, const box *b)
{
    const int64_t r = b->radius;
    uint32_t sum = 0;
    int64_t x = 0;
    for (int64_t i = -r - 1; i < r; i++) {
        sum += src[inside(i, n)];
    }
    for (; x < n && x <= r; x++) {
        const uint32_t left = src[0];
        sum += src[inside(x + r, n)] - left;
        dst[x] = weighted(b, sum, left + src[inside(x + r + 1, n)]);
    }
    for (; x < n - r - 1; x++) {
        const uint32_t left = src[x - r - 1];
        sum += src[x + r] - left;
        dst[x] = weighted(b, sum, left + src[x + r + 1]);
    }
    for (; x < n; x++) {
        const uint32_t left = src[x - r - 1];
        sum += src[n - 1] - left;
        dst[x] = weighted(b, sum, left + src[n - 1]);
    }
}

static void blur_rows(unsigned char *restrict dst,
                      const unsigned char *restrict src, wsr__image shape,
                      const box *b)
{
    for (int64_t row = 0; row < shape.c * shape.h; row++) {
        blur_row(dst + row * shape.w, src + row * shape.w, shape.w, b);
    }
}

// One pass down a plane of h rows, w bytes apart, for `n` columns at once.
static void blur_strip(unsigned char *restrict dst,
                       const unsigned char *restrict src, int64_t h, int64_t w,
                       int64_t n, const box *b)
{
    const int64_t r = b->radius;
    uint32_t sums[STRIP] = {0};
    for (int64_t i = -r - 1; i < r; i++) {
        const unsigned char *const row = src + inside(i, h) * w;
        for (int64_t x = 0; x < n; x++) {
            sums[x] += row[x];
        }
    }
    for (int64_t y = 0; y < h; y++) {
        const unsigned char *const above = src + inside(y - r - 1, h) * w;
        const unsigned char *const last = src + inside(y + r, h) * w;
        const unsigned char *const below = src + inside(y + r + 1, h) * w;
        unsigned char *const to = dst + y * w;
        for (int64_t x = 0; x < n; x++) {
            const uint32_t left = above[x];
            sums[x] += last[x] - left;
            to[x] = weighted(b, sums[x], left + below[x]);
        }
    }
}

static void blur_columns(unsigned char *restrict dst,
                         const unsigned char *restrict src, wsr__image shape,
                         const box *b)
{
    for (int64_t c = 0; c < shape.c; c++) {
        const int64_t plane = c * shape.h * shape.w;
        for (int64_t x = 0; x < shape.w; x += STRIP) {
            const int64_t left = shape.w - x;
            blur_strip(dst + plane + x, src + plane + x, shape.h, shape.w,
                       left < STRIP ? left : STRIP, b);
        }
    }
}

wsr_status wsr__image_blur(wsr__bitmap *image, double argument,
                           const wsr__border *border)
{
    static void (*const directions[])(unsigned char *restrict,
                                      const unsigned char *restrict, wsr__image,
                                      const box *) = {blur_rows, blur_columns};
    wsr_status status = WSR_OK;
    const wsr__image shape = image->shape;
    const box b = box_of((float)argument);
    (void)border;
    WSR_TRY(wsr__bitmap_reserve(image, shape));
    for (size_t pass = 0; pass < 2 * PASSES; pass++) {
        directions[pass / PASSES](image->spare, image->bytes, shape, &b);
        wsr__bitmap_swap(image, shape);
        // The buffer that was the image has room for it.
    }
out:
    return status;
}
