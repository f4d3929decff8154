// SPDX-License-Identifier: Apache-2.0

#include "corrupt/images.h"

// White becomes (1 + density f) / (1 + density) with f from 0 to 1, both of
// which occur.
START_TEST(white_shows_the_whole_range_of_the_fractal)
{
    static const double density[5] = {0.2, 0.5, 0.75, 1, 1.5};
    for (int severity = 1; severity <= 5; severity++) {
        float x[FLOATS];
        int low = 255;
        int high = 0;
        constant(x, 1);
        corrupt_one(x, "fog", severity, 1);
        for (int i = 0; i < PIXELS; i++) {
            const int b = byte_of(x[i]);
            low = b < low ? b : low;
            high = b > high ? b : high;
            ck_assert_int_eq(b, byte_of(x[PIXELS + i]));
        }
        ck_assert_int_ge(high, 254);
        ck_assert_int_eq(low, (int)(255 / (1 + density[severity - 1])));
    }
}
END_TEST

// A large decay leaves coarse structure alone: neighbours differ little.
START_TEST(fog_is_smooth)
{
    float x[FLOATS];
    double rough = 0;
    double spread = 0;
    double mean = 0;
    constant(x, 1);
    corrupt_one(x, "fog", 2, 3);
    for (int i = 0; i < PIXELS; i++) {
        mean += (double)x[i] / PIXELS;
    }
    for (int i = 0; i < PIXELS; i++) {
        const double d = (double)x[i] - mean;
        const int right = i / SIDE * SIDE + (i + 1) % SIDE;
        const double step = (double)(x[right] - x[i]);
        spread += d * d;
        rough += step * step;
    }
    ck_assert_double_lt(rough, 0.3 * spread);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        white_shows_the_whole_range_of_the_fractal,
        fog_is_smooth,
        NULL,
    };
    return suite_of("fog", tests);
}
