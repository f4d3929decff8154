// SPDX-License-Identifier: Apache-2.0

#include "corrupt/images.h"

// At the first severity nothing is blurred: a pixel is itself or a neighbour
// above or to the left, in all channels alike.
START_TEST(pixels_are_copies_of_near_ones)
{
    float before[FLOATS];
    float x[FLOATS];
    int seen[4] = {0};
    pattern(before);
    pattern(x);
    corrupt_one(x, "glass_blur", 1, 2);
    for (int i = 0; i < PIXELS; i++) {
        const int y = i / SIDE;
        const int k = i % SIDE;
        bool found = false;
        for (int d = 0; d < 4 && !found; d++) {
            const int from = (y - d / 2) * SIDE + k - d % 2;
            found = y >= d / 2 && k >= d % 2;
            for (int c = 0; c < 3; c++) {
                found = found && byte_of(x[c * PIXELS + i]) ==
                                     byte_of(before[c * PIXELS + from]);
            }
            seen[d] += found;
        }
        ck_assert_msg(found, "pixel %d is none of the neighbours", i);
        ck_assert(y > 1 || byte_of(x[i]) == byte_of(before[i]));
    }
    for (int d = 0; d < 4; d++) {
        ck_assert_int_gt(seen[d], PIXELS / 8);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {pixels_are_copies_of_near_ones, NULL};
    return suite_of("glass_blur", tests);
}
