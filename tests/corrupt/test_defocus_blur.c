// SPDX-License-Identifier: Apache-2.0

#include "corrupt/images.h"

START_TEST(bytes_are_those_of_the_authors_program)
{
    static const int stored[5][SAMPLES] = {
        {0, 185, 204, 65, 69, 193, 226, 159},
        {2, 185, 204, 65, 72, 179, 197, 159},
        {4, 185, 204, 65, 76, 168, 175, 159},
        {4, 185, 204, 65, 69, 152, 144, 159},
        {8, 185, 204, 65, 98, 147, 133, 159}};
    expect_stored("defocus_blur", stored, 1);
}
END_TEST

START_TEST(a_point_becomes_a_disc)
{
    float x[FLOATS];
    constant(x, 0);
    x[16 * SIDE + 16] = 1;
    corrupt_one(x, "defocus_blur", 4, 0);
    // Radius 1: five pixels of 1/5 each, and almost no soft edge.
    for (int i = 0; i < PIXELS; i++) {
        const int far = abs(i / SIDE - 16) + abs(i % SIDE - 16);
        ck_assert_int_le(abs(byte_of(x[i]) - (far <= 1 ? 51 : 0)), 1);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        bytes_are_those_of_the_authors_program,
        a_point_becomes_a_disc,
        NULL,
    };
    return suite_of("defocus_blur", tests);
}
