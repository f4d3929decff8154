// SPDX-License-Identifier: Apache-2.0

#include "corrupt/images.h"

START_TEST(bytes_are_those_of_the_authors_program)
{
    static const int stored[5][SAMPLES] = {
        {0, 178, 186, 49, 124, 134, 181, 145},
        {5, 184, 189, 58, 115, 118, 173, 152},
        {7, 186, 187, 60, 125, 113, 157, 154},
        {12, 190, 188, 66, 127, 111, 147, 159},
        {16, 194, 187, 70, 135, 123, 140, 162}};
    expect_stored("zoom_blur", stored, 1);
}
END_TEST

// 32 pixels are 26 of them enlarged by 1.25, which makes 32.5, rounded to even;
// those begin at pixel 3 and their ends stay ends.
START_TEST(a_zoomed_ramp_is_a_flatter_ramp)
{
    const wsr__image plane = {1, SIDE, SIDE};
    double src[PIXELS];
    double dst[PIXELS];
    for (int i = 0; i < PIXELS; i++) {
        src[i] = i % SIDE;
    }
    wsr__zoom(dst, src, plane, 1.25);
    for (int i = 0; i < PIXELS; i++) {
        ck_assert_double_eq_tol(dst[i], 3 + i % SIDE * 25.0 / 31, 1e-12);
    }
    wsr__zoom(dst, src, plane, 1);
    ck_assert_mem_eq(dst, src, sizeof(src));
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        bytes_are_those_of_the_authors_program,
        a_zoomed_ramp_is_a_flatter_ramp,
        NULL,
    };
    return suite_of("zoom_blur", tests);
}
