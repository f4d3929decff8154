// SPDX-License-Identifier: Apache-2.0

#include "augment/apply.h"

#include <string.h>

enum { C = 2, H = 3, W = 5, FLOATS = C * H * W };

static size_t count_flips(const char *specs, uint32_t n)
{
    wsr__pipeline *pipeline = NULL;
    const wsr__image image = {C, H, W};
    size_t flips = 0;
    ck_assert_ok(wsr__pipeline_new(&pipeline, specs, image));
    for (uint32_t sample = 0; sample < n; sample++) {
        float dst[FLOATS];
        float src[FLOATS];
        wsr__rng rng = wsr__rng_at(3, WSR__RNG_AUGMENT, 7, sample);
        for (size_t i = 0; i < FLOATS; i++) {
            src[i] = (float)i;
        }
        apply_pipeline(dst, pipeline, src, FLOATS, &rng);
        const bool flipped = dst[0] != 0.0f;
        for (size_t i = 0; i < FLOATS; i++) {
            const size_t x = i % W;
            const size_t from = flipped ? i - x + W - 1 - x : i;
            ck_assert(dst[i] == (float)from);
        }
        flips += flipped;
    }
    wsr__pipeline_free(pipeline);
    return flips;
}

START_TEST(rows_are_mirrored_in_about_half_of_the_samples)
{
    const size_t flips = count_flips("flip", 4000);
    ck_assert_uint_gt(flips, 1880);
    ck_assert_uint_lt(flips, 2120);
}
END_TEST

START_TEST(probability_zero_never_and_one_always_mirrors)
{
    ck_assert_uint_eq(count_flips("flip:p=0", 500), 0);
    ck_assert_uint_eq(count_flips("flip:p=1", 500), 500);
}
END_TEST

START_TEST(a_probability_above_one_is_refused)
{
    wsr__pipeline *pipeline = NULL;
    const wsr__image image = {C, H, W};
    ck_assert_fails(wsr__pipeline_new(&pipeline, "flip:p=1.5", image),
                    WSR_CONFIG, "flip.p: 1.5 is outside [0, 1]");
    ck_assert_ptr_null(pipeline);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        rows_are_mirrored_in_about_half_of_the_samples,
        probability_zero_never_and_one_always_mirrors,
        a_probability_above_one_is_refused,
        NULL,
    };
    return suite_of("flip", tests);
}
