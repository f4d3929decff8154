// SPDX-License-Identifier: Apache-2.0

#include "sched/sched_support.h"

START_TEST(the_rate_drops_at_each_milestone)
{
    CHECK_RATES("step:milestones=[2,4],gamma=0.1", 6, 0.1, 0.1, 0.01, 0.01,
                0.001, 0.001);
}
END_TEST

START_TEST(the_defaults_are_those_of_the_retraining)
{
    wsr_sched *sched = NULL;
    ck_assert_ok(wsr_sched_new(&sched, "step"));
    ck_assert(wsr_sched_rate(sched, 0.1, 98, 201) == 0.1);
    ck_assert_double_eq_tol(wsr_sched_rate(sched, 0.1, 99, 201), 0.01, 1e-12);
    ck_assert_double_eq_tol(wsr_sched_rate(sched, 0.1, 149, 201), 0.001, 1e-12);
    wsr_sched_free(sched);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_rate_drops_at_each_milestone,
        the_defaults_are_those_of_the_retraining,
        NULL,
    };
    return suite_of("step", tests);
}
