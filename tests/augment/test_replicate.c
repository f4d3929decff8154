// SPDX-License-Identifier: Apache-2.0

#include "augment/apply.h"

#include <string.h>

START_TEST(a_grey_channel_is_repeated)
{
    wsr__pipeline *pipeline = NULL;
    const wsr__image image = {1, 2, 2};
    float dst[12];
    wsr__rng rng = wsr__rng_at(0, WSR__RNG_AUGMENT, 0, 0);
    ck_assert_ok(wsr__pipeline_new(&pipeline, "replicate", image));
    ck_assert_int_eq(wsr__pipeline_image(pipeline).c, 3);
    float src[4];
    for (size_t i = 0; i < 4; i++) {
        src[i] = (float)(i + 1);
    }
    apply_pipeline(dst, pipeline, src, 4, &rng);
    for (size_t i = 0; i < 12; i++) {
        ck_assert(dst[i] == (float)(i % 4 + 1));
    }
    wsr__pipeline_free(pipeline);
}
END_TEST

START_TEST(images_with_that_many_channels_pass)
{
    wsr__pipeline *pipeline = NULL;
    const wsr__image image = {3, 1, 2};
    float dst[6];
    wsr__rng rng = wsr__rng_at(0, WSR__RNG_AUGMENT, 0, 0);
    ck_assert_ok(wsr__pipeline_new(&pipeline, "replicate:channels=3", image));
    float src[6];
    for (size_t i = 0; i < 6; i++) {
        src[i] = (float)(i + 1);
    }
    apply_pipeline(dst, pipeline, src, 6, &rng);
    for (size_t i = 0; i < 6; i++) {
        ck_assert(dst[i] == (float)(i + 1));
    }
    wsr__pipeline_free(pipeline);
}
END_TEST

START_TEST(colour_images_do_not_change_their_channels)
{
    wsr__pipeline *pipeline = NULL;
    const wsr__image image = {3, 4, 4};
    ck_assert_fails(wsr__pipeline_new(&pipeline, "replicate:channels=4", image),
                    WSR_CONFIG,
                    "replicate.channels: 3 channels cannot become 4");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_grey_channel_is_repeated,
        images_with_that_many_channels_pass,
        colour_images_do_not_change_their_channels,
        NULL,
    };
    return suite_of("replicate", tests);
}
