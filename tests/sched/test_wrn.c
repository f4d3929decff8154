// SPDX-License-Identifier: Apache-2.0

#include "sched/sched_support.h"

START_TEST(released_the_drop_compounds_down_to_the_floor)
{
    CHECK_RATES("wrn:fidelity=released,lr_min=0.001", 10, 0.1, 0.1, 0.02, 0.004,
                0.001, 0.001, 0.001, 0.001, 0.001, 0.001);
}
END_TEST

START_TEST(intended_it_drops_three_times)
{
    CHECK_RATES("wrn", 10, 0.1, 0.1, 0.02, 0.02, 0.02, 0.004, 0.004, 0.0008,
                0.0008, 0.0008);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        released_the_drop_compounds_down_to_the_floor,
        intended_it_drops_three_times,
        NULL,
    };
    return suite_of("wrn", tests);
}
