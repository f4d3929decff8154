// SPDX-License-Identifier: Apache-2.0

#include "augment/apply.h"

#include <string.h>

enum { C = 2, H = 9, W = 7, FLOATS = C * H * W };

static void run(float *dst, const char *specs, uint32_t sample)
{
    wsr__pipeline *pipeline = NULL;
    const wsr__image image = {C, H, W};
    wsr__rng rng = wsr__rng_at(5, WSR__RNG_AUGMENT, 2, sample);
    ck_assert_ok(wsr__pipeline_new(&pipeline, specs, image));
    float src[FLOATS];
    for (size_t i = 0; i < FLOATS; i++) {
        src[i] = (float)(i + 1);
    }
    apply_pipeline(dst, pipeline, src, FLOATS, &rng);
    wsr__pipeline_free(pipeline);
}

static bool is_hole(const float *dst, int64_t cy, int64_t cx, int64_t length)
{
    for (int64_t i = 0; i < FLOATS; i++) {
        const int64_t y = i / W % H - (cy - length / 2);
        const int64_t x = i % W - (cx - length / 2);
        const bool hole = y >= 0 && y < length && x >= 0 && x < length;
        if (dst[i] != (hole ? 0.0f : (float)(i + 1))) {
            return false;
        }
    }
    return true;
}

static void check_length(const char *specs, int64_t length)
{
    bool seen[H * W] = {false};
    for (uint32_t sample = 0; sample < 1500; sample++) {
        float dst[FLOATS];
        bool found = false;
        run(dst, specs, sample);
        for (int64_t k = 0; k < H * W; k++) {
            if (is_hole(dst, k / W, k % W, length)) {
                seen[k] = true;
                found = true;
            }
        }
        ck_assert_msg(found, "sample %u has no hole of a square", sample);
    }
    for (size_t k = 0; k < H * W; k++) {
        ck_assert_msg(seen[k], "centre %zu never occurred", k);
    }
}

START_TEST(the_hole_is_one_clipped_square_in_all_channels_anywhere)
{
    check_length("cutout:length=4", 4);
    check_length("cutout:length=3", 3);
}
END_TEST

START_TEST(length_zero_changes_nothing)
{
    float dst[FLOATS];
    run(dst, "cutout:length=0", 1);
    ck_assert(is_hole(dst, 0, 0, 0));
}
END_TEST

START_TEST(a_huge_hole_is_the_whole_image)
{
    float dst[FLOATS];
    run(dst, "cutout:length=4096", 1);
    for (size_t i = 0; i < FLOATS; i++) {
        ck_assert(dst[i] == 0.0f);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_hole_is_one_clipped_square_in_all_channels_anywhere,
        length_zero_changes_nothing,
        a_huge_hole_is_the_whole_image,
        NULL,
    };
    return suite_of("cutout", tests);
}
