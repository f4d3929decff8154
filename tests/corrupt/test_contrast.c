// SPDX-License-Identifier: Apache-2.0

#include "corrupt/images.h"

START_TEST(bytes_are_those_of_the_authors_program)
{
    static const int stored[5][SAMPLES] = {
        {31, 169, 184, 80, 83, 183, 215, 150},
        {62, 154, 164, 95, 97, 164, 185, 142},
        {74, 148, 156, 101, 103, 156, 173, 138},
        {87, 142, 148, 107, 109, 149, 161, 135},
        {106, 133, 136, 117, 117, 137, 143, 130}};
    expect_stored("contrast", stored, 0);
}
END_TEST

START_TEST(the_mean_stays_and_the_spread_shrinks)
{
    float x[FLOATS];
    double sum[2] = {0, 0};
    double squares[2] = {0, 0};
    pattern(x);
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < PIXELS; i++) {
            sum[pass] += (double)x[i] / PIXELS;
            squares[pass] += (double)(x[i] * x[i]) / PIXELS;
        }
        corrupt_one(x, "contrast", 2, 0);
    }
    const double before = sqrt(squares[0] - sum[0] * sum[0]);
    const double after = sqrt(squares[1] - sum[1] * sum[1]);
    ck_assert_double_eq_tol(sum[0], sum[1], 1.0 / 255); // rounded down
    ck_assert_double_eq_tol(after / before, 0.5, 0.005);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        bytes_are_those_of_the_authors_program,
        the_mean_stays_and_the_spread_shrinks,
        NULL,
    };
    return suite_of("contrast", tests);
}
