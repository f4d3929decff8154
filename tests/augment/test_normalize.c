// SPDX-License-Identifier: Apache-2.0

#include "augment/augment.h"
#include "support/support.h"

#include <string.h>

static void run(float *dst, const float *src, const char *specs,
                wsr__image image)
{
    wsr__pipeline *pipeline = NULL;
    float scratch[128];
    wsr__rng rng = wsr__rng_at(0, WSR__RNG_AUGMENT, 0, 0);
    ck_assert_ok(wsr__pipeline_new(&pipeline, specs, image));
    memcpy(wsr__pipeline_input(pipeline, dst, scratch), src,
           sizeof(float) * (size_t)wsr__image_floats(image));
    wsr__pipeline_apply(dst, pipeline, scratch, &rng);
    wsr__pipeline_free(pipeline);
}

START_TEST(each_channel_has_its_own_mean_and_deviation)
{
    const float src[] = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f};
    const wsr__image image = {3, 1, 2};
    float dst[6];
    run(dst, src,
        "normalize:mean=[0.49139968,0.48215827,0.44653124],"
        "std=[0.24703233,0.24348505,0.26158768]",
        image);
    ck_assert(dst[0] == (0.1f - 0.49139968f) / 0.24703233f);
    ck_assert(dst[1] == (0.2f - 0.49139968f) / 0.24703233f);
    ck_assert(dst[3] == (0.4f - 0.48215827f) / 0.24348505f);
    ck_assert(dst[5] == (0.6f - 0.44653124f) / 0.26158768f);
}
END_TEST

START_TEST(every_pixel_is_divided_not_multiplied)
{
    const wsr__image image = {1, 4, 16};
    float src[64];
    float dst[64];
    for (size_t i = 0; i < 64; i++) {
        src[i] = (float)(4 * i) / 255.0f;
    }
    run(dst, src, "normalize:mean=0.4914,std=0.2470", image);
    for (size_t i = 0; i < 64; i++) {
        ck_assert(dst[i] == (src[i] - 0.4914f) / 0.2470f);
    }
}
END_TEST

START_TEST(one_value_serves_all_channels)
{
    const float src[] = {0.25f, 0.5f, 0.75f, 1.0f};
    const wsr__image image = {2, 1, 2};
    float dst[4];
    run(dst, src, "normalize:mean=0.5,std=[0.25]", image);
    ck_assert(dst[0] == -1.0f);
    ck_assert(dst[1] == 0.0f);
    ck_assert(dst[2] == 1.0f);
    ck_assert(dst[3] == 2.0f);
}
END_TEST

START_TEST(values_that_do_not_fit_the_channels_are_refused)
{
    wsr__pipeline *pipeline = NULL;
    const wsr__image image = {3, 4, 4};
    ck_assert_fails(
        wsr__pipeline_new(&pipeline, "normalize:mean=[0.1,0.2]", image),
        WSR_CONFIG, "normalize.mean: 2 values do not fit 3 channels");
    ck_assert_fails(
        wsr__pipeline_new(&pipeline, "normalize:std=[1,2,3,4]", image),
        WSR_CONFIG, "normalize.std: 4 values do not fit 3 channels");
}
END_TEST

START_TEST(a_deviation_of_zero_is_refused)
{
    wsr__pipeline *pipeline = NULL;
    const wsr__image image = {1, 4, 4};
    ck_assert_fails(wsr__pipeline_new(&pipeline, "normalize:std=0", image),
                    WSR_CONFIG, "normalize.std: 0 is outside [");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        each_channel_has_its_own_mean_and_deviation,
        every_pixel_is_divided_not_multiplied,
        one_value_serves_all_channels,
        values_that_do_not_fit_the_channels_are_refused,
        a_deviation_of_zero_is_refused,
        NULL,
    };
    return suite_of("normalize", tests);
}
