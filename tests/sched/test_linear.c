// SPDX-License-Identifier: Apache-2.0

#include "sched/sched_support.h"

START_TEST(the_line_bends_five_epochs_before_the_end)
{
    CHECK_RATES("linear:lr_min=0.001", 12, 0.1, 0.0833333333333,
                0.0666666666667, 0.05, 0.0333333333333, 0.0166666666667,
                0.0142857142857, 0.0114285714286, 0.00857142857143,
                0.00571428571429, 0.00285714285714, 0.001);
}
END_TEST

// l (E - 5 - e) / (E - 5) while E - e > 5, then l (E - e) / (5 (E - 5)), with e
// from 0.
START_TEST(the_code_of_darts_counts_from_zero)
{
    CHECK_RATES("linear:first=0", 12, 0.1, 0.0857142857143, 0.0714285714286,
                0.0571428571429, 0.0428571428571, 0.0285714285714,
                0.0142857142857, 0.0142857142857, 0.0114285714286,
                0.00857142857143, 0.00571428571429, 0.00285714285714);
}
END_TEST

START_TEST(a_run_too_short_to_bend_is_one_line)
{
    CHECK_RATES("linear", 4, 0.1, 0.075, 0.05, 0.025);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_line_bends_five_epochs_before_the_end,
        the_code_of_darts_counts_from_zero,
        a_run_too_short_to_bend_is_one_line,
        NULL,
    };
    return suite_of("linear", tests);
}
