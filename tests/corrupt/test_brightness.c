// SPDX-License-Identifier: Apache-2.0

#include "corrupt/images.h"

START_TEST(bytes_are_those_of_the_authors_program)
{
    static const int stored[5][SAMPLES] = {
        {12, 195, 215, 73, 73, 210, 255, 171},
        {25, 202, 227, 82, 77, 210, 255, 184},
        {38, 202, 236, 91, 81, 210, 255, 197},
        {51, 202, 236, 100, 82, 210, 255, 210},
        {76, 202, 236, 117, 82, 210, 255, 235}};
    expect_stored("brightness", stored, 0);
}
END_TEST

START_TEST(the_value_rises_and_hue_and_saturation_stay)
{
    float x[FLOATS];
    constant(x, 0.4f);
    for (int i = 0; i < PIXELS; i++) {
        x[i] = 0.2f; // red; the value is that of green and blue
    }
    corrupt_one(x, "brightness", 5, 0);
    ck_assert_float_eq_tol(x[PIXELS], 0.7f, 0.005f);
    ck_assert_float_eq_tol(x[0] / x[PIXELS], 0.5f, 0.01f);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        bytes_are_those_of_the_authors_program,
        the_value_rises_and_hue_and_saturation_stay,
        NULL,
    };
    return suite_of("brightness", tests);
}
