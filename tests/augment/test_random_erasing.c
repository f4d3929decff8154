// SPDX-License-Identifier: Apache-2.0

#include "augment/augment.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

enum { C = 3, H = 20, W = 30, PLANE = H * W, FLOATS = C * PLANE };

#define KEPT 0.5f // what the image holds

static wsr_status erase(float *dst, const char *spec, uint32_t sample)
{
    static float src[FLOATS];
    const wsr__image image = {C, H, W};
    wsr_status status = WSR_OK;
    const wsr__class *cls;
    void *params = NULL;
    wsr__image out;
    wsr__rng rng = wsr__rng_at(5, WSR__RNG_AUGMENT, 2, sample);
    for (size_t i = 0; i < FLOATS; i++) {
        src[i] = KEPT;
    }
    WSR_TRY(wsr__class_spec(&cls, &params, &wsr__augments, spec));
    WSR_TRY(wsr__augment_random_erasing.infer(&out, params, image));
    wsr__augment_random_erasing.apply(dst, src, image, params, &rng);
out:
    wsr__free(params);
    return status;
}

typedef struct rectangle {
    int64_t top, left, h, w;
} rectangle;

// The hole of channel 0, which all channels must have and which must be a
// rectangle. False when there is none.
static bool find_hole(rectangle *out, const float *image)
{
    int64_t bottom = -1;
    int64_t right = -1;
    *out = (rectangle){H, W, 0, 0};
    for (int64_t i = 0; i < PLANE; i++) {
        if (image[i] == KEPT) {
            continue;
        }
        out->top = i / W < out->top ? i / W : out->top;
        out->left = i % W < out->left ? i % W : out->left;
        bottom = i / W > bottom ? i / W : bottom;
        right = i % W > right ? i % W : right;
    }
    out->h = bottom - out->top + 1;
    out->w = right - out->left + 1;
    bool rectangular = true;
    for (int64_t i = 0; i < FLOATS; i++) {
        const int64_t y = i % PLANE / W;
        const int64_t x = i % W;
        const bool erased = y >= out->top && y <= bottom && x >= out->left &&
                            x <= right;
        rectangular = rectangular && erased == (image[i] != KEPT);
    }
    ck_assert(rectangular);
    return bottom >= 0;
}

START_TEST(holes_have_the_area_the_shape_and_the_places_they_should)
{
    size_t holes = 0;
    double area = 0;
    double log_ratio = 0;
    bool top = false, left = false, bottom = false, right = false;
    for (uint32_t sample = 0; sample < 4000; sample++) {
        float image[FLOATS];
        rectangle hole;
        ck_assert_ok(erase(image, "random_erasing", sample));
        if (!find_hole(&hole, image)) {
            continue;
        }
        holes++;
        const double share = (double)(hole.h * hole.w) / PLANE;
        ck_assert_double_gt(share, 0.01); // sides are rounded
        ck_assert_double_lt(share, 0.36);
        area += share;
        log_ratio += log((double)hole.h / (double)hole.w);
        top = top || hole.top == 0;
        left = left || hole.left == 0;
        bottom = bottom || hole.top + hole.h == H;
        right = right || hole.left + hole.w == W;
    }
    ck_assert(top && left && bottom && right);
    ck_assert_uint_gt(holes, 1880); // 2000 +- 32
    ck_assert_uint_lt(holes, 2120);
    // Tall holes of large area do not fit, so both means are a little low.
    ck_assert_double_eq_tol(area / (double)holes, 0.17, 0.015);
    ck_assert_double_eq_tol(log_ratio / (double)holes, -0.05, 0.1);
}
END_TEST

START_TEST(one_value_fixes_area_and_shape)
{
    for (uint32_t sample = 0; sample < 100; sample++) {
        float image[FLOATS];
        rectangle hole;
        ck_assert_ok(
            erase(image, "random_erasing:p=1,scale=60/600,ratio=10/6", sample));
        ck_assert(find_hole(&hole, image));
        ck_assert_int_eq(hole.h, 10);
        ck_assert_int_eq(hole.w, 6);
    }
}
END_TEST

START_TEST(a_hole_that_never_fits_leaves_the_image)
{
    float image[FLOATS];
    rectangle hole;
    ck_assert_ok(erase(image, "random_erasing:p=1,scale=1,ratio=1", 0));
    ck_assert(!find_hole(&hole, image));
}
END_TEST

// Mean and deviation of the erased values of a channel, over many images.
static void moments(double mean[C], double std[C], size_t n[C],
                    const char *spec)
{
    double sum[C] = {0};
    double squares[C] = {0};
    for (uint32_t sample = 0; sample < 1500; sample++) {
        float image[FLOATS];
        ck_assert_ok(erase(image, spec, sample));
        for (size_t i = 0; i < FLOATS; i++) {
            if (image[i] != KEPT) {
                sum[i / PLANE] += (double)image[i];
                squares[i / PLANE] += (double)image[i] * (double)image[i];
                n[i / PLANE]++;
            }
        }
    }
    for (size_t c = 0; c < C; c++) {
        mean[c] = sum[c] / (double)n[c];
        std[c] = sqrt(squares[c] / (double)n[c] - mean[c] * mean[c]);
    }
}

START_TEST(noise_of_pixels_has_the_mean_and_deviation_of_its_channel)
{
    double mean[C];
    double std[C];
    size_t n[C] = {0};
    moments(mean, std, n,
            "random_erasing:p=1,mode=pixel,mean=[0.1,0.2,0.3],std=[1,2,3]");
    for (size_t c = 0; c < C; c++) {
        const double want = (double)c + 1;
        ck_assert_uint_gt(n[c], 100000);
        ck_assert_double_eq_tol(mean[c], want / 10, 0.02 * want);
        ck_assert_double_eq_tol(std[c], want, 0.02 * want);
    }
}
END_TEST

START_TEST(noise_of_channels_is_one_value_for_each)
{
    double mean[C];
    double std[C];
    size_t n[C] = {0};
    for (uint32_t sample = 0; sample < 50; sample++) {
        float image[FLOATS];
        rectangle hole;
        ck_assert_ok(erase(image, "random_erasing:p=1,mode=channel", sample));
        ck_assert(find_hole(&hole, image));
        for (int64_t i = 0; i < FLOATS; i++) {
            const int64_t first = i / PLANE * PLANE + hole.top * W + hole.left;
            ck_assert(image[i] == KEPT || image[i] == image[first]);
        }
        ck_assert(image[hole.top * W + hole.left] !=
                  image[PLANE + hole.top * W + hole.left]);
    }
    moments(mean, std, n, "random_erasing:p=1,mode=channel,mean=4,std=0.5");
    for (size_t c = 0; c < C; c++) {
        ck_assert_double_eq_tol(mean[c], 4, 0.08);
        ck_assert_double_eq_tol(std[c], 0.5, 0.06);
    }
}
END_TEST

START_TEST(zero_is_the_mean)
{
    float image[FLOATS];
    rectangle hole;
    ck_assert_ok(erase(image, "random_erasing:p=1,mean=[0.25,1,2]", 3));
    ck_assert(find_hole(&hole, image));
    const int64_t at = hole.top * W + hole.left;
    ck_assert(image[at] == 0.25f);
    ck_assert(image[PLANE + at] == 1.0f);
    ck_assert(image[2 * PLANE + at] == 2.0f);
}
END_TEST

START_TEST(lists_that_do_not_fit_are_refused)
{
    float image[FLOATS];
    ck_assert_fails(erase(image, "random_erasing:scale=[0.5,0.2]", 0),
                    WSR_CONFIG, "random_erasing.scale: 0.5 is above 0.2");
    ck_assert_fails(erase(image, "random_erasing:ratio=[1,2,3]", 0), WSR_CONFIG,
                    "random_erasing.ratio: 3 values");
    ck_assert_fails(erase(image, "random_erasing:ratio=0", 0), WSR_CONFIG,
                    "outside [0.001, 1000]");
    ck_assert_fails(erase(image, "random_erasing:mean=[1,2]", 0), WSR_CONFIG,
                    "random_erasing.mean: 2 values for images of 3 channels");
    ck_assert_fails(erase(image, "random_erasing:std=[]", 0), WSR_CONFIG,
                    "random_erasing.std: 0 values");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        holes_have_the_area_the_shape_and_the_places_they_should,
        one_value_fixes_area_and_shape,
        a_hole_that_never_fits_leaves_the_image,
        noise_of_pixels_has_the_mean_and_deviation_of_its_channel,
        noise_of_channels_is_one_value_for_each,
        zero_is_the_mean,
        lists_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("random erasing", tests);
}
