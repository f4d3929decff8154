// SPDX-License-Identifier: Apache-2.0

#include "augment/bitmap_support.h"
#include "augment/image_ops.h"

static const wsr__image shape = {3, 9, 8};

START_TEST(without_options_nothing_changes)
{
    for (uint32_t sample = 0; sample < 50; sample++) {
        wsr__bitmap image = {0};
        bitmap_make(&image, shape, NOISE);
        const uint64_t before = bitmap_hash(&image);
        ck_assert_ok(bitmap_augment(&image, "color_jitter", sample));
        ck_assert(bitmap_hash(&image) == before);
        wsr__bitmap_free(&image);
    }
}
END_TEST

// On a channel of 100, whose product with a factor is the factor in percent.
START_TEST(factors_fill_their_range)
{
    int least = 255;
    int most = 0;
    double sum = 0;
    for (uint32_t sample = 0; sample < 2000; sample++) {
        wsr__bitmap image = {0};
        bitmap_make(&image, (wsr__image){1, 1, 1}, NOISE);
        image.bytes[0] = 100;
        ck_assert_ok(
            bitmap_augment(&image, "color_jitter:brightness=0.4", sample));
        least = image.bytes[0] < least ? image.bytes[0] : least;
        most = image.bytes[0] > most ? image.bytes[0] : most;
        sum += image.bytes[0];
        wsr__bitmap_free(&image);
    }
    ck_assert_int_eq(least, 60);
    ck_assert_int_eq(most, 139);
    ck_assert_double_eq_tol(sum / 2000, 99.5, 2.5); // 23.1 / sqrt(2000) = 0.5
}
END_TEST

START_TEST(factors_are_never_negative)
{
    size_t black = 0;
    for (uint32_t sample = 0; sample < 200; sample++) {
        wsr__bitmap image = {0};
        bitmap_make(&image, (wsr__image){1, 1, 1}, NOISE);
        image.bytes[0] = 100;
        ck_assert_ok(
            bitmap_augment(&image, "color_jitter:brightness=3", sample));
        black += image.bytes[0] == 0;
        wsr__bitmap_free(&image);
    }
    ck_assert_uint_lt(black, 6); // [0, 4]: below 0.01 in one of 400
}
END_TEST

// The numbers that it draws: chance, order, four arguments.
static void jitter(wsr__bitmap *image, uint32_t sample, bool seen[4][4])
{
    static const wsr__image_op ops[] = {wsr__image_brightness,
                                        wsr__image_contrast, wsr__image_color,
                                        wsr__image_hue};
    static const double ranges[] = {0.4, 0.3, 0.5, 0.2};
    wsr__rng rng = wsr__rng_at(11, WSR__RNG_AUGMENT, 3, sample);
    uint32_t order[4];
    double arguments[4];
    (void)wsr__rng_uniform(&rng);
    wsr__rng_permutation(&rng, order, 4);
    for (size_t k = 0; k < 4; k++) {
        const double u = 2 * (double)wsr__rng_uniform(&rng) - 1;
        arguments[k] = (k < 3 ? 1 : 0) + u * ranges[k];
    }
    for (size_t i = 0; i < 4; i++) {
        ck_assert_ok(ops[order[i]](image, arguments[order[i]], NULL));
        seen[order[i]][i] = true;
    }
}

START_TEST(operations_are_applied_in_every_order)
{
    bool seen[4][4] = {{false}};
    for (uint32_t sample = 0; sample < 100; sample++) {
        wsr__bitmap a = {0};
        wsr__bitmap b = {0};
        bitmap_make(&a, shape, NOISE);
        bitmap_make(&b, shape, NOISE);
        ck_assert_ok(bitmap_augment(&a,
                                    "color_jitter:brightness=0.4,contrast=0.3,"
                                    "saturation=0.5,hue=0.2",
                                    sample));
        jitter(&b, sample, seen);
        ck_assert_msg(bitmap_hash(&a) == bitmap_hash(&b), "sample %u", sample);
        wsr__bitmap_free(&a);
        wsr__bitmap_free(&b);
    }
    for (size_t i = 0; i < 16; i++) {
        ck_assert(seen[i / 4][i % 4]);
    }
}
END_TEST

// An operation that is not asked for is left out, and not applied with its
// neutral argument: a turn of 0 changes an image. The others keep their draws.
START_TEST(an_option_does_not_change_the_draws_of_others)
{
    wsr__bitmap alone = {0};
    wsr__bitmap image = {0};
    bitmap_make(&alone, shape, NOISE);
    bitmap_make(&image, shape, NOISE);
    ck_assert_ok(bitmap_augment(&alone, "color_jitter:brightness=0.4", 5));
    ck_assert_ok(bitmap_augment(
        &image, "color_jitter:brightness=0.4,contrast=0,hue=0", 5));
    ck_assert(bitmap_hash(&alone) == bitmap_hash(&image));
    wsr__bitmap_free(&alone);
    wsr__bitmap_free(&image);
}
END_TEST

START_TEST(p_is_the_probability_of_any_change)
{
    size_t changed = 0;
    for (uint32_t sample = 0; sample < 1000; sample++) {
        wsr__bitmap image = {0};
        bitmap_make(&image, shape, NOISE);
        const uint64_t before = bitmap_hash(&image);
        ck_assert_ok(bitmap_augment(
            &image, "color_jitter:brightness=0.4,hue=0.1,p=0.8", sample));
        changed += bitmap_hash(&image) != before;
        wsr__bitmap_free(&image);
    }
    ck_assert_uint_gt(changed, 740); // 800 +- 13
    ck_assert_uint_lt(changed, 860);
}
END_TEST

START_TEST(options_outside_their_bounds_are_refused)
{
    wsr__bitmap image = {0};
    bitmap_make(&image, shape, NOISE);
    ck_assert_fails(bitmap_augment(&image, "color_jitter:hue=0.6", 0),
                    WSR_CONFIG, "color_jitter.hue: 0.6 is outside [0, 0.5]");
    ck_assert_fails(bitmap_augment(&image, "color_jitter:contrast=-1", 0),
                    WSR_CONFIG, "color_jitter.contrast");
    wsr__bitmap_free(&image);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        without_options_nothing_changes,
        factors_fill_their_range,
        factors_are_never_negative,
        operations_are_applied_in_every_order,
        an_option_does_not_change_the_draws_of_others,
        p_is_the_probability_of_any_change,
        options_outside_their_bounds_are_refused,
        NULL,
    };
    return suite_of("color jitter", tests);
}
