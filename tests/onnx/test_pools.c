// SPDX-License-Identifier: Apache-2.0
//
// Pools and reductions, as files and back.

#include "onnx/round_trip.h"

// Each op alone, with the options that change what is written.
START_TEST(ops_come_back_with_the_same_bits)
{
    static const rt_case cases[] = {
        {.op = "max_pool"},
        {.op = "max_pool", .options = "kernel=2,stride=2"},
        {.op = "max_pool", .options = "kernel=3,stride=2,pad=1"},
        {.op = "max_pool",
         .options = "kernel=[3,2],stride=[2,3],pad=[1,0],ceil_mode=true"},
        {.op = "max_pool", .options = "kernel=3,pad=[1,0,1,1],dilation=2"},
        {.op = "max_pool", .options = "kernel=3,stride=2,ceil_mode=true"},
        {.op = "avg_pool", .options = "kernel=3"},
        {.op = "avg_pool", .options = "kernel=3,count_pad=true"},
        {.op = "avg_pool", .options = "kernel=2,stride=2"},
        {.op = "avg_pool", .options = "kernel=2,stride=2,count_pad=true"},
        {.op = "avg_pool", .options = "kernel=3,stride=2,pad=1"},
        {.op = "avg_pool", .options = "kernel=3,stride=2,pad=1,count_pad=true"},
        {.op = "avg_pool",
         .options = "kernel=[3,2],stride=[2,3],pad=[1,0],ceil_mode=true"},
        {.op = "avg_pool",
         .options = "kernel=[3,2],stride=[2,3],pad=[1,0],ceil_mode=true,count_"
                    "pad=true"},
        {.op = "avg_pool", .options = "kernel=3,stride=2,ceil_mode=true"},
        {.op = "avg_pool",
         .options = "kernel=3,stride=2,ceil_mode=true,count_pad=true"},
        {.op = "avg_pool", .options = "kernel=3,stride=2,pad=1,ceil_mode=true"},
        {.op = "avg_pool",
         .options = "kernel=3,stride=2,pad=1,ceil_mode=true,count_pad=true"},
        {.op = "avg_pool", .options = "kernel=3,pad=[1,0,0,1]"},
        {.op = "avg_pool", .options = "kernel=3,pad=[1,0,0,1],count_pad=true"},
        {.op = "global_avg_pool"},
        {.op = "global_max_pool"},
        {.op = "global_max_pool", .options = "height=4,width=5"},
        {.op = "global_max_pool", .options = "height=4"},
        {.op = "global_max_pool",
         .before = "slice",
         .before_options = "axis=2,end=3"},
        {.op = "global_max_pool",
         .options = "width=5",
         .before = "slice",
         .before_options = "axis=3,end=6"},
        {.op = "mean"},
        {.op = "reduce_mean"},
        {.op = "reduce_mean", .options = "axes=[2,3]"},
        {.op = "reduce_mean", .options = "axes=[2,3],keep_dims=false"},
        {.op = "reduce_mean", .options = "axes=[-3]"},
        {.op = "reduce_mean", .options = "axes=3,keep_dims=false"},
        {.op = "reduce_mean", .options = "keep_dims=false"},
        {.op = "reduce_sum"},
        {.op = "reduce_sum", .options = "axes=[2,3]"},
        {.op = "reduce_sum", .options = "axes=[2,3],keep_dims=false"},
        {.op = "reduce_sum", .options = "axes=[-3]"},
        {.op = "reduce_sum", .options = "axes=3,keep_dims=false"},
        {.op = "reduce_sum", .options = "keep_dims=false"},
        {.op = "reduce_max"},
        {.op = "reduce_max", .options = "axes=[2,3]"},
        {.op = "reduce_max", .options = "axes=[2,3],keep_dims=false"},
        {.op = "reduce_max", .options = "axes=[-3]"},
        {.op = "reduce_max", .options = "axes=3,keep_dims=false"},
        {.op = "reduce_max", .options = "keep_dims=false"},
        {.op = "reduce_min"},
        {.op = "reduce_min", .options = "axes=[2,3]"},
        {.op = "reduce_min", .options = "axes=[2,3],keep_dims=false"},
        {.op = "reduce_min", .options = "axes=[-3]"},
        {.op = "reduce_min", .options = "axes=3,keep_dims=false"},
        {.op = "reduce_min", .options = "keep_dims=false"}};
    RT_CHECK(cases);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {ops_come_back_with_the_same_bits, NULL};
    return suite_of("onnx pools", tests);
}
