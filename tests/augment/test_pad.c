// SPDX-License-Identifier: Apache-2.0

#include "augment/apply.h"

#include <string.h>

START_TEST(a_frame_surrounds_every_channel)
{
    wsr__pipeline *pipeline = NULL;
    const wsr__image image = {2, 2, 3};
    float dst[2 * 6 * 7];
    wsr__rng rng = wsr__rng_at(0, WSR__RNG_AUGMENT, 0, 0);
    ck_assert_ok(wsr__pipeline_new(&pipeline, "pad:pixels=2,value=0.5", image));
    const wsr__image out = wsr__pipeline_image(pipeline);
    ck_assert_int_eq(out.c, 2);
    ck_assert_int_eq(out.h, 6);
    ck_assert_int_eq(out.w, 7);
    float src[12];
    for (size_t i = 0; i < 12; i++) {
        src[i] = (float)(i + 1);
    }
    apply_pipeline(dst, pipeline, src, 12, &rng);
    for (size_t i = 0; i < 2 * 6 * 7; i++) {
        const size_t c = i / 42;
        const size_t y = i / 7 % 6;
        const size_t x = i % 7;
        const bool inside = y >= 2 && y < 4 && x >= 2 && x < 5;
        const float want = inside ? (float)(c * 6 + (y - 2) * 3 + (x - 2) + 1)
                                  : 0.5f;
        ck_assert(dst[i] == want);
    }
    wsr__pipeline_free(pipeline);
}
END_TEST

START_TEST(an_odd_surplus_goes_to_the_bottom_and_the_right)
{
    const wsr__image in = {1, 1, 1};
    const wsr__image out = {1, 2, 4};
    const float src[] = {7.0f};
    float dst[8];
    wsr__image_centre(dst, out, src, in, 0.0f);
    for (size_t i = 0; i < 8; i++) {
        ck_assert(dst[i] == (i == 1 ? 7.0f : 0.0f));
    }
}
END_TEST

START_TEST(a_frame_that_is_no_pixel_is_refused)
{
    static const char *const specs[] = {"pad:value=-1", "pad:value=1.5"};
    const wsr__image in = {1, 2, 2};
    for (size_t i = 0; i < 2; i++) {
        wsr__pipeline *pipeline = NULL;
        ck_assert_fails(wsr__pipeline_new(&pipeline, specs[i], in), WSR_CONFIG,
                        "is outside [0, 1]");
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_frame_surrounds_every_channel,
        an_odd_surplus_goes_to_the_bottom_and_the_right,
        a_frame_that_is_no_pixel_is_refused,
        NULL,
    };
    return suite_of("pad", tests);
}
