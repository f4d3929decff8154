// SPDX-License-Identifier: Apache-2.0

#include "corrupt/images.h"

// The layer of flakes is added together with itself upside down, so a constant
// image becomes one with a point symmetry, and none of it gets darker than
// 0.95 x + 0.05 max(x, 1.5 x + 0.5).
START_TEST(flakes_are_symmetric_and_brighten)
{
    float x[FLOATS];
    int flakes = 0;
    constant(x, 0.2f);
    corrupt_one(x, "snow", 1, 0);
    const int ground = (int)(255 * (0.95 * 0.2 + 0.05 * (1.5 * 0.2 + 0.5)));
    for (int i = 0; i < PIXELS; i++) {
        ck_assert_int_eq(byte_of(x[i]), byte_of(x[PIXELS - 1 - i]));
        ck_assert_int_eq(byte_of(x[i]), byte_of(x[2 * PIXELS + i]));
        ck_assert_int_ge(byte_of(x[i]), ground);
        flakes += byte_of(x[i]) > ground;
    }
    ck_assert_int_gt(flakes, 10);
    ck_assert_int_lt(flakes, PIXELS / 2);
}
END_TEST

// Mean changes of the first 128 test images of CIFAR-10 with the authors'
// program are 10.7 and 51.8 bytes.
START_TEST(stronger_snow_is_brighter)
{
    double mean[2] = {0, 0};
    for (int k = 0; k < 2; k++) {
        float x[FLOATS];
        constant(x, 120.0f / 255.0f);
        corrupt_one(x, "snow", k == 0 ? 1 : 5, 7);
        for (int i = 0; i < FLOATS; i++) {
            mean[k] += (255.0 * (double)x[i] - 120) / FLOATS;
        }
    }
    ck_assert_double_gt(mean[0], 4);
    ck_assert_double_lt(mean[0], 20);
    ck_assert_double_gt(mean[1], 40);
    ck_assert_double_lt(mean[1], 65);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        flakes_are_symmetric_and_brighten,
        stronger_snow_is_brighter,
        NULL,
    };
    return suite_of("snow", tests);
}
