// SPDX-License-Identifier: Apache-2.0

#include "augment/apply.h"

#include <string.h>

enum { C = 2, H = 6, W = 5, PAD = 3, FLOATS = C * H * W };

static const wsr__image image = {C, H, W};

static wsr__pipeline *pipeline_of(const char *specs)
{
    wsr__pipeline *pipeline = NULL;
    ck_assert_ok(wsr__pipeline_new(&pipeline, specs, image));
    return pipeline;
}

static void run(float *dst, const wsr__pipeline *pipeline, uint32_t sample)
{
    wsr__rng rng = wsr__rng_at(1, WSR__RNG_AUGMENT, 0, sample);
    float src[FLOATS];
    for (size_t i = 0; i < FLOATS; i++) {
        src[i] = (float)(i + 1);
    }
    apply_pipeline(dst, pipeline, src, FLOATS, &rng);
}

// The plain way: look up every pixel of the moved window.
static bool is_window(const float *dst, int64_t top, int64_t left)
{
    for (int64_t i = 0; i < FLOATS; i++) {
        const int64_t c = i / (H * W);
        const int64_t y = i / W % H + top;
        const int64_t x = i % W + left;
        const bool inside = y >= 0 && y < H && x >= 0 && x < W;
        const float want = inside ? (float)(c * H * W + y * W + x + 1) : 0.0f;
        if (dst[i] != want) {
            return false;
        }
    }
    return true;
}

START_TEST(a_crop_is_a_window_of_the_padded_image_and_all_windows_occur)
{
    wsr__pipeline *const pipeline = pipeline_of("random_crop:pad=3");
    size_t seen[2 * PAD + 1][2 * PAD + 1] = {{0}};
    for (uint32_t sample = 0; sample < 5000; sample++) {
        float dst[FLOATS];
        bool found = false;
        run(dst, pipeline, sample);
        for (int64_t k = 0; k < (2 * PAD + 1) * (2 * PAD + 1); k++) {
            const int64_t top = k / (2 * PAD + 1) - PAD;
            const int64_t left = k % (2 * PAD + 1) - PAD;
            if (is_window(dst, top, left)) {
                seen[top + PAD][left + PAD]++;
                found = true;
            }
        }
        ck_assert_msg(found, "sample %u is no window", sample);
    }
    for (size_t k = 0; k < (2 * PAD + 1) * (2 * PAD + 1); k++) {
        const size_t n = seen[k / (2 * PAD + 1)][k % (2 * PAD + 1)];
        ck_assert_msg(n > 50 && n < 170, "window %zu: %zu of about 102", k, n);
    }
    wsr__pipeline_free(pipeline);
}
END_TEST

START_TEST(without_padding_nothing_moves)
{
    wsr__pipeline *const pipeline = pipeline_of("random_crop:pad=0");
    float dst[FLOATS];
    run(dst, pipeline, 0);
    ck_assert(is_window(dst, 0, 0));
    wsr__pipeline_free(pipeline);
}
END_TEST

START_TEST(padding_wider_than_the_image_may_leave_nothing_of_it)
{
    wsr__pipeline *const pipeline = pipeline_of("random_crop:pad=50");
    size_t empty = 0;
    for (uint32_t sample = 0; sample < 200; sample++) {
        float dst[FLOATS];
        size_t set = 0;
        run(dst, pipeline, sample);
        for (size_t i = 0; i < FLOATS; i++) {
            set += dst[i] != 0.0f;
        }
        empty += set == 0;
    }
    ck_assert_uint_gt(empty, 150);
    wsr__pipeline_free(pipeline);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_crop_is_a_window_of_the_padded_image_and_all_windows_occur,
        without_padding_nothing_moves,
        padding_wider_than_the_image_may_leave_nothing_of_it,
        NULL,
    };
    return suite_of("random_crop", tests);
}
