// SPDX-License-Identifier: Apache-2.0

#include "corrupt/images.h"

// Bytes of ImageMagick for the green plane, at positions 131 i % 1024.
START_TEST(a_line_of_given_angle_is_imagemagicks)
{
    static const double angles[3] = {-100, -45, 20};
    static const int stored[3][SAMPLES] = {
        {0, 52, 154, 79, 206, 155, 139, 156},
        {2, 67, 180, 71, 208, 206, 188, 188},
        {9, 94, 170, 106, 126, 166, 161, 119}};
    for (int a = 0; a < 3; a++) {
        const wsr__image plane = {1, SIDE, SIDE};
        const wsr__motion motion = {6, 2, angles[a]};
        double x[PIXELS];
        double spare[PIXELS];
        for (int i = 0; i < PIXELS; i++) {
            x[i] = pattern_byte(1, i / SIDE, i % SIDE) / 255.0;
        }
        wsr__motion_blur(x, plane, &motion, spare);
        for (int i = 0; i < SAMPLES; i++) {
            ck_assert_int_eq((int)lrint(255 * x[131 * i % PIXELS]),
                             stored[a][i]);
        }
    }
}
END_TEST

// The angle is within 45 degrees of the horizontal, so that a column of light
// spreads to the left by all of the line.
START_TEST(angles_are_near_the_horizontal)
{
    int up = 0;
    int down = 0;
    for (size_t index = 0; index < 64; index++) {
        float x[FLOATS];
        constant(x, 0);
        x[16 * SIDE + 20] = 1;
        corrupt_one(x, "motion_blur", 3, index);
        for (int i = 0; i < PIXELS; i++) {
            const int dy = i / SIDE - 16;
            const int dx = 20 - i % SIDE;
            ck_assert(byte_of(x[i]) == 0 || (dx >= 0 && abs(dy) <= dx));
            up += byte_of(x[i]) > 0 && dy < 0;
            down += byte_of(x[i]) > 0 && dy > 0;
        }
    }
    ck_assert_int_gt(up, 64);
    ck_assert_int_gt(down, 64);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        a_line_of_given_angle_is_imagemagicks,
        angles_are_near_the_horizontal,
        NULL,
    };
    return suite_of("motion_blur", tests);
}
