// SPDX-License-Identifier: Apache-2.0
//
// Steps of policies: magnitudes and what they mean. The step `solarize_add`
// shows its magnitude: it adds int(11 m) to the value of a dark image.

#include "augment/policy.h"
#include "augment/timm_support.h"

static const struct {
    const char *name;
    const wsr__policy_op *op;
} ops[] = {
    {"AutoContrast", &wsr__op_autocontrast},
    {"Equalize", &wsr__op_equalize},
    {"Invert", &wsr__op_invert},
    {"Rotate", &wsr__op_rotate},
    {"Posterize", &wsr__op_posterize},
    {"PosterizeIncreasing", &wsr__op_posterize_increasing},
    {"PosterizeOriginal", &wsr__op_posterize_original},
    {"Solarize", &wsr__op_solarize},
    {"SolarizeIncreasing", &wsr__op_solarize_increasing},
    {"SolarizeAdd", &wsr__op_solarize_add},
    {"Color", &wsr__op_color},
    {"ColorIncreasing", &wsr__op_color_increasing},
    {"Contrast", &wsr__op_contrast},
    {"ContrastIncreasing", &wsr__op_contrast_increasing},
    {"Brightness", &wsr__op_brightness},
    {"BrightnessIncreasing", &wsr__op_brightness_increasing},
    {"Sharpness", &wsr__op_sharpness},
    {"SharpnessIncreasing", &wsr__op_sharpness_increasing},
    {"ShearX", &wsr__op_shear_x},
    {"ShearY", &wsr__op_shear_y},
    {"TranslateXRel", &wsr__op_translate_x_rel},
    {"TranslateYRel", &wsr__op_translate_y_rel},
};

START_TEST(magnitudes_mean_what_timm_says)
{
    ck_assert_uint_eq(sizeof(ops) / sizeof(*ops), TIMM_OPS);
    for (size_t i = 0; i < TIMM_OPS; i++) {
        const timm_op *const want = timm_find(ops[i].name);
        ck_assert(ops[i].op->apply == want->op);
        for (int tenth = 0; tenth <= 100; tenth++) {
            const double level = tenth / 10.0;
            if (ops[i].op->argument == NULL) {
                ck_assert(want->range == 0);
                continue;
            }
            for (int sign = -1; sign <= 1; sign += 2) {
                const double got = ops[i].op->argument(level / 10, sign);
                ck_assert_double_eq_tol(got, timm_argument(want, level, sign),
                                        1e-16);
            }
        }
    }
}
END_TEST

enum { DARK = 10 };

// The magnitude of one draw, in steps of 1/11, or -1 where nothing happened.
static int drawn(double p, double magnitude, double mstd, uint32_t sample)
{
    const wsr__policy_step step = {&wsr__op_solarize_add, p, magnitude};
    const wsr__policy_moves moves = {.resample = {"random"}, .fill = {1, {0}}};
    wsr__rng rng = wsr__rng_at(1, WSR__RNG_AUGMENT, 2, sample);
    wsr__bitmap image = {0};
    bitmap_make(&image, (wsr__image){1, 1, 1}, NOISE);
    image.bytes[0] = DARK;
    ck_assert_ok(wsr__policy_apply(&image, &step, mstd, &moves, &rng));
    const int added = image.bytes[0] - DARK;
    wsr__bitmap_free(&image);
    return added;
}

static void moments(double *mean, double *std, double magnitude, double mstd)
{
    enum { DRAWS = 5000 };
    double sum = 0;
    double squares = 0;
    for (uint32_t i = 0; i < DRAWS; i++) {
        const double m = (drawn(1, magnitude, mstd, i) + 0.5) / 11;
        sum += m;
        squares += m * m;
    }
    *mean = sum / DRAWS;
    *std = sqrt(fmax(0, squares / DRAWS - *mean * *mean));
}

START_TEST(magnitudes_are_normal_uniform_or_fixed)
{
    double mean;
    double std;
    moments(&mean, &std, 5, 1);
    ck_assert_double_eq_tol(mean, 5, 0.06);
    ck_assert_double_eq_tol(std, 1, 0.05);
    moments(&mean, &std, 6, 101);
    ck_assert_double_eq_tol(mean, 3, 0.1);
    ck_assert_double_eq_tol(std, 6 / sqrt(12), 0.05);
    moments(&mean, &std, 4, 0);
    ck_assert_double_eq_tol(mean, 44.5 / 11, 1e-9);
    ck_assert_double_lt(std, 1e-3);
}
END_TEST

START_TEST(magnitudes_stay_on_the_scale)
{
    int least = 200;
    int most = 0;
    for (uint32_t i = 0; i < 500; i++) {
        const int m = drawn(1, 5, 50, i);
        least = m < least ? m : least;
        most = m > most ? m : most;
    }
    ck_assert_int_eq(least, 0);
    ck_assert_int_eq(most, 110);
}
END_TEST

START_TEST(steps_come_with_their_probability)
{
    size_t n = 0;
    for (uint32_t i = 0; i < 2000; i++) {
        n += drawn(0.3, 5, 0, i) != 0;
        ck_assert_int_eq(drawn(0, 5, 0, i), 0);
        ck_assert_int_eq(drawn(1, 5, 0, i), 55);
    }
    ck_assert_uint_gt(n, 520); // 600 +- 20
    ck_assert_uint_lt(n, 680);
}
END_TEST

// A policy's step draws as many numbers whatever becomes of it.
START_TEST(the_stream_goes_on_at_the_same_place)
{
    static const wsr__policy_step steps[] = {{&wsr__op_rotate, 1, 9},
                                             {&wsr__op_invert, 0.5, 1},
                                             {&wsr__op_equalize, 0, 0}};
    static const double mstds[] = {0, 0.5, 1000};
    const wsr__policy_moves moves = {.resample = {"bicubic"}, .fill = {1, {0}}};
    uint32_t next = 0;
    for (size_t i = 0; i < 9; i++) {
        wsr__rng rng = wsr__rng_at(1, WSR__RNG_AUGMENT, 2, 3);
        wsr__bitmap image = {0};
        bitmap_make(&image, (wsr__image){3, 4, 5}, NOISE);
        ck_assert_ok(wsr__policy_apply(&image, &steps[i % 3], mstds[i / 3],
                                       &moves, &rng));
        const uint32_t number = wsr__rng_u32(&rng);
        ck_assert(i == 0 || number == next);
        next = number;
        wsr__bitmap_free(&image);
    }
}
END_TEST

enum { ROTATIONS = 400 };

// Which sampling made an image from this one by a rotation of 27 degrees.
static void recognise(size_t counts[3], const wsr__bitmap *rotated)
{
    for (int k = 0; k < 6; k++) {
        const wsr__border border = {(wsr__sampling)(k % 3), {9, 8, 7}};
        wsr__bitmap image = {0};
        bitmap_make(&image, rotated->shape, NOISE);
        ck_assert_ok(wsr__image_rotate(&image, k < 3 ? 27 : -27, &border));
        counts[k % 3] += bitmap_hash(&image) == bitmap_hash(rotated);
        wsr__bitmap_free(&image);
    }
}

// How often each sampling comes.
static void count_samplings(size_t counts[3], const char *word)
{
    static const wsr__policy_step step = {&wsr__op_rotate, 1, 9};
    wsr__policy_moves moves = {.fill = {3, {9, 8, 7}}};
    (void)snprintf(moves.resample.s, sizeof(moves.resample.s), "%s", word);
    for (uint32_t i = 0; i < ROTATIONS; i++) {
        wsr__rng rng = wsr__rng_at(1, WSR__RNG_AUGMENT, 2, i);
        wsr__bitmap image = {0};
        bitmap_make(&image, (wsr__image){3, 11, 9}, NOISE);
        ck_assert_ok(wsr__policy_apply(&image, &step, 0, &moves, &rng));
        recognise(counts, &image);
        wsr__bitmap_free(&image);
    }
}

START_TEST(resampling_is_as_asked_for)
{
    static const char *const words[] = {"nearest", "bilinear", "bicubic"};
    size_t drawn_counts[3] = {0};
    for (size_t word = 0; word < 3; word++) {
        size_t counts[3] = {0};
        count_samplings(counts, words[word]);
        for (size_t k = 0; k < 3; k++) {
            ck_assert_uint_eq(counts[k], k == word ? ROTATIONS : 0);
        }
    }
    count_samplings(drawn_counts, "random");
    ck_assert_uint_eq(drawn_counts[1] + drawn_counts[2], ROTATIONS);
    ck_assert_uint_gt(drawn_counts[1], 150); // 200 +- 10
    ck_assert_uint_lt(drawn_counts[1], 250);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        magnitudes_mean_what_timm_says,
        magnitudes_are_normal_uniform_or_fixed,
        magnitudes_stay_on_the_scale,
        steps_come_with_their_probability,
        the_stream_goes_on_at_the_same_place,
        resampling_is_as_asked_for,
        NULL,
    };
    return suite_of("policy", tests);
}
