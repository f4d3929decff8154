// SPDX-License-Identifier: Apache-2.0

#include "sched/sched_support.h"

START_TEST(released_the_first_step_is_lost)
{
    CHECK_RATES("warmup_cosine:warmup=4,total=8,fidelity=released", 1, 0, 0.025,
                0.05, 0.075, 0.1, 0.0853553390593, 0.05, 0.0146446609407, 0, 0);
}
END_TEST

START_TEST(intended_the_rise_reaches_the_base_rate_in_time)
{
    CHECK_RATES("warmup_cosine:warmup=4,total=8", 1, 0.025, 0.05, 0.075, 0.1,
                0.1, 0.0853553390593, 0.05, 0.0146446609407, 0, 0);
}
END_TEST

START_TEST(without_total_the_curve_ends_with_the_run)
{
    CHECK_RATES("warmup_cosine:warmup=0,total=0", 4, 0.1, 0.0853553390593, 0.05,
                0.0146446609407, 0);
}
END_TEST

START_TEST(the_defaults_are_those_of_the_estimator)
{
    wsr_sched *sched = NULL;
    ck_assert_ok(wsr_sched_new(&sched, "warmup_cosine:fidelity=released"));
    ck_assert_double_eq_tol(wsr_sched_rate(sched, 5e-4, 2700, 1), 3.375e-4,
                            1e-15);
    ck_assert_double_eq_tol(wsr_sched_rate(sched, 5e-4, 52000, 1), 2.5e-4,
                            1e-12);
    wsr_sched_free(sched);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        released_the_first_step_is_lost,
        intended_the_rise_reaches_the_base_rate_in_time,
        without_total_the_curve_ends_with_the_run,
        the_defaults_are_those_of_the_estimator,
        NULL,
    };
    return suite_of("warmup_cosine", tests);
}
