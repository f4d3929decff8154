// SPDX-License-Identifier: Apache-2.0
//
// Other shapes of the same numbers, as files and back.

#include "onnx/round_trip.h"

// Each op alone, with the options that change what is written.
START_TEST(ops_come_back_with_the_same_bits)
{
    static const rt_case cases[] = {
        {.op = "reshape", .options = "dims=[6,-1,2]"},
        {.op = "reshape", .options = "dims=[1,192]"},
        {.op = "view", .options = "dims=[4,6,8]"},
        {.op = "transpose"},
        {.op = "transpose", .options = "order=[0,2,3,1]"},
        {.op = "transpose", .options = "order=[0,1,3,2]"},
        {.op = "expand",
         .options = "shape=[1,4,6,8]",
         .before = "reduce_mean",
         .before_options = "axes=1"},
        {.op = "reorder"}};
    RT_CHECK(cases);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {ops_come_back_with_the_same_bits, NULL};
    return suite_of("onnx shapes", tests);
}
