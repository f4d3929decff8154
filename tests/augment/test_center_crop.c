// SPDX-License-Identifier: Apache-2.0

#include "augment/apply.h"

enum { H = 7, W = 8, FLOATS = H * W };

static const wsr__image image = {1, H, W};

// Pixels of the result are those from (top, left) on.
static void check(const char *spec, int64_t h, int64_t w, int64_t top,
                  int64_t left)
{
    wsr__pipeline *pipeline = NULL;
    wsr__rng rng = wsr__rng_at(0, WSR__RNG_AUGMENT, 0, 0);
    float src[FLOATS];
    float dst[FLOATS];
    for (size_t i = 0; i < FLOATS; i++) {
        src[i] = (float)i / 255.0f;
    }
    ck_assert_ok(wsr__pipeline_new(&pipeline, spec, image));
    ck_assert_int_eq(wsr__pipeline_image(pipeline).h, h);
    ck_assert_int_eq(wsr__pipeline_image(pipeline).w, w);
    apply_pipeline(dst, pipeline, src, FLOATS, &rng);
    for (int64_t i = 0; i < h * w; i++) {
        ck_assert(dst[i] == src[(i / w + top) * W + i % w + left]);
    }
    wsr__pipeline_free(pipeline);
}

START_TEST(the_centre_is_cut)
{
    check("center_crop", H, W, 0, 0);
    check("center_crop:size=[4,3]", 4, 3, 2, 2); // (7 - 4) / 2, (8 - 3) / 2
    check("center_crop:size=5", 5, 5, 1, 2);
}
END_TEST

START_TEST(a_crop_larger_than_the_image_is_refused)
{
    wsr__pipeline *pipeline = NULL;
    ck_assert_fails(wsr__pipeline_new(&pipeline, "center_crop:size=8", image),
                    WSR_CONFIG,
                    "center_crop.size: a crop of 8x8 is larger than the image "
                    "of 7x8");
    ck_assert_fails(
        wsr__pipeline_new(&pipeline, "center_crop:size=[1,2,3]", image),
        WSR_CONFIG, "center_crop.size: 3 numbers");
    ck_assert_ptr_null(pipeline);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_centre_is_cut,
        a_crop_larger_than_the_image_is_refused,
        NULL,
    };
    return suite_of("center_crop", tests);
}
