// SPDX-License-Identifier: Apache-2.0

#include "sched/sched_support.h"

START_TEST(rates_lie_on_the_lines_in_the_middle_of_epochs)
{
    CHECK_RATES("piecewise:epochs=[0,1,3,5],factors=[0,1,0.5,0]", 6, 0.05,
                0.0875, 0.0625, 0.0375, 0.0125, 0);
}
END_TEST

START_TEST(the_line_is_level_outside_of_its_points)
{
    CHECK_RATES("piecewise:epochs=[1,2],factors=[0.5,1]", 4, 0.05, 0.075, 0.1,
                0.1);
    CHECK_RATES("piecewise:epochs=[3],factors=[2]", 4, 0.2, 0.2, 0.2, 0.2);
}
END_TEST

START_TEST(points_must_be_whole_and_ascend)
{
    wsr_sched *sched = NULL;
    ck_assert_fails(wsr_sched_new(&sched, "piecewise:epochs=[0,1],factors=[1]"),
                    WSR_CONFIG, "2 epochs and 1 factors");
    ck_assert_fails(wsr_sched_new(&sched, "piecewise:epochs=[],factors=[]"),
                    WSR_CONFIG, "piecewise");
    ck_assert_fails(
        wsr_sched_new(&sched, "piecewise:epochs=[0,2,2],factors=[1,1,1]"),
        WSR_CONFIG, "2 does not come after 2");
    ck_assert_ptr_null(sched);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        rates_lie_on_the_lines_in_the_middle_of_epochs,
        the_line_is_level_outside_of_its_points,
        points_must_be_whole_and_ascend,
        NULL,
    };
    return suite_of("piecewise", tests);
}
