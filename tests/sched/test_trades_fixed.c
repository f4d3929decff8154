// SPDX-License-Identifier: Apache-2.0

#include "sched/sched_support.h"

START_TEST(released_it_is_trades)
{
    CHECK_RATES("trades_fixed:fidelity=released", 8, 0.1, 0.1, 0.1, 0.1, 0.1,
                0.01, 0.001, 0.0001);
}
END_TEST

START_TEST(intended_it_drops_three_times)
{
    CHECK_RATES("trades_fixed", 10, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.01,
                0.001, 0.0001);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        released_it_is_trades,
        intended_it_drops_three_times,
        NULL,
    };
    return suite_of("trades_fixed", tests);
}
