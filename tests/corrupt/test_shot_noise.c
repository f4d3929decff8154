// SPDX-License-Identifier: Apache-2.0

#include "corrupt/images.h"

static void moments(double *mean, double *variance, float value, int severity)
{
    float x[FLOATS];
    double sum = 0;
    double squares = 0;
    constant(x, value);
    corrupt_one(x, "shot_noise", severity, 3);
    for (int i = 0; i < FLOATS; i++) {
        const double v = (double)x[i] + 0.5 / 255; // was rounded down
        sum += v / FLOATS;
        squares += v * v / FLOATS;
    }
    *mean = sum;
    *variance = squares - sum * sum;
}

// A count of x photons has mean and variance x photons. Small counts and large
// ones are drawn by two methods: 0.1 at 50 photons is small.
START_TEST(mean_and_variance_are_those_of_counts)
{
    static const double photons[5] = {500, 250, 100, 75, 50};
    static const float values[2] = {26.0f / 255.0f, 102.0f / 255.0f};
    for (int severity = 1; severity <= 5; severity++) {
        for (int k = 0; k < 2; k++) {
            double mean;
            double variance;
            const double want = (double)values[k] / photons[severity - 1];
            moments(&mean, &variance, values[k], severity);
            ck_assert_double_eq_tol(mean, (double)values[k],
                                    4 * sqrt(want / FLOATS) + 0.6 / 255);
            ck_assert_double_eq_tol(variance / want, 1, 0.15);
        }
    }
}
END_TEST

// Counts are whole numbers, so that values are multiples of 1 / 50.
START_TEST(values_are_counts)
{
    float x[FLOATS];
    constant(x, 0.4f);
    corrupt_one(x, "shot_noise", 5, 0);
    for (int i = 0; i < FLOATS; i++) {
        const int k = (int)ceil(byte_of(x[i]) * 50 / 255.0 - 1e-9);
        ck_assert_int_eq(byte_of(x[i]), (int)(k / 50.0 * 255));
    }
}
END_TEST

START_TEST(no_light_gives_no_photons)
{
    float x[FLOATS];
    constant(x, 0);
    corrupt_one(x, "shot_noise", 5, 0);
    for (int i = 0; i < FLOATS; i++) {
        ck_assert_int_eq(byte_of(x[i]), 0);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        mean_and_variance_are_those_of_counts,
        values_are_counts,
        no_light_gives_no_photons,
        NULL,
    };
    return suite_of("shot_noise", tests);
}
