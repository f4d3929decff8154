// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

typedef struct conv_case {
    const char *options;
    int64_t src[4];
    int64_t weights[4];
    bool bias;
} conv_case;

static void check(const conv_case *k)
{
    grad_case c = {.op = "conv2d", .options = k->options, .n = k->bias ? 3 : 2};
    c.src[0].shape = wsr__shape4(k->src[0], k->src[1], k->src[2], k->src[3]);
    c.src[1].shape =
        wsr__shape4(k->weights[0], k->weights[1], k->weights[2], k->weights[3]);
    c.src[1].weights = true;
    c.src[2].shape = wsr__shape1(k->weights[0]);
    c.src[2].weights = true;
    gradcheck(&c);
    c.blocked = true;
    gradcheck(&c);
}

static void check_all(const conv_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        check(&cases[i]);
    }
}

START_TEST(values_are_those_of_the_definition)
{
    const float x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9}; // 3 x 3
    const float w[] = {1, 0, 0, -1};
    const float b[] = {10};
    const float want[] = {6, 6, 6, 6};
    const op_value srcs[] = {
        {{4, {1, 1, 3, 3}}, x}, {{4, {1, 1, 2, 2}}, w}, {{1, {1}}, b}};
    float y[16];
    op_forward(y, "conv2d", NULL, srcs, 3);
    ck_assert_mem_eq(y, want, sizeof(want));
    op_forward(y, "conv2d", "pad=1", srcs, 3);
    ck_assert(y[0] == 9 && y[1] == 8 && y[3] == 10);
    ck_assert(y[5] == 6 && y[15] == 10 + 9);
}
END_TEST

START_TEST(dense_gradients_are_right)
{
    static const conv_case cases[] = {
        {"pad=1", {2, 3, 5, 5}, {7, 3, 3, 3}, false},
        {"pad=1", {2, 3, 5, 5}, {7, 3, 3, 3}, true},
        {"pad=1", {2, 17, 5, 3}, {3, 17, 3, 3}, true},
        {"pad=2", {2, 1, 5, 3}, {9, 1, 5, 5}, true},
        {NULL, {2, 9, 5, 7}, {1, 9, 3, 3}, true},
        {NULL, {2, 1, 5, 5}, {1, 1, 5, 5}, false},
        {NULL, {1, 1, 1, 1}, {1, 1, 1, 1}, false},
        {"stride=2,pad=1", {2, 7, 5, 31}, {3, 7, 3, 3}, false},
        {"stride=4", {2, 3, 9, 13}, {10, 3, 5, 5}, true},
        {"stride=[1, 2],pad=[0, 3]", {2, 7, 5, 5}, {7, 7, 1, 7}, false},
        {"stride=[2, 1],pad=[3, 0]", {2, 7, 5, 5}, {7, 7, 7, 1}, false},
        {"pad=2,dilation=2", {2, 7, 5, 7}, {3, 7, 3, 3}, false},
        {"pad=1,groups=2", {2, 6, 5, 5}, {4, 3, 3, 3}, false},
        {"pad=1,groups=3", {2, 3, 5, 5}, {6, 1, 3, 3}, true},
        {"pad=1,offset=2", {2, 3, 5, 7}, {7, 3, 3, 3}, false},
        // In blocks of 16 with AVX-512, the last of them not full.
        {"pad=1", {2, 34, 3, 5}, {50, 34, 3, 3}, true},
        {"stride=2,pad=2", {1, 50, 5, 4}, {20, 50, 5, 5}, false},
        {"pad=1", {1, 7, 4, 5}, {90, 7, 3, 3}, true},
    };
    check_all(cases, sizeof(cases) / sizeof(cases[0]));
}
END_TEST

START_TEST(pointwise_gradients_are_right)
{
    static const conv_case cases[] = {
        {NULL, {2, 1, 5, 5}, {3, 1, 1, 1}, false},
        {NULL, {2, 3, 5, 31}, {7, 3, 1, 1}, false},
        {NULL, {2, 7, 1, 1}, {17, 7, 1, 1}, false},
        {NULL, {1, 17, 31, 5}, {1, 17, 1, 1}, false},
        {NULL, {2, 16, 5, 5}, {16, 16, 1, 1}, false},
        {"stride=2", {2, 7, 5, 31}, {3, 7, 1, 1}, false},
        {"stride=2,offset=1", {2, 7, 6, 8}, {3, 7, 1, 1}, false},
        {"stride=2,offset=1", {2, 3, 5, 9}, {17, 3, 1, 1}, false},
        {NULL, {2, 7, 5, 5}, {3, 7, 1, 1}, true},
    };
    check_all(cases, sizeof(cases) / sizeof(cases[0]));
}
END_TEST

START_TEST(depthwise_gradients_are_right)
{
    static const char *const options[] = {
        "groups=%d,pad=1", "groups=%d,pad=1,stride=2",
        "groups=%d,pad=2,dilation=2", "groups=%d,pad=2,dilation=2,stride=2"};
    static const int64_t channels[] = {1, 3, 7, 17};
    static const int64_t sizes[][2] = {{5, 5}, {31, 5}, {1, 31}, {1, 1}};
    for (size_t i = 0; i < 64; i++) {
        char text[64];
        const int64_t c = channels[i % 4];
        const int64_t *const size = sizes[i / 4 % 4];
        (void)snprintf(text, sizeof(text), options[i / 16], (int)c);
        const conv_case k = {
            text, {2, c, size[0], size[1]}, {c, 1, 3, 3}, false};
        check(&k);
    }
}
END_TEST

START_TEST(larger_depthwise_gradients_are_right)
{
    static const conv_case cases[] = {
        {"groups=7,pad=2", {2, 7, 5, 9}, {7, 1, 5, 5}, false},
        {"groups=7,pad=2,stride=2", {2, 7, 9, 5}, {7, 1, 5, 5}, false},
        {"groups=7,pad=4,dilation=2", {2, 7, 5, 9}, {7, 1, 5, 5}, false},
        {"groups=7,pad=4,dilation=2,stride=2",
         {2, 7, 9, 9},
         {7, 1, 5, 5},
         false},
        {"groups=3,pad=3", {2, 3, 5, 9}, {3, 1, 7, 7}, false},
        {"groups=3,pad=3,stride=2", {2, 3, 9, 9}, {3, 1, 7, 7}, false},
        {"groups=17", {2, 17, 5, 5}, {17, 1, 3, 3}, false},
        {"groups=7", {2, 7, 5, 5}, {7, 1, 1, 1}, false},
        {"groups=7,pad=1", {2, 7, 5, 5}, {7, 1, 2, 2}, false},
        {"groups=7,stride=3,pad=1", {2, 7, 9, 9}, {7, 1, 3, 3}, false},
        {"groups=7,dilation=3,pad=3", {2, 7, 9, 9}, {7, 1, 3, 3}, false},
        {"groups=7,pad=[0, 1]", {2, 7, 5, 5}, {7, 1, 1, 3}, false},
        {"groups=7,pad=1", {2, 7, 5, 5}, {7, 1, 3, 3}, true},
    };
    check_all(cases, sizeof(cases) / sizeof(cases[0]));
}
END_TEST

START_TEST(weights_may_be_computed)
{
    // Not parameters: what a hypernetwork would make. Scaled by 1, so that
    // they are activations.
    static const char *const options[] = {"pad=1", "pad=1,groups=3", NULL};
    static const wsr_shape weights[] = {
        {4, {3, 3, 3, 3}}, {4, {3, 1, 3, 3}}, {4, {3, 3, 1, 1}}};
    for (size_t i = 0; i < 3; i++) {
        wsr_params *params = NULL;
        wsr_graph *graph = NULL;
        wsr_plan *plans[2] = {NULL, NULL};
        ck_assert_ok(wsr_params_new(&params, 1));
        ck_assert_ok(wsr_graph_new(&graph, params));
        const wsr_value x = wsr__input(graph, "x", wsr__shape4(1, 3, 5, 5));
        const wsr_value w =
            wsr__param_value(graph, "w", weights[i], (wsr__init){.bound = 1});
        const wsr_value image = wsr__op1(graph, "reorder", NULL, x);
        const wsr_value same = wsr__op1(graph, "reorder", NULL, w);
        wsr__set_output(graph, "y",
                        wsr__op2(graph, "conv2d", options[i], image, same));
        ck_assert_ok(wsr__graph_status(graph));
        for (unsigned k = 0; k < 2; k++) {
            ck_assert_ok(wsr_plan_new(&plans[k], graph, 1,
                                      k == 0 ? WSR_FORWARD : WSR_REFERENCE));
            for (int j = 0; j < 75; j++) {
                wsr_plan_src(plans[k], "x")[j] = (float)(j % 7) - 3;
            }
            ck_assert_ok(wsr_plan_forward(plans[k]));
        }
        for (int j = 0; j < 75; j++) {
            ck_assert_float_eq_tol(wsr_plan_dst(plans[0], "y")[j],
                                   wsr_plan_dst(plans[1], "y")[j], 1e-4f);
        }
        wsr_plan_free(plans[0]);
        wsr_plan_free(plans[1]);
        wsr_graph_free(graph);
        wsr_params_free(params);
    }
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_refused)
{
    const wsr_shape channels[] = {{4, {2, 3, 5, 5}}, {4, {4, 2, 3, 3}}};
    op_refuses(WSR_SHAPE, "(4, 2, 3, 3)", "conv2d", NULL, channels, 2);
    const wsr_shape groups[] = {{4, {2, 4, 5, 5}}, {4, {3, 2, 3, 3}}};
    op_refuses(WSR_SHAPE, "2 groups", "conv2d", "groups=2", groups, 2);
    const wsr_shape small[] = {{4, {2, 3, 2, 5}}, {4, {4, 3, 3, 3}}};
    op_refuses(WSR_SHAPE, "(2, 3, 2, 5)", "conv2d", NULL, small, 2);
    const wsr_shape bias[] = {{4, {2, 3, 5, 5}}, {4, {4, 3, 3, 3}}, {1, {3}}};
    op_refuses(WSR_SHAPE, "(3)", "conv2d", NULL, bias, 3);
    const wsr_shape flat[] = {{2, {2, 3}}, {4, {4, 3, 3, 3}}};
    op_refuses(WSR_SHAPE, "(2, 3)", "conv2d", NULL, flat, 2);
}
END_TEST

START_TEST(lists_are_one_or_two_numbers)
{
    const wsr_shape shapes[] = {{4, {2, 3, 5, 5}}, {4, {4, 3, 3, 3}}};
    op_refuses(WSR_ARG, "stride", "conv2d", "stride=[]", shapes, 2);
    op_refuses(WSR_ARG, "pad", "conv2d", "pad=[1, 1, 1]", shapes, 2);
    op_refuses(WSR_ARG, "dilation", "conv2d", "dilation=[]", shapes, 2);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_those_of_the_definition,
        dense_gradients_are_right,
        pointwise_gradients_are_right,
        depthwise_gradients_are_right,
        larger_depthwise_gradients_are_right,
        weights_may_be_computed,
        shapes_that_do_not_fit_are_refused,
        lists_are_one_or_two_numbers,
        NULL,
    };
    return suite_of("conv2d", tests);
}
