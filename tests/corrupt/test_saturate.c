// SPDX-License-Identifier: Apache-2.0

#include "corrupt/images.h"

START_TEST(bytes_are_those_of_the_authors_program)
{
    static const int stored[5][SAMPLES] = {
        {0, 218, 215, 85, 169, 233, 246, 159},
        {0, 228, 218, 91, 198, 241, 246, 159},
        {0, 179, 196, 50, 0, 181, 246, 159},
        {0, 179, 194, 47, 0, 147, 246, 159},
        {0, 179, 194, 47, 0, 121, 246, 159}};
    expect_stored("saturate", stored, 0);
}
END_TEST

START_TEST(grey_pixels_have_no_saturation_to_change)
{
    float x[FLOATS];
    constant(x, 77.0f / 255.0f);
    corrupt_one(x, "saturate", 3, 0);
    for (int i = 0; i < FLOATS; i++) {
        ck_assert_int_eq(byte_of(x[i]), 77);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        bytes_are_those_of_the_authors_program,
        grey_pixels_have_no_saturation_to_change,
        NULL,
    };
    return suite_of("saturate", tests);
}
