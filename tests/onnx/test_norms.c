// SPDX-License-Identifier: Apache-2.0
//
// Normalisations, as files and back.

#include "onnx/round_trip.h"

// Each op alone, with the options that change what is written.
START_TEST(ops_come_back_with_the_same_bits)
{
    static const rt_case cases[] = {
        {.op = "batch_norm",
         .params = {{.ndims = 1, .dims = {RT_C}},
                    {.ndims = 1, .dims = {RT_C}},
                    {.ndims = -1}}},
        {.op = "batch_norm",
         .params = {{.ndims = 1, .dims = {RT_C}},
                    {.ndims = 1, .dims = {RT_C}},
                    {.ndims = -1},
                    {.ndims = 1, .dims = {RT_C}},
                    {.ndims = 1, .dims = {RT_C}}}},
        {.op = "batch_norm",
         .options = "tol=1e-3",
         .before = "global_avg_pool",
         .params = {{.ndims = 1, .dims = {RT_C}},
                    {.ndims = 1, .dims = {RT_C}},
                    {.ndims = -1},
                    {.ndims = 1, .dims = {RT_C}},
                    {.ndims = 1, .dims = {RT_C}}}},
        {.op = "instance_norm"},
        {.op = "instance_norm",
         .options = "tol=1e-4",
         .params = {{.ndims = 1, .dims = {RT_C}},
                    {.ndims = 1, .dims = {RT_C}}}},
        {.op = "layer_norm"},
        {.op = "layer_norm",
         .options = "tol=1e-6",
         .params = {{.ndims = 1, .dims = {RT_W}}}},
        {.op = "layer_norm",
         .params = {{.ndims = 1, .dims = {RT_W}},
                    {.ndims = 1, .dims = {RT_W}}}},
        {.op = "layer_norm",
         .options = "axes=3",
         .params = {{.ndims = 3, .dims = {RT_C, RT_H, RT_W}},
                    {.ndims = 3, .dims = {RT_C, RT_H, RT_W}}}},
        {.op = "normalize", .options = "mean=0.5,std=0.25"},
        {.op = "normalize",
         .options = "mean=[0.1,0.2,0.3,0.4],std=[0.9,0.8,0.7,0.6]"},
        {.op = "normalize", .options = "mean=0.4914"},
        {.op = "normalize", .options = "std=[1,2,3,4]"}};
    RT_CHECK(cases);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {ops_come_back_with_the_same_bits, NULL};
    return suite_of("onnx norms", tests);
}
