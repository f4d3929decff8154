// SPDX-License-Identifier: Apache-2.0
//
// Tails against sums of products, and against a sum in exact arithmetic
// (Python's math.comb).

#include "base/binomial.h"
#include "support/support.h"

#include <math.h>

START_TEST(tails_are_sums_of_products)
{
    for (size_t n = 1; n < 25; n++) {
        for (int t = 1; t <= 10; t++) {
            const double p = t / 10.0;
            double sum = 0;
            double ways = 1;
            for (size_t k = n + 1; k-- > 0;) {
                sum += ways * pow(p, (double)k) * pow(1 - p, (double)(n - k));
                ways *= (double)k / (double)(n - k + 1);
                ck_assert_double_eq_tol(wsr__binomial_tail(k, n, p), sum,
                                        1e-12);
            }
        }
    }
}
END_TEST

START_TEST(tails_of_many_trials_are_right)
{
    ck_assert_double_eq_tol(wsr__binomial_tail(1040, 10000, 0.1), 0.09450738449,
                            1e-8);
    ck_assert_double_eq(wsr__binomial_tail(10000, 10000, 0.1), 0);
    ck_assert_double_eq(wsr__binomial_tail(0, 10, 0.5), 1);
    ck_assert_double_eq(wsr__binomial_tail(5, 5, 1), 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {tails_are_sums_of_products,
                                  tails_of_many_trials_are_right, NULL};
    return suite_of("binomial", tests);
}
