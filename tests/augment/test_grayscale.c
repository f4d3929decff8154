// SPDX-License-Identifier: Apache-2.0

#include "augment/bitmap_support.h"

static const wsr__image shape = {3, 5, 7};

START_TEST(all_channels_become_the_luma)
{
    wsr__bitmap image = {0};
    wsr__bitmap before = {0};
    bitmap_make(&image, shape, NOISE);
    bitmap_make(&before, shape, NOISE);
    ck_assert_ok(bitmap_augment(&image, "grayscale:p=1", 0));
    for (size_t i = 0; i < 35; i++) {
        const double luma = 0.299 * before.bytes[i] +
                            0.587 * before.bytes[35 + i] +
                            0.114 * before.bytes[70 + i];
        for (size_t c = 0; c < 3; c++) {
            ck_assert_double_eq_tol(image.bytes[35 * c + i], luma, 0.51);
            ck_assert_uint_eq(image.bytes[35 * c + i], image.bytes[i]);
        }
    }
    wsr__bitmap_free(&image);
    wsr__bitmap_free(&before);
}
END_TEST

START_TEST(a_tenth_of_the_images_lose_their_colour)
{
    size_t changed = 0;
    for (uint32_t sample = 0; sample < 2000; sample++) {
        wsr__bitmap image = {0};
        bitmap_make(&image, shape, NOISE);
        ck_assert_ok(bitmap_augment(&image, "grayscale", sample));
        changed += memcmp(image.bytes, image.bytes + 35, 35) == 0;
        wsr__bitmap_free(&image);
    }
    ck_assert_uint_gt(changed, 140); // 200 +- 13
    ck_assert_uint_lt(changed, 260);
}
END_TEST

START_TEST(grey_images_stay)
{
    wsr__bitmap image = {0};
    bitmap_make(&image, (wsr__image){1, 5, 7}, NOISE);
    const uint64_t before = bitmap_hash(&image);
    ck_assert_ok(bitmap_augment(&image, "grayscale:p=1", 0));
    ck_assert(bitmap_hash(&image) == before);
    wsr__bitmap_free(&image);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        all_channels_become_the_luma,
        a_tenth_of_the_images_lose_their_colour,
        grey_images_stay,
        NULL,
    };
    return suite_of("grayscale", tests);
}
