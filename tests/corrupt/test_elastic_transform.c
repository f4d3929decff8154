// SPDX-License-Identifier: Apache-2.0

#include "corrupt/images.h"

START_TEST(a_constant_image_stays)
{
    for (int severity = 1; severity <= 5; severity++) {
        float x[FLOATS];
        constant(x, 128.0f / 255.0f);
        corrupt_one(x, "elastic_transform", severity, 0);
        for (int i = 0; i < FLOATS; i++) {
            // The weights of four pixels may round a byte down.
            ck_assert_int_le(abs(byte_of(x[i]) - 128), 1);
        }
    }
}
END_TEST

// How far pixels near the middle of a ramp have moved along it, at most.
static double farthest(int severity, size_t index)
{
    double most = 0;
    float x[FLOATS];
    for (int i = 0; i < FLOATS; i++) {
        x[i] = (float)(8 * (i % SIDE)) / 255.0f;
    }
    corrupt_one(x, "elastic_transform", severity, index);
    for (int y = 8; y < 24; y++) {
        for (int k = 8; k < 24; k++) {
            most = fmax(most, fabs(byte_of(x[y * SIDE + k]) / 8.0 - k));
        }
    }
    return most;
}

// The corners of the square are 10 pixels from the middle and move by at most
// `reach`; the map is linear, so pixels within 10 of the middle move by at most
// 3 `reach`, and then by the field.
START_TEST(pixels_move_but_not_far)
{
    static const double reach[5] = {2.56, 2.24, 1.92, 1.6, 0.96};
    static const double field[5] = {0, 1.6, 2.56, 3.2, 3.2};
    for (int severity = 1; severity <= 5; severity++) {
        double most = 0;
        for (size_t index = 0; index < 8; index++) {
            most = fmax(most, farthest(severity, index));
        }
        ck_assert_double_gt(most, 0.5 * reach[severity - 1]);
        ck_assert_double_lt(most,
                            3 * reach[severity - 1] + field[severity - 1]);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_constant_image_stays,
        pixels_move_but_not_far,
        NULL,
    };
    return suite_of("elastic_transform", tests);
}
