// SPDX-License-Identifier: Apache-2.0

#include "sched/sched_support.h"

START_TEST(the_rate_never_changes)
{
    CHECK_RATES("constant", 3, 0.1, 0.1, 0.1, 0.1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_rate_never_changes,
        NULL,
    };
    return suite_of("constant", tests);
}
