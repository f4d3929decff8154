// SPDX-License-Identifier: Apache-2.0
//
// Functions of single numbers, as files and back.

#include "onnx/round_trip.h"

// Each op alone, with the options that change what is written.
START_TEST(ops_come_back_with_the_same_bits)
{
    static const rt_case cases[] = {
        {.op = "relu"},
        {.op = "relu6"},
        {.op = "sigmoid"},
        {.op = "tanh"},
        {.op = "exp"},
        {.op = "log", .before = "sigmoid"},
        {.op = "erf"},
        {.op = "mish"},
        {.op = "silu"},
        {.op = "hard_swish"},
        {.op = "hard_sigmoid"},
        {.op = "hard_sigmoid", .options = "slope=0.2,offset=0.4"},
        {.op = "softplus"},
        {.op = "softplus", .options = "beta=2.7"},
        {.op = "clip"},
        {.op = "clip", .options = "min=-0.3"},
        {.op = "clip", .options = "max=0.7"},
        {.op = "clip", .options = "min=0,max=6"},
        {.op = "clip", .options = "min=0"},
        {.op = "clip", .options = "min=0,max=0"},
        {.op = "leaky_relu"},
        {.op = "leaky_relu", .options = "slope=0.3"},
        {.op = "elu"},
        {.op = "elu", .options = "alpha=1.3"},
        {.op = "selu"},
        {.op = "gelu"},
        {.op = "gelu", .options = "approximate=tanh"},
        {.op = "prelu", .params = {{.ndims = 1, .dims = {1}}}},
        {.op = "prelu", .params = {{.ndims = 3, .dims = {RT_C, 1, 1}}}},
        {.op = "softmax"},
        {.op = "softmax", .options = "axis=1"},
        {.op = "softmax", .options = "axis=-2"},
        {.op = "log_softmax"},
        {.op = "log_softmax", .options = "axis=2"}};
    RT_CHECK(cases);
}
END_TEST

// Zeros have no gradient: they are added to what has one.
START_TEST(zeros_come_back_as_zeros)
{
    rt_model m;
    wsr_graph *g = NULL;
    const wsr_value x = rt_open(&m, &g);
    const wsr_value y =
        wsr__op2(g, "add", NULL, wsr__op1(g, "zero", NULL, x), x);
    rt_end(&m, y, "zero");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {ops_come_back_with_the_same_bits,
                                  zeros_come_back_as_zeros, NULL};
    return suite_of("onnx activations", tests);
}
