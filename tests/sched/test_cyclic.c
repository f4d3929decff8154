// SPDX-License-Identifier: Apache-2.0

#include "sched/sched_support.h"

START_TEST(released_an_odd_run_overshoots)
{
    CHECK_RATES("cyclic:fidelity=released", 7, 0.0333333333333, 0.0666666666667,
                0.1, 0.133333333333, 0.1, 0.0666666666667, 0.0333333333333);
}
END_TEST

START_TEST(intended_it_does_not)
{
    CHECK_RATES("cyclic", 7, 0.0333333333333, 0.0666666666667, 0.1, 0.1, 0.075,
                0.05, 0.025);
}
END_TEST

START_TEST(an_even_run_is_the_same_in_both)
{
    CHECK_RATES("cyclic", 4, 0.05, 0.1, 0.1, 0.05);
    CHECK_RATES("cyclic:fidelity=released", 4, 0.05, 0.1, 0.1, 0.05);
}
END_TEST

START_TEST(a_run_of_one_epoch_has_the_base_rate)
{
    CHECK_RATES("cyclic", 1, 0.1);
    CHECK_RATES("cyclic:fidelity=released", 1, 0.1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        released_an_odd_run_overshoots,
        intended_it_does_not,
        an_even_run_is_the_same_in_both,
        a_run_of_one_epoch_has_the_base_rate,
        NULL,
    };
    return suite_of("cyclic", tests);
}
