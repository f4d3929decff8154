// SPDX-License-Identifier: Apache-2.0
//
// Constants are no ops of a graph: they become its options, or its parameters.

#include "onnx/round_trip.h"

// Each op alone, with the options that change what is written.
START_TEST(ops_come_back_with_the_same_bits)
{
    static const rt_case cases[] = {
        {.op = "scale", .options = "factor=0.5"},
        {.op = "add", .params = {{.ndims = 1, .dims = {1}}}}};
    RT_CHECK(cases);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {ops_come_back_with_the_same_bits, NULL};
    return suite_of("onnx constants", tests);
}
