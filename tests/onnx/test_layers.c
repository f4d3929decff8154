// SPDX-License-Identifier: Apache-2.0
//
// Convolutions and products of matrices, as files and back.

#include "onnx/round_trip.h"

// Rows of a view, and attention: products of values, transposed or not.
START_TEST(rows_come_back_with_the_same_bits)
{
    static const char *const options[] = {NULL, "transpose_b=true"};
    for (size_t i = 0; i < 2; i++) {
        rt_model m;
        wsr_graph *g = NULL;
        wsr_value x = rt_open(&m, &g);
        const wsr_shape square = wsr__shape2(RT_W, RT_W);
        x = wsr__op2(g, "linear", NULL, wsr__op1(g, "view", "dims=8", x),
                     rt_param(g, 0, square));
        x = wsr__op1(g, "view", "dims=[6,8]", x);
        wsr_value y = i > 0 ? x : wsr__op1(g, "transpose", "order=[0,2,1]", x);
        x = wsr__op1(g, "softmax", NULL,
                     wsr__op2(g, "matmul", options[i], x, y));
        x = wsr__op1(g, "view", "dims=[4,6,6]", x);
        rt_end(&m, x, options[i] != NULL ? options[i] : "attention");
    }
}
END_TEST

// Of values whose leading axes are those of the image, the first factor
// transposed, too.
START_TEST(products_of_values_come_back_with_the_same_bits)
{
    static const char *const options[] = {"transpose_b=true",
                                          "transpose_a=true"};
    for (size_t i = 0; i < 2; i++) {
        rt_model m;
        wsr_graph *g = NULL;
        wsr_value x = rt_open(&m, &g);
        wsr_value y = wsr__op1(g, "tanh", NULL, x);
        x = wsr__op2(g, "matmul", options[i], x, y);
        rt_end(&m, x, options[i]);
    }
}
END_TEST

// Each op alone, with the options that change what is written.
START_TEST(ops_come_back_with_the_same_bits)
{
    static const rt_case cases[] = {
        {.op = "conv2d", .params = {{.ndims = 4, .dims = {5, RT_C, 3, 3}}}},
        {.op = "conv2d",
         .options = "stride=2,pad=1",
         .params = {{.ndims = 4, .dims = {16, RT_C, 3, 3}},
                    {.ndims = 1, .dims = {16}}}},
        {.op = "conv2d",
         .options = "stride=[2,1],pad=[0,2],dilation=[1,2]",
         .params = {{.ndims = 4, .dims = {8, RT_C, 3, 2}}}},
        {.op = "conv2d",
         .options = "groups=4,pad=1",
         .params = {{.ndims = 4, .dims = {4, 1, 3, 3}}}},
        {.op = "conv2d",
         .options = "groups=2,pad=2,dilation=2",
         .params = {{.ndims = 4, .dims = {8, 2, 3, 3}}}},
        {.op = "conv2d",
         .options = "stride=2,offset=1",
         .params = {{.ndims = 4, .dims = {8, RT_C, 1, 1}}}},
        {.op = "conv2d",
         .options = "stride=2,offset=1,pad=1",
         .params = {{.ndims = 4, .dims = {8, RT_C, 3, 3}}}},
        {.op = "conv2d",
         .options = "offset=2,pad=[1,0]",
         .params = {{.ndims = 4, .dims = {8, RT_C, 3, 3}}}},
        {.op = "conv2d",
         .before = "slice",
         .before_options = "axis=2,begin=1,end=0",
         .options = "stride=2",
         .params = {{.ndims = 4, .dims = {8, RT_C, 3, 3}}}},
        {.op = "sep_conv2d",
         .options = "pad=1",
         .params = {{.ndims = 4, .dims = {RT_C, 1, 3, 3}},
                    {.ndims = 4, .dims = {8, RT_C, 1, 1}}}},
        {.op = "sep_conv2d",
         .options = "pad=2,stride=2,dilation=2",
         .params = {{.ndims = 4, .dims = {RT_C, 1, 3, 3}},
                    {.ndims = 4, .dims = {8, RT_C, 1, 1}}}},
        {.op = "linear",
         .before = "global_avg_pool",
         .params = {{.ndims = 2, .dims = {7, RT_C}}}},
        {.op = "linear",
         .before = "reshape",
         .before_options = "dims=-1",
         .params = {{.ndims = 2, .dims = {5, RT_PIXELS}},
                    {.ndims = 1, .dims = {5}}}},
        {.op = "matmul",
         .before = "global_avg_pool",
         .params = {{.ndims = 2, .dims = {RT_C, 7}}}},
        {.op = "matmul", .params = {{.ndims = 2, .dims = {RT_W, 5}}}}};
    RT_CHECK(cases);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        ops_come_back_with_the_same_bits, rows_come_back_with_the_same_bits,
        products_of_values_come_back_with_the_same_bits, NULL};
    return suite_of("onnx layers", tests);
}
