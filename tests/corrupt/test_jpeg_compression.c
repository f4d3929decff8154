// SPDX-License-Identifier: Apache-2.0

#include "corrupt/images.h"

START_TEST(bytes_are_those_of_the_authors_program)
{
    static const int stored[5][SAMPLES] = {
        {0, 200, 196, 63, 94, 208, 108, 160},
        {0, 183, 230, 44, 113, 193, 133, 155},
        {0, 222, 217, 49, 120, 190, 147, 152},
        {0, 222, 217, 61, 89, 200, 168, 131},
        {14, 227, 161, 43, 75, 196, 179, 119}};
    expect_stored("jpeg_compression", stored, 0);
}
END_TEST

START_TEST(a_grey_block_keeps_its_mean)
{
    float x[FLOATS];
    constant(x, 128.0f / 255.0f);
    corrupt_one(x, "jpeg_compression", 5, 0);
    for (int i = 0; i < FLOATS; i++) {
        ck_assert_int_eq(byte_of(x[i]), 128);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        bytes_are_those_of_the_authors_program,
        a_grey_block_keeps_its_mean,
        NULL,
    };
    return suite_of("jpeg_compression", tests);
}
