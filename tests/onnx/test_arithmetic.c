// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic with broadcasting, as files and back.

#include "onnx/round_trip.h"

// Several ops of one graph, in which patterns of others are not to be seen.
START_TEST(values_come_back_with_the_same_bits)
{
    static const char *const ops[] = {"add", "sub",     "mul",
                                      "div", "maximum", "minimum"};
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        rt_model m;
        wsr_graph *g = NULL;
        const wsr_value x = rt_open(&m, &g);
        const wsr_value s = wsr__op1(g, "sigmoid", NULL, x);
        const wsr_value c = wsr__op1(g, "slice", "axis=1,begin=1,end=2", s);
        wsr_value y = wsr__op2(g, ops[i], NULL, x, s);
        y = wsr__op2(g, ops[i], NULL, y, c);
        const wsr_value all[] = {x, y, s, wsr__op2(g, "mul", NULL, s, x)};
        y = wsr__opn(g, "add", NULL, all, 4);
        rt_end(&m, y, ops[i]);
    }
}
END_TEST

// Each op alone, with the options that change what is written.
START_TEST(ops_come_back_with_the_same_bits)
{
    static const rt_case cases[] = {
        {.op = "add",
         .before = "sigmoid",
         .params = {{.ndims = 1, .dims = {1}}}},
        {.op = "add",
         .before = "sigmoid",
         .params = {{.ndims = 3, .dims = {RT_C, 1, 1}}}},
        {.op = "add",
         .before = "sigmoid",
         .params = {{.ndims = 4, .dims = {1, RT_C, 1, RT_W}}}},
        {.op = "add",
         .before = "sigmoid",
         .params = {{.ndims = 1, .dims = {RT_W}}}},
        {.op = "sub",
         .before = "sigmoid",
         .params = {{.ndims = 1, .dims = {1}}}},
        {.op = "sub",
         .before = "sigmoid",
         .params = {{.ndims = 3, .dims = {RT_C, 1, 1}}}},
        {.op = "sub",
         .before = "sigmoid",
         .params = {{.ndims = 4, .dims = {1, RT_C, 1, RT_W}}}},
        {.op = "sub",
         .before = "sigmoid",
         .params = {{.ndims = 1, .dims = {RT_W}}}},
        {.op = "mul",
         .before = "sigmoid",
         .params = {{.ndims = 1, .dims = {1}}}},
        {.op = "mul",
         .before = "sigmoid",
         .params = {{.ndims = 3, .dims = {RT_C, 1, 1}}}},
        {.op = "mul",
         .before = "sigmoid",
         .params = {{.ndims = 4, .dims = {1, RT_C, 1, RT_W}}}},
        {.op = "mul",
         .before = "sigmoid",
         .params = {{.ndims = 1, .dims = {RT_W}}}},
        {.op = "div",
         .before = "sigmoid",
         .params = {{.ndims = 1, .dims = {1}}}},
        {.op = "div",
         .before = "sigmoid",
         .params = {{.ndims = 3, .dims = {RT_C, 1, 1}}}},
        {.op = "div",
         .before = "sigmoid",
         .params = {{.ndims = 4, .dims = {1, RT_C, 1, RT_W}}}},
        {.op = "div",
         .before = "sigmoid",
         .params = {{.ndims = 1, .dims = {RT_W}}}},
        {.op = "pow",
         .before = "sigmoid",
         .params = {{.ndims = 1, .dims = {1}}}},
        {.op = "pow",
         .before = "sigmoid",
         .params = {{.ndims = 3, .dims = {RT_C, 1, 1}}}},
        {.op = "pow",
         .before = "sigmoid",
         .params = {{.ndims = 4, .dims = {1, RT_C, 1, RT_W}}}},
        {.op = "pow",
         .before = "sigmoid",
         .params = {{.ndims = 1, .dims = {RT_W}}}},
        {.op = "maximum",
         .before = "sigmoid",
         .params = {{.ndims = 1, .dims = {1}}}},
        {.op = "maximum",
         .before = "sigmoid",
         .params = {{.ndims = 3, .dims = {RT_C, 1, 1}}}},
        {.op = "maximum",
         .before = "sigmoid",
         .params = {{.ndims = 4, .dims = {1, RT_C, 1, RT_W}}}},
        {.op = "maximum",
         .before = "sigmoid",
         .params = {{.ndims = 1, .dims = {RT_W}}}},
        {.op = "minimum",
         .before = "sigmoid",
         .params = {{.ndims = 1, .dims = {1}}}},
        {.op = "minimum",
         .before = "sigmoid",
         .params = {{.ndims = 3, .dims = {RT_C, 1, 1}}}},
        {.op = "minimum",
         .before = "sigmoid",
         .params = {{.ndims = 4, .dims = {1, RT_C, 1, RT_W}}}},
        {.op = "minimum",
         .before = "sigmoid",
         .params = {{.ndims = 1, .dims = {RT_W}}}},
        {.op = "add"},
        {.op = "sqrt", .before = "sigmoid"},
        {.op = "reciprocal", .before = "exp"},
        {.op = "abs"},
        {.op = "scale"},
        {.op = "scale", .options = "factor=-2.3"},
        {.op = "scale", .options = "offset=0.7"},
        {.op = "scale", .options = "factor=0.3,offset=-1"},
        {.op = "scale",
         .options = "offset=0.7",
         .before = "scale",
         .before_options = "factor=3"}};
    RT_CHECK(cases);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {ops_come_back_with_the_same_bits,
                                  values_come_back_with_the_same_bits, NULL};
    return suite_of("onnx arithmetic", tests);
}
