// SPDX-License-Identifier: Apache-2.0

#include "sched/sched_support.h"

START_TEST(released_the_drop_compounds)
{
    CHECK_RATES("trades:fidelity=released,lr_min=0.5", 8, 0.1, 0.1, 0.1, 0.1,
                0.1, 0.01, 0.001, 0.0001);
}
END_TEST

START_TEST(intended_it_drops_once)
{
    CHECK_RATES("trades", 8, 0.1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01);
}
END_TEST

START_TEST(intended_the_smallest_rate_holds)
{
    CHECK_RATES("trades:lr_min=0.02", 4, 0.1, 0.1, 0.02, 0.02);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        released_the_drop_compounds,
        intended_it_drops_once,
        intended_the_smallest_rate_holds,
        NULL,
    };
    return suite_of("trades", tests);
}
