// SPDX-License-Identifier: Apache-2.0

#include "augment/apply.h"
#include "augment/jitter.h"

#include <math.h>

enum { H = 6, W = 7, N = 3 * H * W };

static const wsr__image shape = {3, H, W};

static void fill(float image[N])
{
    for (size_t i = 0; i < N; i++) {
        image[i] = (float)(i * 89 % 256) / 255.0f;
    }
}

// An image after one operation: 0 brightness, 1 contrast, 2 saturation, 3 hue.
static void change(float image[N], uint32_t op, double argument)
{
    const wsr__jitter_draw drawn = {1, {op}, {argument}};
    fill(image);
    wsr__jitter_floats(image, shape, &drawn);
}

START_TEST(neutral_arguments_leave_the_image)
{
    static const double neutral[] = {1, 1, 1, 0};
    float before[N];
    fill(before);
    for (uint32_t op = 0; op < 4; op++) {
        float image[N];
        change(image, op, neutral[op]);
        for (size_t i = 0; i < N; i++) {
            ck_assert_float_eq_tol(image[i], before[i], 1e-6f);
        }
    }
}
END_TEST

START_TEST(zero_gives_black_mean_and_luma)
{
    float before[N];
    float black[N];
    float flat[N];
    float grey[N];
    double mean = 0;
    fill(before);
    change(black, 0, 0);
    change(flat, 1, 0);
    change(grey, 2, 0);
    for (size_t i = 0; i < H * W; i++) {
        const float *const p = before + i;
        const double luma = 0.2989 * (double)p[0] + 0.587 * (double)p[H * W] +
                            0.114 * (double)p[2 * H * W];
        mean += luma / (H * W);
        for (size_t c = 0; c < 3; c++) {
            ck_assert_double_eq_tol((double)grey[c * H * W + i], luma, 1e-6);
            ck_assert(black[c * H * W + i] == 0);
        }
    }
    for (size_t i = 0; i < N; i++) {
        ck_assert_double_eq_tol((double)flat[i], mean, 1e-6);
    }
}
END_TEST

// Thirds of a turn exchange the channels, and turns add up.
START_TEST(the_hue_turns)
{
    float before[N];
    float third[N];
    float back[N];
    fill(before);
    change(third, 3, 1.0 / 3);
    for (size_t i = 0; i < H * W; i++) {
        for (size_t c = 0; c < 3; c++) {
            ck_assert_float_eq_tol(third[(c + 1) % 3 * H * W + i],
                                   before[c * H * W + i], 2e-6f);
        }
    }
    const wsr__jitter_draw twice = {2, {3, 3}, {0.27, -0.27}};
    fill(back);
    wsr__jitter_floats(back, shape, &twice);
    for (size_t i = 0; i < N; i++) {
        ck_assert_float_eq_tol(back[i], before[i], 2e-6f);
    }
}
END_TEST

// The same draws as the augmentation of bytes, which rounds: images are near
// each other.
START_TEST(bytes_and_floats_are_changed_alike)
{
    static const char *const specs[] = {
        "color_jitter_float:brightness=0.4,contrast=0.3,saturation=0.4,p=0.7",
        "color_jitter:brightness=0.4,contrast=0.3,saturation=0.4,p=0.7"};
    float src[N];
    fill(src);
    for (uint32_t sample = 0; sample < 200; sample++) {
        float dst[2][N];
        for (size_t k = 0; k < 2; k++) {
            wsr__pipeline *pipeline = NULL;
            wsr__rng rng = wsr__rng_at(4, WSR__RNG_AUGMENT, 1, sample);
            ck_assert_ok(wsr__pipeline_new(&pipeline, specs[k], shape));
            apply_pipeline(dst[k], pipeline, src, N, &rng);
            wsr__pipeline_free(pipeline);
        }
        for (size_t i = 0; i < N; i++) {
            ck_assert_float_eq_tol(dst[0][i], dst[1][i], 5 / 255.0f);
        }
    }
}
END_TEST

START_TEST(grey_images_have_no_colour_to_change)
{
    const wsr__jitter_draw drawn = {2, {2, 3}, {0.2, 0.4}};
    float image[N];
    float before[N];
    fill(image);
    fill(before);
    wsr__jitter_floats(image, (wsr__image){1, H, W}, &drawn);
    ck_assert(same_bits(image, before, sizeof(image)));
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        neutral_arguments_leave_the_image,
        zero_gives_black_mean_and_luma,
        the_hue_turns,
        bytes_and_floats_are_changed_alike,
        grey_images_have_no_colour_to_change,
        NULL,
    };
    return suite_of("colour jitter of floats", tests);
}
