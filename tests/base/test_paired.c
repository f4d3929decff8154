// SPDX-License-Identifier: Apache-2.0
//
// McNemar's test against sums of binomial coefficients, and Newcombe's interval
// against the examples of his paper.

#include "base/paired.h"
#include "support/support.h"

#include <math.h>

static double choose(size_t n, size_t k)
{
    double c = 1;
    for (size_t i = 1; i <= k; i++) {
        c = c * (double)(n - k + i) / (double)i;
    }
    return c;
}

START_TEST(p_values_are_sums_of_coefficients)
{
    for (size_t b = 0; b < 30; b++) {
        for (size_t c = 0; c < 30; c++) {
            const size_t n = b + c;
            const size_t k = b < c ? b : c;
            double exact = 0;
            double mid = 0;
            double sum = 0;
            for (size_t i = 0; i <= k; i++) {
                sum += choose(n, i) / pow(2, (double)n);
            }
            const double itself = choose(n, k) / pow(2, (double)n);
            wsr__mcnemar(&exact, &mid, b, c);
            ck_assert_double_eq_tol(exact, fmin(1, 2 * sum), 1e-12);
            if (b != c) {
                ck_assert_double_eq_tol(mid, 2 * sum - itself, 1e-12);
            } else {
                ck_assert_double_eq_tol(mid, n == 0 ? 1 : 1 - itself / 2,
                                        1e-12);
            }
        }
    }
}
END_TEST

// SciPy: binomtest(1, 8).pvalue is 0.0703125; half the split less: 0.0390625.
START_TEST(a_known_table)
{
    double exact = 0;
    double mid = 0;
    wsr__mcnemar(&exact, &mid, 1, 7);
    ck_assert_double_eq_tol(exact, 0.0703125, 1e-12);
    ck_assert_double_eq_tol(mid, 0.0390625, 1e-12);
    wsr__mcnemar(&exact, &mid, 3000, 4000); // no overflow
    ck_assert(exact > 0 && exact < 1e-30 && mid < exact);
}
END_TEST

// Table II of the paper, method 10: (36, 12, 2, 0), (54, 0, 0, 0) and
// (0, 30, 0, 0) have these intervals.
START_TEST(intervals_are_those_of_the_paper)
{
    static const struct {
        wsr__paired of;
        double low;
        double high;
    } rows[] = {{{36, 12, 2, 0}, 0.0569, 0.3404},
                {{54, 0, 0, 0}, -0.0664, 0.0664},
                {{0, 30, 0, 0}, 0.8395, 1}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        double low = 0;
        double high = 0;
        wsr__newcombe(&low, &high, &rows[i].of);
        ck_assert_double_eq_tol(low, rows[i].low, 0.0006);
        ck_assert_double_eq_tol(high, rows[i].high, 0.0006);
    }
}
END_TEST

START_TEST(exchanging_the_two_exchanges_the_ends)
{
    for (size_t i = 0; i < 200; i++) {
        const wsr__paired of = {i * 7 % 23, i * 5 % 11, i % 6, i * 3 % 17 + 1};
        const wsr__paired back = {of.both, of.only_b, of.only_a, of.neither};
        double ends[4];
        wsr__newcombe(&ends[0], &ends[1], &of);
        wsr__newcombe(&ends[2], &ends[3], &back);
        ck_assert_double_eq_tol(ends[0], -ends[3], 1e-12);
        ck_assert_double_eq_tol(ends[1], -ends[2], 1e-12);
        const double n = (double)(of.both + of.only_a + of.only_b + of.neither);
        const double difference = ((double)of.only_a - (double)of.only_b) / n;
        ck_assert(ends[0] <= difference && difference <= ends[1]);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {p_values_are_sums_of_coefficients,
                                  a_known_table,
                                  intervals_are_those_of_the_paper,
                                  exchanging_the_two_exchanges_the_ends, NULL};
    return suite_of("base/paired", tests);
}
