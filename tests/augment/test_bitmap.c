// SPDX-License-Identifier: Apache-2.0

#include "augment/augment.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

START_TEST(every_byte_survives_the_way_to_a_float_and_back)
{
    unsigned char bytes[256];
    unsigned char back[256];
    float floats[256];
    for (size_t i = 0; i < 256; i++) {
        bytes[i] = (unsigned char)i;
    }
    wsr__bytes_to_floats(floats, bytes, 256);
    wsr__floats_to_bytes(back, floats, 256);
    ck_assert_mem_eq(bytes, back, 256);
    for (size_t i = 0; i < 256; i++) {
        ck_assert(floats[i] == (float)i / 255.0f);
    }
}
END_TEST

START_TEST(floats_between_bytes_are_rounded_and_others_clamped)
{
    const float floats[] = {-1.0f, -0.0f,       0.4f / 255, 0.6f / 255,
                            1.5f,  INFINITY,    -INFINITY,  NAN,
                            1.0f,  254.4f / 255};
    const unsigned char want[] = {0, 0, 0, 1, 255, 255, 0, 0, 255, 254};
    unsigned char bytes[10];
    wsr__floats_to_bytes(bytes, floats, 10);
    ck_assert_mem_eq(bytes, want, 10);
}
END_TEST

// torchvision's CenterCrop(224): Python rounds halves to even.
START_TEST(offsets_of_half_a_pixel_round_to_even)
{
    static const int64_t rows[][2] = {{224, 0},  {225, 0},  {226, 1},
                                      {227, 2},  {255, 16}, {256, 16},
                                      {257, 16}, {258, 17}, {259, 18}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const wsr__image in = {3, rows[i][0], 256};
        wsr__window window;
        ck_assert_ok(wsr__window_centre(&window, in, 224, 224));
        ck_assert_int_eq(window.top, rows[i][1]);
        ck_assert_int_eq(window.left, 16);
    }
}
END_TEST

START_TEST(a_window_larger_than_the_image_is_refused)
{
    const wsr__image in = {3, 200, 300};
    wsr__window window;
    ck_assert_fails(wsr__window_centre(&window, in, 224, 224), WSR_CONFIG,
                    "a crop of 224x224 is larger than the image of 200x300");
    ck_assert_fails(wsr__window_centre(&window, in, 100, 301), WSR_CONFIG,
                    "larger");
}
END_TEST

START_TEST(a_crop_holds_the_pixels_of_its_window)
{
    const wsr__image in = {2, 5, 7};
    const wsr__window window = {1, 3, 3, 2};
    wsr__bitmap image = {0};
    ck_assert_ok(wsr__bitmap_reserve(&image, in));
    for (size_t i = 0; i < 70; i++) {
        image.spare[i] = (unsigned char)i;
    }
    wsr__bitmap_swap(&image, in);
    ck_assert_ok(wsr__bitmap_crop(&image, &window));
    ck_assert_int_eq(image.shape.h, 3);
    ck_assert_int_eq(image.shape.w, 2);
    for (size_t i = 0; i < 12; i++) {
        const size_t want = i / 6 * 35 + (i / 2 % 3 + 1) * 7 + 3 + i % 2;
        ck_assert_uint_eq(image.bytes[i], want);
    }
    wsr__bitmap_free(&image);
    ck_assert_ptr_null(image.bytes);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        every_byte_survives_the_way_to_a_float_and_back,
        floats_between_bytes_are_rounded_and_others_clamped,
        offsets_of_half_a_pixel_round_to_even,
        a_window_larger_than_the_image_is_refused,
        a_crop_holds_the_pixels_of_its_window,
        NULL,
    };
    return suite_of("bitmap", tests);
}
