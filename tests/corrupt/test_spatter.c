// SPDX-License-Identifier: Apache-2.0

#include "corrupt/images.h"

// OpenCV's Canny(50, 150) of two overlapping rectangles of bytes has 83 pixels;
// stored are the first, tenth, ... of them, and distances to them at positions
// 131 i % 1024.
START_TEST(contours_and_distances_are_opencvs)
{
    static const int stored[] = {235, 244, 361, 426, 483,
                                 579, 629, 739, 869, 878};
    static const double distances[SAMPLES] = {12.5999, 7.7969, 3.1969, 0,
                                              3,       1,      3,      6.1969};
    const wsr__image plane = {1, SIDE, SIDE};
    double layer[PIXELS];
    double edges[PIXELS];
    double spare[3 * PIXELS];
    int n = 0;
    for (int i = 0; i < PIXELS; i++) {
        const int y = i / SIDE;
        const int x = i % SIDE;
        const bool first = y >= 8 && y < 20 && x >= 10 && x < 24;
        const bool second = y >= 14 && y < 28 && x >= 4 && x < 16;
        layer[i] = second ? 220 : first ? 200 : 0;
    }
    wsr__contours(edges, layer, plane, spare);
    for (int i = 0; i < PIXELS; i++) {
        ck_assert(edges[i] <= 0 || n % 9 != 0 || stored[n / 9] == i);
        n += edges[i] > 0;
    }
    ck_assert_int_eq(n, 83);
    wsr__distances(layer, edges, plane);
    for (int i = 0; i < SAMPLES; i++) {
        ck_assert_double_eq_tol(layer[131 * i % PIXELS], distances[i], 1e-3);
    }
}
END_TEST

// Water adds the colours 175, 238, 238, at most half of them.
START_TEST(water_is_turquoise)
{
    for (size_t index = 0; index < 8; index++) {
        float x[FLOATS];
        int most = 0;
        constant(x, 0);
        corrupt_one(x, "spatter", 2, index);
        for (int i = 0; i < PIXELS; i++) {
            const int green = byte_of(x[PIXELS + i]);
            ck_assert_int_eq(green, byte_of(x[2 * PIXELS + i]));
            ck_assert_int_le(abs(byte_of(x[i]) - green * 175 / 238), 1);
            most = green > most ? green : most;
        }
        ck_assert_int_le(abs(most - 119), 1); // somewhere all of it
    }
}
END_TEST

// Mud covers white in the colours 63, 42, 20, by four fifths at least.
START_TEST(mud_is_brown)
{
    for (size_t index = 0; index < 8; index++) {
        float x[FLOATS];
        int covered = 0;
        constant(x, 1);
        corrupt_one(x, "spatter", 5, index);
        for (int i = 0; i < PIXELS; i++) {
            const double cover = (255 - byte_of(x[2 * PIXELS + i])) / 235.0;
            ck_assert(cover < 0.01 || cover > 0.79);
            ck_assert_double_eq_tol(byte_of(x[i]), 255 - cover * 192, 2);
            covered += cover > 0.5;
        }
        ck_assert_int_gt(covered, PIXELS / 200);
        ck_assert_int_lt(covered, PIXELS / 2);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        contours_and_distances_are_opencvs,
        water_is_turquoise,
        mud_is_brown,
        NULL,
    };
    return suite_of("spatter", tests);
}
