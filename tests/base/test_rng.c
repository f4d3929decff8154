// SPDX-License-Identifier: Apache-2.0

#include "base/base.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

// Known answers published with Random123 for philox4x32 with 10 rounds.
START_TEST(the_cipher_gives_the_published_answers)
{
    static const struct {
        uint32_t counter[4], key[2], block[4];
    } cases[] = {
        {{0, 0, 0, 0},
         {0, 0},
         {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        wsr__rng rng = {.used = 4};
        memcpy(rng.counter, cases[i].counter, sizeof(rng.counter));
        memcpy(rng.key, cases[i].key, sizeof(rng.key));
        for (size_t j = 0; j < 4; j++) {
            ck_assert_uint_eq(wsr__rng_u32(&rng), cases[i].block[j]);
        }
    }
}
END_TEST

START_TEST(a_stream_depends_on_all_four_coordinates)
{
    const wsr__rng streams[] = {
        wsr__rng_at(1, WSR__RNG_TEST, 2, 3),
        wsr__rng_at(2, WSR__RNG_TEST, 2, 3),
        wsr__rng_at(1, WSR__RNG_INIT, 2, 3),
        wsr__rng_at(1, WSR__RNG_TEST, 3, 3),
        wsr__rng_at(1, WSR__RNG_TEST, 2, 4),
        wsr__rng_at((1ull << 32) + 1, WSR__RNG_TEST, 2, 3),
        wsr__rng_at(1, WSR__RNG_TEST, (2ull << 32) + 2, 3),
    };
    const size_t n = sizeof(streams) / sizeof(streams[0]);
    uint32_t first[sizeof(streams) / sizeof(streams[0])];
    for (size_t i = 0; i < n; i++) {
        wsr__rng rng = streams[i];
        first[i] = wsr__rng_u32(&rng);
        for (size_t j = 0; j < i; j++) {
            ck_assert_uint_ne(first[i], first[j]);
        }
    }
}
END_TEST

START_TEST(a_stream_does_not_run_into_its_neighbours)
{
    wsr__rng rng = wsr__rng_at(1, WSR__RNG_TEST, 2, 3);
    for (uint32_t block = 1; block < 4; block++) {
        wsr__rng next_b = wsr__rng_at(1, WSR__RNG_TEST, 2, 3 + block);
        wsr__rng next_a = wsr__rng_at(1, WSR__RNG_TEST, 2 + block, 3);
        for (int i = 0; i < 4; i++) {
            (void)wsr__rng_u32(&rng);
        }
        wsr__rng here = rng;
        const uint32_t number = wsr__rng_u32(&here);
        ck_assert_uint_ne(number, wsr__rng_u32(&next_b));
        ck_assert_uint_ne(number, wsr__rng_u32(&next_a));
    }
}
END_TEST

START_TEST(streams_do_not_depend_on_the_order_of_their_use)
{
    enum { STREAMS = 5, DRAWS = 13 };
    uint32_t in_turn[STREAMS][DRAWS];
    for (uint32_t s = 0; s < STREAMS; s++) {
        wsr__rng rng = wsr__rng_at(9, WSR__RNG_TEST, 1, s);
        for (size_t d = 0; d < DRAWS; d++) {
            in_turn[s][d] = wsr__rng_u32(&rng);
        }
    }
    wsr__rng together[STREAMS];
    for (uint32_t s = STREAMS; s-- > 0;) {
        together[s] = wsr__rng_at(9, WSR__RNG_TEST, 1, s);
    }
    for (size_t d = 0; d < DRAWS; d++) {
        for (size_t s = STREAMS; s-- > 0;) {
            ck_assert_uint_eq(wsr__rng_u32(&together[s]), in_turn[s][d]);
        }
    }
}
END_TEST

// Bounds of five standard errors of n = 2^20 draws.
START_TEST(uniform_numbers_have_the_moments_of_the_uniform)
{
    const int n = 1 << 20;
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, 0, 0);
    double sum = 0.0;
    double square = 0.0;
    bool inside = true;
    for (int i = 0; i < n; i++) {
        const double u = (double)wsr__rng_uniform(&rng);
        inside = inside && u >= 0.0 && u < 1.0;
        sum += u;
        square += u * u;
    }
    const double mean = sum / n;
    ck_assert(inside);
    ck_assert_double_eq_tol(mean, 0.5, 5.0 * sqrt(1.0 / 12.0 / n));
    ck_assert_double_eq_tol(square / n, 1.0 / 3.0, 5.0 * sqrt(4.0 / 45.0 / n));
}
END_TEST

START_TEST(normal_numbers_have_the_moments_of_the_normal)
{
    const int n = 1 << 20;
    wsr__rng rng = wsr__rng_at(4, WSR__RNG_TEST, 0, 0);
    double m[5] = {0};
    for (int i = 0; i < n; i++) {
        const double x = wsr__rng_normal(&rng);
        m[1] += x / n;
        m[2] += x * x / n;
        m[3] += x * x * x / n;
        m[4] += x * x * x * x / n;
    }
    ck_assert_double_eq_tol(m[1], 0.0, 5.0 * sqrt(1.0 / n));
    ck_assert_double_eq_tol(m[2], 1.0, 5.0 * sqrt(2.0 / n));
    ck_assert_double_eq_tol(m[3], 0.0, 5.0 * sqrt(15.0 / n));
    ck_assert_double_eq_tol(m[4], 3.0, 5.0 * sqrt(96.0 / n));
}
END_TEST

START_TEST(numbers_below_n_are_uniform)
{
    enum { N = 7, DRAWS = 70000 };
    wsr__rng rng = wsr__rng_at(5, WSR__RNG_TEST, 0, 0);
    int count[N] = {0};
    for (int i = 0; i < DRAWS; i++) {
        const uint32_t x = wsr__rng_below(&rng, N);
        ck_assert_uint_lt(x, N);
        count[x]++;
    }
    double chi2 = 0.0;
    for (int i = 0; i < N; i++) {
        const double d = count[i] - (double)DRAWS / N;
        chi2 += d * d * N / DRAWS;
    }
    ck_assert_double_lt(chi2, 27.9); // 6 degrees of freedom, p = 1e-4
    ck_assert_uint_eq(wsr__rng_below(&rng, 1), 0);
    ck_assert_uint_eq(wsr__rng_below(&rng, 0), 0);
}
END_TEST

// With n = 3 * 2^30 a draw that is merely reduced modulo n would fall into
// the lowest third half of the time.
START_TEST(numbers_below_a_huge_n_are_unbiased)
{
    const uint32_t n = 3u << 30;
    const int draws = 30000;
    wsr__rng rng = wsr__rng_at(6, WSR__RNG_TEST, 0, 0);
    int low = 0;
    for (int i = 0; i < draws; i++) {
        low += wsr__rng_below(&rng, n) < n / 3;
    }
    const double sd = sqrt(draws * 2.0 / 9.0);
    ck_assert_double_eq_tol((double)low, draws / 3.0, 5.0 * sd);
}
END_TEST

START_TEST(a_permutation_holds_every_number_once)
{
    for (uint32_t n = 0; n < 40; n++) {
        uint32_t order[40] = {0};
        bool seen[40] = {false};
        wsr__rng rng = wsr__rng_at(7, WSR__RNG_TEST, n, 0);
        wsr__rng_permutation(&rng, order, n);
        for (uint32_t i = 0; i < n; i++) {
            ck_assert_uint_lt(order[i], n);
            ck_assert(!seen[order[i]]);
            seen[order[i]] = true;
        }
    }
}
END_TEST

START_TEST(all_permutations_of_three_are_equally_likely)
{
    int count[27] = {0};
    const int draws = 60000;
    for (int i = 0; i < draws; i++) {
        uint32_t order[3];
        wsr__rng rng = wsr__rng_at(8, WSR__RNG_TEST, (uint64_t)i, 0);
        wsr__rng_permutation(&rng, order, 3);
        count[order[0] * 9 + order[1] * 3 + order[2]]++;
    }
    int kinds = 0;
    for (size_t i = 0; i < 27; i++) {
        kinds += count[i] != 0;
        if (count[i] != 0) {
            ck_assert_double_eq_tol(count[i], draws / 6.0, 500.0);
        }
    }
    ck_assert_int_eq(kinds, 6);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_cipher_gives_the_published_answers,
        a_stream_depends_on_all_four_coordinates,
        a_stream_does_not_run_into_its_neighbours,
        streams_do_not_depend_on_the_order_of_their_use,
        uniform_numbers_have_the_moments_of_the_uniform,
        normal_numbers_have_the_moments_of_the_normal,
        numbers_below_n_are_uniform,
        numbers_below_a_huge_n_are_unbiased,
        a_permutation_holds_every_number_once,
        all_permutations_of_three_are_equally_likely,
        NULL,
    };
    return suite_of("rng", tests);
}
