// SPDX-License-Identifier: Apache-2.0

#include "sched/sched_support.h"

START_TEST(the_curve_is_that_of_pytorch)
{
    CHECK_RATES("cosine:lr_min=0.001", 10, 0.1, 0.09757729755661011,
                0.0905463412215599, 0.07959536998847742, 0.0657963412215599,
                0.0505, 0.03520365877844011, 0.02140463001152259,
                0.010453658778440109, 0.0034227024433899004, 0.001);
}
END_TEST

START_TEST(beyond_its_end_the_curve_stays_low)
{
    CHECK_RATES("cosine:lr_min=0.001,epochs=2", 10, 0.1, 0.0505, 0.001, 0.001);
}
END_TEST

START_TEST(a_floor_cuts_the_curve)
{
    CHECK_RATES("cosine:floor=0.03", 6, 0.1, 0.0933012702, 0.075, 0.05, 0.03,
                0.03);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_curve_is_that_of_pytorch,
        beyond_its_end_the_curve_stays_low,
        a_floor_cuts_the_curve,
        NULL,
    };
    return suite_of("cosine", tests);
}
