// SPDX-License-Identifier: Apache-2.0

#include "corrupt/images.h"

START_TEST(bytes_are_those_of_the_authors_program)
{
    static const int stored[5][SAMPLES] = {
        {0, 185, 204, 65, 69, 193, 226, 159},
        {2, 185, 203, 65, 77, 167, 174, 159},
        {2, 185, 201, 66, 83, 158, 159, 159},
        {3, 185, 198, 68, 89, 151, 149, 159},
        {4, 185, 190, 75, 102, 140, 136, 158}};
    expect_stored("gaussian_blur", stored, 1);
}
END_TEST

START_TEST(a_constant_image_stays)
{
    float x[FLOATS];
    constant(x, 100.0f / 255.0f);
    corrupt_one(x, "gaussian_blur", 5, 0);
    for (int i = 0; i < FLOATS; i++) {
        // The sum of the weights may round a byte down.
        ck_assert_int_ge(byte_of(x[i]), 99);
        ck_assert_int_le(byte_of(x[i]), 100);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        bytes_are_those_of_the_authors_program,
        a_constant_image_stays,
        NULL,
    };
    return suite_of("gaussian_blur", tests);
}
