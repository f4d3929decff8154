// SPDX-License-Identifier: Apache-2.0

#include "augment/bitmap_support.h"

START_TEST(values_from_the_threshold_on_are_inverted)
{
    wsr__bitmap image = {0};
    bitmap_make(&image, (wsr__image){5, 1, 256}, NOISE);
    for (size_t i = 0; i < 1280; i++) {
        image.bytes[i] = (unsigned char)i;
    }
    ck_assert_ok(bitmap_augment(&image, "solarize:p=1,threshold=100", 0));
    for (size_t i = 0; i < 1280; i++) {
        const size_t v = i % 256;
        ck_assert_uint_eq(image.bytes[i], v < 100 ? v : 255 - v);
    }
    wsr__bitmap_free(&image);
}
END_TEST

START_TEST(the_ends_of_the_threshold_invert_all_and_none)
{
    static const char *const specs[] = {"solarize:p=1,threshold=0",
                                        "solarize:p=1,threshold=256"};
    for (size_t k = 0; k < 2; k++) {
        wsr__bitmap image = {0};
        bitmap_make(&image, (wsr__image){3, 1, 1}, NOISE);
        image.bytes[0] = 255;
        ck_assert_ok(bitmap_augment(&image, specs[k], 0));
        ck_assert_uint_eq(image.bytes[0], k == 0 ? 0 : 255);
        wsr__bitmap_free(&image);
    }
}
END_TEST

START_TEST(half_of_the_images_are_solarized)
{
    size_t changed = 0;
    for (uint32_t sample = 0; sample < 2000; sample++) {
        wsr__bitmap image = {0};
        bitmap_make(&image, (wsr__image){1, 1, 1}, NOISE);
        image.bytes[0] = 200;
        ck_assert_ok(bitmap_augment(&image, "solarize", sample));
        changed += image.bytes[0] == 55;
        wsr__bitmap_free(&image);
    }
    ck_assert_uint_gt(changed, 910); // 1000 +- 22
    ck_assert_uint_lt(changed, 1090);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_from_the_threshold_on_are_inverted,
        the_ends_of_the_threshold_invert_all_and_none,
        half_of_the_images_are_solarized,
        NULL,
    };
    return suite_of("solarize", tests);
}
