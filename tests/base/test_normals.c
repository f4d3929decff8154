// SPDX-License-Identifier: Apache-2.0

#include "base/base.h"
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 200000 };

static float numbers[MANY];

static void draw(uint32_t b, size_t n)
{
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, 1, b);
    wsr__rng_normals(&rng, numbers, n);
}

START_TEST(each_pair_is_what_box_and_muller_say)
{
    const double pi = 3.14159265358979323846;
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, 1, 0);
    draw(0, 20000);
    for (size_t i = 0; i < 20000; i += 2) {
        const uint32_t a = wsr__rng_u32(&rng);
        const uint32_t b = wsr__rng_u32(&rng);
        const double u = ((double)(a >> 8) + 1) * 0x1p-24;
        const double r = sqrt(-2 * log(u));
        const double turn = (double)(b >> 8) * 0x1p-24 - 0.5 + (double)(b & 3);
        ck_assert_double_eq_tol((double)numbers[i], r * cos(turn * pi / 2),
                                2e-6);
        ck_assert_double_eq_tol((double)numbers[i + 1], r * sin(turn * pi / 2),
                                2e-6);
    }
}
END_TEST

static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a;
    const float y = *(const float *)b;
    return (x > y) - (x < y);
}

START_TEST(they_are_distributed_normally)
{
    double worst = 0;
    draw(1, MANY);
    qsort(numbers, MANY, sizeof(numbers[0]), ascending);
    for (size_t i = 0; i < MANY; i++) {
        const double expected = 0.5 * erfc(-(double)numbers[i] / sqrt(2.0));
        const double d = fabs(expected - ((double)i + 0.5) / MANY);
        worst = d > worst ? d : worst;
    }
    // Kolmogorov and Smirnov: above 1.95 / sqrt(n) in one case of a thousand.
    ck_assert_double_lt(worst, 1.95 / sqrt(MANY));
}
END_TEST

START_TEST(neighbours_are_not_correlated)
{
    draw(2, MANY);
    for (size_t lag = 1; lag < 5; lag++) {
        double sum = 0;
        for (size_t i = lag; i < MANY; i++) {
            sum += (double)numbers[i] * (double)numbers[i - lag];
        }
        ck_assert_double_lt(fabs(sum / MANY), 4 / sqrt(MANY));
    }
}
END_TEST

START_TEST(fewer_numbers_are_the_first_of_many)
{
    static float many[1500];
    static const size_t counts[] = {0, 1, 2, 3, 511, 512, 513, 1499};
    draw(4, 1500);
    memcpy(many, numbers, sizeof(many));
    for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
        memset(numbers, 0, sizeof(many));
        draw(4, counts[k]);
        ck_assert_mem_eq(numbers, many, counts[k] * sizeof(many[0]));
        ck_assert(numbers[counts[k]] == 0.0F);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        each_pair_is_what_box_and_muller_say,
        they_are_distributed_normally,
        neighbours_are_not_correlated,
        fewer_numbers_are_the_first_of_many,
        NULL,
    };
    return suite_of("normals", tests);
}
