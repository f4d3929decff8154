// SPDX-License-Identifier: Apache-2.0

#include "augment/bitmap_support.h"

#include <math.h>

// The spread of one white pixel in the middle, in x and in y.
static void spread(double *across, double *down, const wsr__bitmap *image)
{
    const int64_t side = image->shape.w;
    double sum = 0;
    *across = 0;
    *down = 0;
    for (int64_t i = 0; i < side * side; i++) {
        const int64_t dx = i % side - side / 2;
        const int64_t dy = i / side - side / 2;
        const double v = image->bytes[i];
        sum += v;
        *across += v * (double)(dx * dx);
        *down += v * (double)(dy * dy);
    }
    *across = sqrt(*across / sum);
    *down = sqrt(*down / sum);
}

static void white_square(wsr__bitmap *image, int64_t side)
{
    bitmap_make(image, (wsr__image){1, 61, 61}, NOISE);
    memset(image->bytes, 0, 61 * 61);
    for (int64_t y = 0; y < side; y++) {
        memset(image->bytes + (30 - side / 2 + y) * 61 + 30 - side / 2, 255,
               (size_t)side);
    }
}

// A square of 15 has the variance (15^2 - 1) / 12, to which a blur adds
// sigma^2.
START_TEST(the_variance_grows_by_sigma_squared)
{
    static const double sigmas[] = {0.75, 1.5, 2, 4};
    for (size_t i = 0; i < 4; i++) {
        char spec[64];
        wsr__bitmap image = {0};
        double across;
        double down;
        white_square(&image, 15);
        (void)snprintf(spec, sizeof(spec), "gaussian_blur:p=1,sigma=%g",
                       sigmas[i]);
        ck_assert_ok(bitmap_augment(&image, spec, 0));
        spread(&across, &down, &image);
        const double want = sqrt((15 * 15 - 1) / 12.0 + sigmas[i] * sigmas[i]);
        ck_assert_double_eq_tol(across, want, 0.03 * want);
        ck_assert_double_eq_tol(down, across, 0.01 * want);
        wsr__bitmap_free(&image);
    }
}
END_TEST

START_TEST(sigma_fills_its_range)
{
    double least = 100;
    double most = 0;
    for (uint32_t sample = 0; sample < 300; sample++) {
        wsr__bitmap image = {0};
        double across;
        double down;
        white_square(&image, 15);
        ck_assert_ok(
            bitmap_augment(&image, "gaussian_blur:p=1,sigma=[1,5]", sample));
        spread(&across, &down, &image);
        const double sigma = sqrt(across * across - (15 * 15 - 1) / 12.0);
        least = fmin(least, sigma);
        most = fmax(most, sigma);
        wsr__bitmap_free(&image);
    }
    ck_assert_double_eq_tol(least, 1, 0.2);
    ck_assert_double_eq_tol(most, 5, 0.2);
}
END_TEST

START_TEST(half_of_the_images_are_blurred_and_flat_ones_stay)
{
    size_t changed = 0;
    for (uint32_t sample = 0; sample < 1000; sample++) {
        wsr__bitmap image = {0};
        bitmap_make(&image, (wsr__image){3, 6, 5}, NOISE);
        const uint64_t before = bitmap_hash(&image);
        ck_assert_ok(
            bitmap_augment(&image, "gaussian_blur:sigma=[1,2]", sample));
        changed += bitmap_hash(&image) != before;
        memset(image.bytes, 77, 90);
        ck_assert_ok(
            bitmap_augment(&image, "gaussian_blur:p=1,sigma=[0,50]", sample));
        for (size_t i = 0; i < 90; i++) {
            ck_assert_uint_eq(image.bytes[i], 77);
        }
        wsr__bitmap_free(&image);
    }
    ck_assert_uint_gt(changed, 430); // 500 +- 16
    ck_assert_uint_lt(changed, 570);
}
END_TEST

START_TEST(ranges_that_are_none_are_refused)
{
    wsr__bitmap image = {0};
    bitmap_make(&image, (wsr__image){3, 6, 5}, NOISE);
    ck_assert_fails(bitmap_augment(&image, "gaussian_blur:sigma=[2,1]", 0),
                    WSR_CONFIG, "augment.gaussian_blur.sigma: 2 is above 1");
    ck_assert_fails(bitmap_augment(&image, "gaussian_blur:sigma=[1,2,3]", 0),
                    WSR_CONFIG, "gaussian_blur.sigma: 3 values");
    ck_assert_fails(bitmap_augment(&image, "gaussian_blur:sigma=[]", 0),
                    WSR_CONFIG, "gaussian_blur.sigma: 0 values");
    ck_assert_fails(bitmap_augment(&image, "gaussian_blur:sigma=-1", 0),
                    WSR_CONFIG, "outside [0, 1000]");
    wsr__bitmap_free(&image);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_variance_grows_by_sigma_squared,
        sigma_fills_its_range,
        half_of_the_images_are_blurred_and_flat_ones_stay,
        ranges_that_are_none_are_refused,
        NULL,
    };
    return suite_of("gaussian blur", tests);
}
