// SPDX-License-Identifier: Apache-2.0
//
// Resizing of images of bytes, bit for bit as Pillow's Image.resize() with
// BILINEAR or BICUBIC, which torchvision's transforms of Pillow images use: a
// pass along rows, then one along columns. Each pixel is a weighted mean of
// those under the filter, which is as wide as a pixel of the smaller image
// (antialiasing). Weights are rounded to multiples of 2^-22, sums are exact,
// and each pass rounds to bytes.
//
// Bicubic is Keys 1981, "Cubic convolution interpolation for digital image
// processing", with a = -1/2.

#include "augment/augment.h"

#include <math.h>

enum { BITS = 32 - 8 - 2, STRIP = 256 };

const char *const wsr__filter_words[] = {"bilinear", "bicubic", NULL};

wsr__filter wsr__filter_of(const wsr__text *word)
{
    return wsr__streq(word->s, wsr__filter_words[WSR__BICUBIC]) ? WSR__BICUBIC
                                                                : WSR__BILINEAR;
}

static double bilinear(double x)
{
    const double d = fabs(x);
    return d < 1.0 ? 1.0 - d : 0.0;
}

static double bicubic(double x)
{
    const double a = -0.5;
    const double d = fabs(x);
    if (d < 1.0) {
        return ((a + 2.0) * d - (a + 3.0)) * d * d + 1;
    }
    return d < 2.0 ? (((d - 5) * d + 8) * d - 4) * a : 0.0;
}

typedef struct kernel {
    double (*weight)(double x);
    double support; // pixels on either side
} kernel;

static const kernel kernels[] = {
    [WSR__BILINEAR] = {bilinear, 1.0},
    [WSR__BICUBIC] = {bicubic, 2.0},
};

// The weights of one axis: pixel i of the result is the sum over k < n[i] of
// weights[i * most + k] times source pixel first[i] + k.
typedef struct axis {
    int64_t size; // of the result
    int64_t most;
    int32_t *first;
    int32_t *n;
    int32_t *weights;
    double *exact; // of one pixel
} axis;

static void free_axis(axis *a)
{
    wsr__free(a->first);
    wsr__free(a->n);
    wsr__free(a->weights);
    wsr__free(a->exact);
}

// Pillow's order of operations; half a unit is added away from zero and the
// conversion truncates.
static void weigh(axis *a, int64_t i, int64_t in, const kernel *k)
{
    const double scale = (double)in / (double)a->size;
    const double wide = scale < 1.0 ? 1.0 : scale;
    const double support = k->support * wide;
    const double centre = ((double)i + 0.5) * scale;
    const double inverse = 1.0 / wide;
    const int64_t low = (int64_t)(centre - support + 0.5);
    const int64_t high = (int64_t)(centre + support + 0.5);
    const int64_t first = low > 0 ? low : 0;
    const int64_t n = (high < in ? high : in) - first;
    int32_t *const to = a->weights + i * a->most;
    double sum = 0.0;
    for (int64_t x = 0; x < n; x++) {
        a->exact[x] = k->weight(((double)(x + first) - centre + 0.5) * inverse);
        sum += a->exact[x];
    }
    for (int64_t x = 0; x < n; x++) {
        const double w = sum != 0.0 ? a->exact[x] / sum : a->exact[x];
        to[x] = (int32_t)((w < 0 ? -0.5 : 0.5) + w * (1 << BITS));
    }
    a->first[i] = (int32_t)first;
    a->n[i] = (int32_t)n;
}

static wsr_status make_axis(axis *a, int64_t in, int64_t size, const kernel *k)
{
    const double scale = (double)in / (double)size;
    const double support = k->support * (scale < 1.0 ? 1.0 : scale);
    *a = (axis){.size = size, .most = (int64_t)ceil(support) * 2 + 1};
    a->first = wsr__alloc_raw((size_t)size, sizeof(*a->first));
    a->n = wsr__alloc_raw((size_t)size, sizeof(*a->n));
    a->weights = wsr__alloc_raw((size_t)(size * a->most), sizeof(*a->weights));
    a->exact = wsr__alloc_raw((size_t)a->most, sizeof(*a->exact));
    if (a->first == NULL || a->n == NULL || a->weights == NULL ||
        a->exact == NULL) {
        return WSR_NOMEM;
    }
    for (int64_t i = 0; i < size; i++) {
        weigh(a, i, in, k);
    }
    return WSR_OK;
}

static unsigned char clip(int32_t sum)
{
    const int32_t v = sum >> BITS;
    return (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v);
}

// One row.
static void resize_row(unsigned char *restrict dst,
                       const unsigned char *restrict src, const axis *a)
{
    for (int64_t x = 0; x < a->size; x++) {
        const unsigned char *const from = src + a->first[x];
        const int32_t *const w = a->weights + x * a->most;
        int32_t sum = 1 << (BITS - 1);
        for (int32_t k = 0; k < a->n[x]; k++) {
            sum += from[k] * w[k];
        }
        dst[x] = clip(sum);
    }
}

// Four rows that lie `w` apart: a pixel has few weights, so several sums at
// once keep the processor busy.
static void resize_four_rows(unsigned char *restrict dst,
                             const unsigned char *restrict src, int64_t w,
                             const axis *a)
{
    for (int64_t x = 0; x < a->size; x++) {
        const unsigned char *const from = src + a->first[x];
        const int32_t *const weights = a->weights + x * a->most;
        int32_t s0 = 1 << (BITS - 1);
        int32_t s1 = s0;
        int32_t s2 = s0;
        int32_t s3 = s0;
        for (int32_t k = 0; k < a->n[x]; k++) {
            s0 += from[k] * weights[k];
            s1 += from[w + k] * weights[k];
            s2 += from[2 * w + k] * weights[k];
            s3 += from[3 * w + k] * weights[k];
        }
        dst[x] = clip(s0);
        dst[a->size + x] = clip(s1);
        dst[2 * a->size + x] = clip(s2);
        dst[3 * a->size + x] = clip(s3);
    }
}

// One row of the result from rows that lie `w` apart, a strip of columns at a
// time: the sums of a strip stay in the first cache.
WSR__WIDE static void mix_rows(unsigned char *restrict dst,
                               const unsigned char *restrict src, int64_t w,
                               const int32_t *restrict weights, int64_t n)
{
    int32_t sums[STRIP];
    for (int64_t x0 = 0; x0 < w; x0 += STRIP) {
        const int64_t m = w - x0 < STRIP ? w - x0 : STRIP;
        for (int64_t x = 0; x < m; x++) {
            sums[x] = 1 << (BITS - 1);
        }
        for (int64_t k = 0; k < n; k++) {
            const unsigned char *const from = src + k * w + x0;
            for (int64_t x = 0; x < m; x++) {
                sums[x] += from[x] * weights[k];
            }
        }
        for (int64_t x = 0; x < m; x++) {
            dst[x0 + x] = clip(sums[x]);
        }
    }
}

static wsr_status resize_rows(wsr__bitmap *bitmap, int64_t w, const kernel *k)
{
    wsr_status status = WSR_OK;
    const wsr__image in = bitmap->shape;
    const wsr__image out = {in.c, in.h, w};
    axis a = {0};
    if (w == in.w) {
        return WSR_OK;
    }
    WSR_TRY(make_axis(&a, in.w, w, k));
    WSR_TRY(wsr__bitmap_reserve(bitmap, out));
    int64_t y = 0;
    for (; y + 4 <= in.c * in.h; y += 4) {
        resize_four_rows(bitmap->spare + y * w, bitmap->bytes + y * in.w, in.w,
                         &a);
    }
    for (; y < in.c * in.h; y++) {
        resize_row(bitmap->spare + y * w, bitmap->bytes + y * in.w, &a);
    }
    wsr__bitmap_swap(bitmap, out);
out:
    free_axis(&a);
    return status;
}

static wsr_status resize_columns(wsr__bitmap *bitmap, int64_t h,
                                 const kernel *k)
{
    wsr_status status = WSR_OK;
    const wsr__image in = bitmap->shape;
    const wsr__image out = {in.c, h, in.w};
    axis a = {0};
    if (h == in.h) {
        return WSR_OK;
    }
    WSR_TRY(make_axis(&a, in.h, h, k));
    WSR_TRY(wsr__bitmap_reserve(bitmap, out));
    for (int64_t c = 0; c < in.c; c++) {
        for (int64_t y = 0; y < h; y++) {
            mix_rows(bitmap->spare + (c * h + y) * in.w,
                     bitmap->bytes + (c * in.h + a.first[y]) * in.w, in.w,
                     a.weights + y * a.most, a.n[y]);
        }
    }
    wsr__bitmap_swap(bitmap, out);
out:
    free_axis(&a);
    return status;
}

// Rows first, as Pillow: each pass rounds, so their order shows. A strip of few
// columns and many rows becomes large in between.
wsr_status wsr__bitmap_resize(wsr__bitmap *bitmap, int64_t h, int64_t w,
                              wsr__filter filter)
{
    wsr_status status = WSR_OK;
    const wsr__image in = bitmap->shape;
    if (in.c * (h > in.h ? h : in.h) > WSR__BITMAP_BYTES / w) {
        return WSR_FAIL(WSR_CONFIG,
                        "an image of %lldx%lld pixels becomes too large with "
                        "%lldx%lld",
                        (long long)in.h, (long long)in.w, (long long)h,
                        (long long)w);
    }
    WSR_TRY(resize_rows(bitmap, w, &kernels[filter]));
    WSR_TRY(resize_columns(bitmap, h, &kernels[filter]));
out:
    return status;
}

wsr_status wsr__bitmap_resize_short(wsr__bitmap *bitmap, int64_t side,
                                    wsr__filter filter)
{
    int64_t h;
    int64_t w;
    wsr__size_short(&h, &w, bitmap->shape, side);
    return wsr__bitmap_resize(bitmap, h, w, filter);
}
