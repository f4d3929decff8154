// SPDX-License-Identifier: Apache-2.0

#include "corrupt/images.h"

// Written out: three indices on either side of 0 .. 3, and far ones.
START_TEST(indices_beyond_the_border)
{
    static const int64_t repeat[] = {0, 0, 0, 0, 1, 2, 3, 3, 3, 3};
    static const int64_t mirror[] = {2, 1, 0, 0, 1, 2, 3, 3, 2, 1};
    static const int64_t reflect[] = {3, 2, 1, 0, 1, 2, 3, 2, 1, 0};
    for (int64_t i = -3; i < 7; i++) {
        ck_assert_int_eq(wsr__border_index(i, 4, WSR__BORDER_REPEAT),
                         repeat[i + 3]);
        ck_assert_int_eq(wsr__border_index(i, 4, WSR__BORDER_MIRROR),
                         mirror[i + 3]);
        ck_assert_int_eq(wsr__border_index(i, 4, WSR__BORDER_REFLECT),
                         reflect[i + 3]);
    }
    for (int64_t i = -1000; i < 1000; i++) {
        const int64_t m = wsr__border_index(i, 4, WSR__BORDER_MIRROR);
        const int64_t r = wsr__border_index(i, 4, WSR__BORDER_REFLECT);
        ck_assert_int_eq(m, wsr__border_index(i + 8, 4, WSR__BORDER_MIRROR));
        ck_assert_int_eq(r, wsr__border_index(i + 6, 4, WSR__BORDER_REFLECT));
        ck_assert_int_eq(wsr__border_index(i, 1, WSR__BORDER_REFLECT), 0);
    }
}
END_TEST

// The Gaussian of a point, from its formula.
START_TEST(a_point_becomes_a_gaussian)
{
    const wsr__image plane = {1, SIDE, SIDE};
    const wsr__gauss gauss = {1.5, 4, WSR__BORDER_MIRROR};
    double x[PIXELS] = {0};
    double spare[PIXELS];
    double total = 0;
    x[16 * SIDE + 16] = 1;
    wsr__smooth(x, plane, &gauss, spare);
    for (int i = 0; i < PIXELS; i++) {
        const int row = i / SIDE - 16;
        const int column = i % SIDE - 16;
        const double y = row;
        const double k = column;
        const double r = (y * y + k * k) / (2 * 1.5 * 1.5);
        const double want = exp(-r) / (2 * 3.14159265358979 * 1.5 * 1.5);
        total += x[i];
        ck_assert(fabs(y) > 6 || fabs(k) > 6 || fabs(x[i] - want) < 1e-5);
    }
    ck_assert_double_eq_tol(total, 1, 1e-12);
}
END_TEST

START_TEST(colours_survive_hue_saturation_and_value)
{
    for (int i = 0; i < 4096; i++) {
        const int digits[3] = {i % 16, i / 16 % 16, i / 256};
        const double rgb[3] = {digits[0] / 15.0, digits[1] / 15.0,
                               digits[2] / 15.0};
        double x[3];
        memcpy(x, rgb, sizeof(x));
        wsr__to_hsv(x, 1);
        ck_assert(x[0] >= 0 && x[0] <= 1 && x[1] >= 0 && x[1] <= 1);
        wsr__from_hsv(x, 1);
        for (int c = 0; c < 3; c++) {
            ck_assert_double_eq_tol(x[c], rgb[c], 1e-12);
        }
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        indices_beyond_the_border,
        a_point_becomes_a_gaussian,
        colours_survive_hue_saturation_and_value,
        NULL,
    };
    return suite_of("filter", tests);
}
