// SPDX-License-Identifier: Apache-2.0
//
// Arguments are those that torchvision 0.14 computes for images of 100 x 50
// pixels, m = 9 of 31: they are written out here.

#include "augment/timm_support.h"

typedef struct entry {
    wsr__image_op op; // NULL: identity
    double argument;
    double other; // with the other sign
} entry;

static const entry entries[] = {
    {NULL, 0, 0},
    {wsr__image_shear_x, 0.09000000357627869, -0.09000000357627869},
    {wsr__image_shear_y, 0.09000000357627869, -0.09000000357627869},
    {wsr__image_translate_x, 6, -6},   // 50 wide: 6.797, truncated
    {wsr__image_translate_y, 13, -13}, // 100 high: 13.59
    {wsr__image_rotate, 9, -9},
    {wsr__image_brightness, 1.2699999809265137, 0.7300000190734863},
    {wsr__image_color, 1.2699999809265137, 0.7300000190734863},
    {wsr__image_contrast, 1.2699999809265137, 0.7300000190734863},
    {wsr__image_sharpness, 1.2699999809265137, 0.7300000190734863},
    {wsr__image_posterize, 7, 7},
    {wsr__image_solarize, 178.5, 178.5},
    {wsr__image_autocontrast, 0, 0},
    {wsr__image_equalize, 0, 0},
};

enum { ENTRIES = sizeof(entries) / sizeof(*entries), DRAWS = 1400 };

static const wsr__image shape = {3, 100, 50};

START_TEST(an_operation_is_any_of_the_fourteen_of_torchvision)
{
    static outcomes sets[ENTRIES];
    size_t counts[ENTRIES] = {0};
    const wsr__border border = {WSR__SAMPLE_NEAREST, {0, 0, 0}};
    for (size_t i = 0; i < ENTRIES; i++) {
        for (int k = 0; k < 2; k++) {
            const entry *const e = &entries[i];
            wsr__bitmap image = {0};
            bitmap_make(&image, shape, NARROW);
            ck_assert_ok(
                e->op == NULL
                    ? WSR_OK
                    : e->op(&image, k ? e->other : e->argument, &border));
            outcomes_add(&sets[i], &image);
            wsr__bitmap_free(&image);
        }
    }
    for (uint32_t sample = 0; sample < DRAWS; sample++) {
        wsr__bitmap image = {0};
        size_t i = 0;
        bitmap_make(&image, shape, NARROW);
        ck_assert_ok(
            bitmap_augment(&image, "rand_augment_torchvision:n=1", sample));
        while (i < ENTRIES && !outcomes_count(&sets[i], &image)) {
            i++;
        }
        ck_assert_msg(i < ENTRIES, "sample %u is no operation's", sample);
        counts[i]++;
        wsr__bitmap_free(&image);
    }
    for (size_t i = 0; i < ENTRIES; i++) {
        ck_assert_msg(counts[i] > 60 && counts[i] < 140, // 100 +- 10
                      "entry %zu came %zu times of 100", i, counts[i]);
        ck_assert_uint_eq(outcomes_seen(&sets[i]), sets[i].n);
    }
}
END_TEST

START_TEST(magnitude_zero_changes_nothing_but_histograms)
{
    for (uint32_t sample = 0; sample < 200; sample++) {
        wsr__bitmap image = {0};
        bitmap_make(&image, (wsr__image){1, 1, 2}, NOISE);
        image.bytes[0] = 0;   // autocontrast and equalize leave this image, and
        image.bytes[1] = 254; // solarize has the threshold 255
        ck_assert_ok(
            bitmap_augment(&image, "rand_augment_torchvision:n=1,m=0", sample));
        ck_assert_uint_eq(image.bytes[0], 0);
        ck_assert_uint_ge(image.bytes[1], 254); // 255 where it is stretched
        wsr__bitmap_free(&image);
    }
}
END_TEST

START_TEST(a_magnitude_beyond_the_bins_is_refused)
{
    wsr__bitmap image = {0};
    bitmap_make(&image, (wsr__image){3, 4, 4}, NOISE);
    ck_assert_fails(
        bitmap_augment(&image, "rand_augment_torchvision:m=31", 0), WSR_CONFIG,
        "rand_augment_torchvision.m: 31 is not below the number of magnitudes");
    ck_assert_ok(
        bitmap_augment(&image, "rand_augment_torchvision:m=31,bins=32", 0));
    wsr__bitmap_free(&image);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        an_operation_is_any_of_the_fourteen_of_torchvision,
        magnitude_zero_changes_nothing_but_histograms,
        a_magnitude_beyond_the_bins_is_refused,
        NULL,
    };
    return suite_of("rand augment of torchvision", tests);
}
