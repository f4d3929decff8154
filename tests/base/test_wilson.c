// SPDX-License-Identifier: Apache-2.0

#include "base/base.h"
#include "support/support.h"

START_TEST(intervals_are_those_of_the_paper)
{
    static const struct {
        double share;
        double n;
        double low;
        double high;
    } cases[] = {{0.8, 10, 0.490162, 0.943318}, // worked out by hand
                 {0.5, 100, 0.403832, 0.596168},
                 {0, 10, 0, 0.277533},
                 {1, 10, 0.722467, 1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double low = -1;
        double high = -1;
        wsr__wilson(&low, &high, cases[i].share, cases[i].n);
        ck_assert_double_eq_tol(low, cases[i].low, 1e-6);
        ck_assert_double_eq_tol(high, cases[i].high, 1e-6);
    }
}
END_TEST

START_TEST(intervals_do_not_leave_what_is_possible)
{
    for (int64_t n = 1; n < 1000000000; n *= 7) {
        double low = -1;
        double high = -1;
        wsr__wilson(&low, &high, 0, (double)n);
        ck_assert(low == 0);
        wsr__wilson(&low, &high, 1, (double)n);
        ck_assert(high == 1);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        intervals_are_those_of_the_paper,
        intervals_do_not_leave_what_is_possible,
        NULL,
    };
    return suite_of("wilson", tests);
}
