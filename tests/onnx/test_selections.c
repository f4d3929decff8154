// SPDX-License-Identifier: Apache-2.0
//
// Parts of values, and values side by side, as files and back.

#include "onnx/round_trip.h"

// Values side by side, of which one comes twice.
START_TEST(concatenations_come_back_with_the_same_bits)
{
    static const char *const options[] = {"axis=1", "axis=2", "axis=3"};
    for (size_t i = 0; i < 3; i++) {
        rt_model m;
        wsr_graph *g = NULL;
        const wsr_value x = rt_open(&m, &g);
        const wsr_value all[] = {x, wsr__op1(g, "relu", NULL, x), x};
        const wsr_value y = wsr__opn(g, "concat", options[i], all, 3);
        rt_end(&m, y, options[i]);
    }
}
END_TEST

// Each op alone, with the options that change what is written.
START_TEST(ops_come_back_with_the_same_bits)
{
    static const rt_case cases[] = {
        {.op = "concat"},
        {.op = "slice", .options = "axis=2,begin=1,end=4"},
        {.op = "slice", .options = "axis=3,begin=1,step=3"},
        {.op = "slice", .options = "axis=1,step=-1"},
        {.op = "slice", .options = "axis=3,begin=2,end=7,step=-2"},
        {.op = "slice", .options = "axis=3,begin=0,end=5,step=-2"},
        {.op = "chunk", .options = "axis=1,count=2,index=1"},
        {.op = "chunk", .options = "axis=3,count=4,index=0"},
        {.op = "subsample"},
        {.op = "subsample", .options = "stride=2,offset=1"},
        {.op = "subsample", .options = "stride=3"},
        {.op = "subsample", .options = "stride=1,offset=1"},
        {.op = "gather", .options = "axis=1,indices=[3,0,0,2]"},
        {.op = "gather", .options = "axis=2,indices=4"},
        {.op = "pad", .options = "pads=[0,0,1,2,0,0,2,1]"},
        {.op = "pad", .options = "pads=[0,1,2,0,2,1],value=-0.5"},
        {.op = "pad", .options = "pads=[0,1,2,0,2,1],mode=reflect"},
        {.op = "pad", .options = "pads=[0,1,2,0,2,1],mode=edge"},
        {.op = "pad", .options = "pads=[0,-1,-2,0,2,1]"}};
    RT_CHECK(cases);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {ops_come_back_with_the_same_bits,
                                  concatenations_come_back_with_the_same_bits,
                                  NULL};
    return suite_of("onnx selections", tests);
}
