// SPDX-License-Identifier: Apache-2.0
//
// What must hold of a resize whatever the image; golden/golden_images compares
// pixels with Pillow's.

#include "augment/augment.h"
#include "support/oom.h"
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static wsr__bitmap image_of(int64_t h, int64_t w, uint32_t seed)
{
    const wsr__image shape = {3, h, w};
    wsr__bitmap out = {0};
    wsr__rng rng = wsr__rng_at(seed, WSR__RNG_TEST, 0, 0);
    ck_assert_ok(wsr__bitmap_reserve(&out, shape));
    for (int64_t i = 0; i < 3 * h * w; i++) {
        out.spare[i] = (unsigned char)wsr__rng_below(&rng, 256);
    }
    wsr__bitmap_swap(&out, shape);
    return out;
}

static double triangle(double x)
{
    return fabs(x) < 1 ? 1 - fabs(x) : 0;
}

// Pixel i of n from a row of m, in real numbers: a filter of the width of the
// coarser of both grids, normalised.
static double pixel_of(const double *row, int64_t m, int64_t n, int64_t i)
{
    const double scale = (double)m / (double)n;
    const double wide = scale > 1 ? scale : 1;
    double sum = 0;
    double weights = 0;
    for (int64_t k = 0; k < m; k++) {
        const double at = (double)k + 0.5 - ((double)i + 0.5) * scale;
        sum += triangle(at / wide) * row[k];
        weights += triangle(at / wide);
    }
    return sum / weights;
}

// Value i of the image (3, oh, ow) that `in` becomes, in real numbers.
static double value_of(const wsr__bitmap *in, wsr__image out, int64_t i)
{
    const int64_t h = in->shape.h;
    const int64_t w = in->shape.w;
    const unsigned char *const plane = in->bytes + i / (out.h * out.w) * h * w;
    double column[64];
    for (int64_t y = 0; y < h; y++) {
        double row[64];
        for (int64_t x = 0; x < w; x++) {
            row[x] = plane[y * w + x];
        }
        column[y] = pixel_of(row, w, out.w, i % out.w);
    }
    return pixel_of(column, h, out.h, i / out.w % out.h);
}

// Both passes round to bytes, so at most one level off the real value.
START_TEST(pixels_are_weighted_means_over_the_filter)
{
    static const int64_t sizes[][4] = {{9, 7, 4, 3},   {4, 5, 11, 13},
                                       {16, 3, 5, 9},  {1, 6, 4, 2},
                                       {31, 29, 8, 1}, {5, 5, 5, 3}};
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        const int64_t *const d = sizes[s];
        wsr__bitmap in = image_of(d[0], d[1], 1);
        wsr__bitmap out = image_of(d[0], d[1], 1);
        ck_assert_ok(wsr__bitmap_resize(&out, d[2], d[3], WSR__BILINEAR));
        ck_assert_int_eq(out.shape.h, d[2]);
        ck_assert_int_eq(out.shape.w, d[3]);
        for (int64_t i = 0; i < 3 * d[2] * d[3]; i++) {
            const double off = value_of(&in, out.shape, i) - out.bytes[i];
            ck_assert_double_le(fabs(off), 1.01);
        }
        wsr__bitmap_free(&in);
        wsr__bitmap_free(&out);
    }
}
END_TEST

START_TEST(a_plain_image_stays_plain_and_its_own_size_changes_nothing)
{
    for (int f = 0; f < 2; f++) {
        wsr__bitmap plain = image_of(13, 17, 2);
        memset(plain.bytes, 200, 3 * 13 * 17);
        ck_assert_ok(wsr__bitmap_resize(&plain, 7, 40, (wsr__filter)f));
        for (size_t i = 0; i < 3 * 7 * 40; i++) {
            ck_assert_uint_eq(plain.bytes[i], 200);
        }
        wsr__bitmap_free(&plain);
        wsr__bitmap a = image_of(13, 17, 3);
        wsr__bitmap b = image_of(13, 17, 3);
        ck_assert_ok(wsr__bitmap_resize(&a, 13, 17, (wsr__filter)f));
        ck_assert_mem_eq(a.bytes, b.bytes, 3 * 13 * 17);
        wsr__bitmap_free(&a);
        wsr__bitmap_free(&b);
    }
}
END_TEST

START_TEST(the_long_side_truncates_and_a_strip_is_refused)
{
    wsr__bitmap image = image_of(334, 500, 4);
    ck_assert_ok(wsr__bitmap_resize_short(&image, 256, WSR__BILINEAR));
    ck_assert_int_eq(image.shape.h, 256);
    ck_assert_int_eq(image.shape.w, 383);
    wsr__bitmap_free(&image);
    image = image_of(30000, 1, 4);
    ck_assert_fails(wsr__bitmap_resize_short(&image, 224, WSR__BILINEAR),
                    WSR_CONFIG, "too large");
    wsr__bitmap_free(&image);
}
END_TEST

static wsr_status resize(void *ctx)
{
    wsr_status status = WSR_OK;
    wsr__bitmap image = {0};
    const wsr__image shape = {3, 20, 30};
    (void)ctx;
    WSR_TRY(wsr__bitmap_reserve(&image, shape));
    memset(image.spare, 1, 3 * 20 * 30);
    wsr__bitmap_swap(&image, shape);
    WSR_TRY(wsr__bitmap_resize(&image, 40, 17, WSR__BICUBIC));
out:
    wsr__bitmap_free(&image);
    return status;
}

START_TEST(short_memory_leaves_nothing_behind)
{
    ck_assert_uint_gt(oom_sweep(resize, NULL), 8);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        pixels_are_weighted_means_over_the_filter,
        a_plain_image_stays_plain_and_its_own_size_changes_nothing,
        the_long_side_truncates_and_a_strip_is_refused,
        short_memory_leaves_nothing_behind,
        NULL,
    };
    return suite_of("resample", tests);
}
