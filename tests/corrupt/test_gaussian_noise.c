// SPDX-License-Identifier: Apache-2.0

#include "corrupt/images.h"

// Half grey, so that hardly a number is cut off.
START_TEST(mean_and_deviation_are_those_of_the_constants)
{
    static const double sigma[5] = {0.04, 0.06, 0.08, 0.09, 0.10};
    for (int severity = 1; severity <= 5; severity++) {
        float x[FLOATS];
        double sum = 0;
        double squares = 0;
        constant(x, 0.5f);
        corrupt_one(x, "gaussian_noise", severity, 0);
        for (int i = 0; i < FLOATS; i++) {
            const double d = (double)x[i] - 0.5;
            sum += d / FLOATS;
            squares += d * d / FLOATS;
        }
        // Rounding down takes half a byte off the mean; 4 standard errors.
        const double error = 4 * sigma[severity - 1] / sqrt(FLOATS);
        ck_assert_double_eq_tol(sum, 0, error + 0.5 / 255);
        ck_assert_double_eq_tol(sqrt(squares), sigma[severity - 1], error);
    }
}
END_TEST

// Kurtosis 3 within 5 of its standard errors, sqrt(24 / n).
START_TEST(the_noise_is_normal)
{
    float x[FLOATS];
    double second = 0;
    double fourth = 0;
    constant(x, 0.5f);
    corrupt_one(x, "gaussian_noise", 4, 1);
    for (int i = 0; i < FLOATS; i++) {
        const double d = (double)x[i] + 0.5 / 255 - 128.0 / 255;
        second += d * d / FLOATS;
        fourth += d * d * d * d / FLOATS;
    }
    ck_assert_double_eq_tol(fourth / (second * second), 3,
                            5 * sqrt(24.0 / FLOATS));
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        mean_and_deviation_are_those_of_the_constants,
        the_noise_is_normal,
        NULL,
    };
    return suite_of("gaussian_noise", tests);
}
