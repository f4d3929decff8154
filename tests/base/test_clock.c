// SPDX-License-Identifier: Apache-2.0

#include "base/base.h"
#include "support/support.h"

#include <time.h>

START_TEST(the_clock_measures_seconds)
{
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    const double before = wsr__seconds();
    (void)nanosleep(&pause, NULL);
    const double passed = wsr__seconds() - before;
    ck_assert_double_ge(passed, 0.019);
    ck_assert_double_lt(passed, 10.0);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {the_clock_measures_seconds, NULL};
    return suite_of("clock", tests);
}
