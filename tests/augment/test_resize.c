// SPDX-License-Identifier: Apache-2.0

#include "augment/apply.h"

static void check(const char *spec, wsr__image in, int64_t h, int64_t w)
{
    wsr__pipeline *pipeline = NULL;
    ck_assert_ok(wsr__pipeline_new(&pipeline, spec, in));
    ck_assert_int_eq(wsr__pipeline_image(pipeline).h, h);
    ck_assert_int_eq(wsr__pipeline_image(pipeline).w, w);
    wsr__pipeline_free(pipeline);
}

START_TEST(the_short_side_gets_the_size)
{
    check("resize:size=256", (wsr__image){3, 334, 500}, 256, 383);
    check("resize:size=256", (wsr__image){3, 500, 334}, 383, 256);
    check("resize:size=7", (wsr__image){1, 5, 5}, 7, 7);
    check("resize", (wsr__image){1, 5, 9}, 5, 9);
}
END_TEST

START_TEST(interpolation_is_a_word_and_changes_pixels)
{
    static const char *const specs[] = {"resize:size=8",
                                        "resize:size=8,interpolation=bicubic"};
    const wsr__image in = {1, 4, 4};
    float src[16];
    float dst[2][64];
    for (size_t i = 0; i < 16; i++) {
        src[i] = (float)(i * i) / 255.0f;
    }
    for (size_t i = 0; i < 2; i++) {
        wsr__pipeline *pipeline = NULL;
        wsr__rng rng = wsr__rng_at(0, WSR__RNG_AUGMENT, 0, 0);
        ck_assert_ok(wsr__pipeline_new(&pipeline, specs[i], in));
        apply_pipeline(dst[i], pipeline, src, 16, &rng);
        wsr__pipeline_free(pipeline);
    }
    ck_assert(!same_bits(dst[0], dst[1], sizeof(dst[0])));
    ck_assert(dst[0][0] == src[0]); // at the border the nearest pixel alone
    wsr__pipeline *pipeline = NULL;
    ck_assert_fails(
        wsr__pipeline_new(&pipeline, "resize:interpolation=nearest", in),
        WSR_CONFIG, "bilinear, bicubic");
}
END_TEST

START_TEST(what_becomes_too_large_is_refused)
{
    wsr__pipeline *pipeline = NULL;
    const wsr__image in = {1, 1, 1000};
    ck_assert_fails(wsr__pipeline_new(&pipeline, "resize:size=4096", in),
                    WSR_CONFIG, "too large");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_short_side_gets_the_size,
        interpolation_is_a_word_and_changes_pixels,
        what_becomes_too_large_is_refused,
        NULL,
    };
    return suite_of("resize", tests);
}
