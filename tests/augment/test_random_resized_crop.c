// SPDX-License-Identifier: Apache-2.0

#include "augment/apply.h"

#include <math.h>

static const wsr__augment_class *const crop = &wsr__augment_random_resized_crop;

// The params of a spec, bound to images of 224 x 224.
static void *params_of(const char *options)
{
    const wsr__view view = {{3, 224, 224}, 256};
    void *params = NULL;
    ck_assert_ok(wsr__class_params(&params, &crop->super, options));
    crop->bind(params, &view);
    return params;
}

enum { SAMPLES = 4000 };

// Area and ratio of uniform draws have known means: a rectangle that does not
// fit is drawn again, so the image is wide and the scale small.
START_TEST(area_is_uniform_and_the_ratio_log_uniform)
{
    void *const params = params_of("scale=[0.1,0.3]");
    const wsr__image in = {3, 900, 1000};
    double area = 0;
    double ratio = 0;
    for (uint32_t i = 0; i < SAMPLES; i++) {
        wsr__rng rng = wsr__rng_at(9, WSR__RNG_AUGMENT, 0, i);
        wsr__window w;
        ck_assert_ok(crop->window(&w, params, in, &rng));
        ck_assert(w.top >= 0 && w.left >= 0 && w.h > 0 && w.w > 0);
        ck_assert(w.top + w.h <= in.h && w.left + w.w <= in.w);
        const double share = (double)(w.h * w.w) / 900000.0;
        const double log_ratio = log((double)w.w / (double)w.h);
        ck_assert(share > 0.098 && share < 0.302);
        ck_assert(fabs(log_ratio) < log(4.0 / 3.0) + 0.01);
        area += share / SAMPLES;
        ratio += log_ratio / SAMPLES;
    }
    ck_assert_double_le(fabs(area - 0.2), 0.004);
    ck_assert_double_le(fabs(ratio), 0.012);
    wsr__free(params);
}
END_TEST

START_TEST(all_places_occur)
{
    void *const params = params_of("scale=[0.5,0.5],ratio=[1,1]");
    const wsr__image in = {1, 4, 4}; // a square of 3 x 3, from four corners
    size_t seen[2][2] = {{0}};
    for (uint32_t i = 0; i < 400; i++) {
        wsr__rng rng = wsr__rng_at(9, WSR__RNG_AUGMENT, 0, i);
        wsr__window w;
        ck_assert_ok(crop->window(&w, params, in, &rng));
        ck_assert_int_eq(w.h, 3);
        ck_assert_int_eq(w.w, 3);
        seen[w.top][w.left]++;
    }
    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_gt(seen[i / 2][i % 2], 60);
    }
    wsr__free(params);
}
END_TEST

// torchvision's fallback: the largest centred rectangle of a permitted ratio.
START_TEST(where_no_rectangle_fits_the_centre_is_taken)
{
    void *const params = params_of("scale=[1,1]");
    wsr__rng rng = wsr__rng_at(9, WSR__RNG_AUGMENT, 0, 0);
    wsr__window w;
    ck_assert_ok(crop->window(&w, params, (wsr__image){3, 100, 1000}, &rng));
    ck_assert_int_eq(w.h, 100);
    ck_assert_int_eq(w.w, 133); // 100 * 4 / 3
    ck_assert_int_eq(w.left, 433);
    ck_assert_ok(crop->window(&w, params, (wsr__image){3, 1000, 100}, &rng));
    ck_assert_int_eq(w.h, 133); // 100 / (3 / 4)
    ck_assert_int_eq(w.w, 100);
    ck_assert_int_eq(w.top, 433);
    ck_assert_ok(crop->window(&w, params, (wsr__image){3, 1, 1}, &rng));
    ck_assert_int_eq(w.h * w.w, 1);
    wsr__free(params);
}
END_TEST

START_TEST(the_result_has_the_size_asked_for_or_that_of_the_data)
{
    static const wsr__image in = {3, 32, 24};
    static const struct {
        const char *spec;
        int64_t h;
        int64_t w;
    } rows[] = {{"random_resized_crop", 32, 24},
                {"random_resized_crop:size=20", 20, 20},
                {"random_resized_crop:size=[20,40]", 20, 40}};
    for (size_t i = 0; i < 3; i++) {
        wsr__pipeline *pipeline = NULL;
        ck_assert_ok(wsr__pipeline_new(&pipeline, rows[i].spec, in));
        ck_assert_int_eq(wsr__pipeline_image(pipeline).h, rows[i].h);
        ck_assert_int_eq(wsr__pipeline_image(pipeline).w, rows[i].w);
        wsr__pipeline_free(pipeline);
    }
}
END_TEST

START_TEST(ranges_upside_down_are_refused)
{
    wsr__pipeline *pipeline = NULL;
    const wsr__image in = {3, 32, 32};
    ck_assert_fails(
        wsr__pipeline_new(&pipeline, "random_resized_crop:scale=[0.5,0.1]", in),
        WSR_CONFIG, "random_resized_crop.scale");
    ck_assert_fails(
        wsr__pipeline_new(&pipeline, "random_resized_crop:ratio=1", in),
        WSR_CONFIG, "random_resized_crop.ratio");
    ck_assert_fails(
        wsr__pipeline_new(&pipeline, "random_resized_crop:scale=[0,1]", in),
        WSR_CONFIG, "scale");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        area_is_uniform_and_the_ratio_log_uniform,
        all_places_occur,
        where_no_rectangle_fits_the_centre_is_taken,
        the_result_has_the_size_asked_for_or_that_of_the_data,
        ranges_upside_down_are_refused,
        NULL,
    };
    return suite_of("random_resized_crop", tests);
}
