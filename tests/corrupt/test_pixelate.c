// SPDX-License-Identifier: Apache-2.0

#include "corrupt/images.h"

START_TEST(bytes_are_those_of_the_authors_program)
{
    static const int stored[5][SAMPLES] = {
        {0, 185, 197, 65, 69, 203, 223, 159},
        {0, 178, 204, 53, 44, 188, 246, 173},
        {0, 185, 191, 82, 56, 219, 246, 156},
        {0, 193, 191, 65, 69, 110, 213, 169},
        {7, 178, 212, 38, 58, 155, 113, 173}};
    expect_stored("pixelate", stored, 0);
}
END_TEST

START_TEST(boxes_of_the_reduced_image_have_one_colour)
{
    float x[FLOATS];
    int same = 0;
    pattern(x);
    corrupt_one(x, "pixelate", 5, 0); // 20 of 32 pixels
    for (int i = 1; i < SIDE; i++) {
        same += byte_of(x[i]) == byte_of(x[i - 1]);
    }
    ck_assert_int_ge(same, 12);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        bytes_are_those_of_the_authors_program,
        boxes_of_the_reduced_image_have_one_colour,
        NULL,
    };
    return suite_of("pixelate", tests);
}
