// SPDX-License-Identifier: Apache-2.0

#include "corrupt/images.h"

START_TEST(the_deviation_grows_with_the_number)
{
    static const double sigma[5] = {0.06, 0.1, 0.12, 0.16, 0.2};
    static const float values[2] = {51.0f / 255.0f, 102.0f / 255.0f};
    for (int severity = 1; severity <= 5; severity++) {
        for (int k = 0; k < 2; k++) {
            float x[FLOATS];
            double squares = 0;
            constant(x, values[k]);
            corrupt_one(x, "speckle_noise", severity, 0);
            for (int i = 0; i < FLOATS; i++) {
                const double d = (double)(x[i] - values[k]) + 0.5 / 255;
                squares += d * d / FLOATS;
            }
            const double want = sigma[severity - 1] * (double)values[k];
            ck_assert_double_eq_tol(sqrt(squares) / want, 1, 0.06);
        }
    }
}
END_TEST

START_TEST(black_stays_black)
{
    float x[FLOATS];
    constant(x, 0);
    corrupt_one(x, "speckle_noise", 5, 0);
    for (int i = 0; i < FLOATS; i++) {
        ck_assert_int_eq(byte_of(x[i]), 0);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_deviation_grows_with_the_number,
        black_stays_black,
        NULL,
    };
    return suite_of("speckle_noise", tests);
}
