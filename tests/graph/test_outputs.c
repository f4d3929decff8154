// SPDX-License-Identifier: Apache-2.0
//
// Outputs of plans that are also read by ops, inputs, parameters, reshaped, or
// the same value twice: results and gradients are right all the same.

#include "graph/plan_support.h"

enum { FLOATS = 64 * 64 };

START_TEST(an_output_may_also_be_read_by_an_op)
{
    for (unsigned fused = 0; fused < 2; fused++) {
        rig r = rig_open();
        const wsr_value x = wsr__input(r.graph, "x", wsr__shape2(1, 4));
        const wsr_value a = wsr__op1(r.graph, "scale", "factor=3", x);
        const wsr_value b = wsr__op1(r.graph, "scale", "factor=5", a);
        const wsr_value c = wsr__op1(r.graph, "reshape", "dims=[2, 2]", a);
        wsr__set_output(r.graph, "a", a);
        wsr__set_output(r.graph, "b", b);
        wsr__set_output(r.graph, "c", c);
        rig_plan(&r, 1, WSR_GRAD_INPUT | (fused == 0 ? WSR_UNFUSED : 0));
        fill(wsr_plan_src(r.plan, "x"), 4);
        ck_assert_ok(wsr_plan_forward(r.plan));
        for (size_t i = 0; i < 4; i++) {
            const float v = wsr_plan_src(r.plan, "x")[i];
            ck_assert_float_eq_tol(wsr_plan_dst(r.plan, "a")[i], 3 * v, 1e-6f);
            ck_assert_float_eq_tol(wsr_plan_dst(r.plan, "b")[i], 15 * v, 1e-5f);
            ck_assert_float_eq_tol(wsr_plan_dst(r.plan, "c")[i], 3 * v, 1e-6f);
        }
        ck_assert_float_eq(wsr_plan_diff_dst(r.plan, "a")[0], 0);
        set_diff(r.plan, "a", 100);
        set_diff(r.plan, "b", 10);
        set_diff(r.plan, "c", 1);
        for (int run = 0; run < 2; run++) { // initial gradients stay
            ck_assert_ok(wsr_plan_forward(r.plan));
            ck_assert_ok(wsr_plan_backward(r.plan));
            for (size_t i = 0; i < 4; i++) {
                ck_assert_float_eq(wsr_plan_diff_src(r.plan, "x")[i],
                                   3 * 100 + 15 * 10 + 3 * 1);
            }
        }
        rig_close(&r);
    }
}
END_TEST

START_TEST(a_value_may_be_two_outputs)
{
    rig r = rig_open();
    const wsr_value x = wsr__input(r.graph, "x", wsr__shape2(1, 4));
    const wsr_value a = wsr__op1(r.graph, "scale", "factor=3", x);
    wsr__set_output(r.graph, "first", a);
    wsr__set_output(r.graph, "second", a);
    rig_plan(&r, 1, WSR_GRAD_INPUT);
    fill(wsr_plan_src(r.plan, "x"), 4);
    ck_assert_ok(wsr_plan_forward(r.plan));
    ck_assert_mem_eq(wsr_plan_dst(r.plan, "first"),
                     wsr_plan_dst(r.plan, "second"), 4 * sizeof(float));
    set_diff(r.plan, "first", 1);
    set_diff(r.plan, "second", 10);
    ck_assert_ok(wsr_plan_backward(r.plan));
    ck_assert_float_eq(wsr_plan_diff_src(r.plan, "x")[2], 33);
    rig_close(&r);
}
END_TEST

START_TEST(an_input_may_be_an_output)
{
    rig r = rig_open();
    const wsr_value x = wsr__input(r.graph, "x", wsr__shape2(1, 4));
    wsr__set_output(r.graph, "x", x);
    wsr__set_output(r.graph, "y", wsr__op1(r.graph, "scale", "factor=3", x));
    rig_plan(&r, 2, WSR_GRAD_INPUT);
    fill(wsr_plan_src(r.plan, "x"), 8);
    ck_assert_ok(wsr_plan_forward(r.plan));
    ck_assert_ptr_eq(wsr_plan_dst(r.plan, "x"), wsr_plan_src(r.plan, "x"));
    set_diff(r.plan, "x", 1);
    set_diff(r.plan, "y", 10);
    ck_assert_ok(wsr_plan_backward(r.plan));
    ck_assert_float_eq(wsr_plan_diff_src(r.plan, "x")[7], 31);
    rig_close(&r);
}
END_TEST

START_TEST(a_parameter_may_be_an_output_and_be_reshaped)
{
    rig r = rig_open();
    const wsr_value w = wsr__param_value(r.graph, "w", wsr__shape2(2, 4),
                                         (wsr__init){.value = 2});
    const wsr_value v = wsr__op1(r.graph, "reshape", "dims=[2, 2]", w);
    wsr__set_output(r.graph, "w", w);
    wsr__set_output(r.graph, "v", v);
    wsr__set_output(r.graph, "square", wsr__op2(r.graph, "mul", NULL, w, w));
    rig_plan(&r, 1, WSR_GRAD_PARAMS);
    ck_assert_ok(wsr_plan_forward(r.plan));
    ck_assert_float_eq(wsr_plan_dst(r.plan, "w")[3], 2);
    ck_assert_float_eq(wsr_plan_dst(r.plan, "v")[3], 2);
    ck_assert_float_eq(wsr_plan_dst(r.plan, "square")[3], 4);
    set_diff(r.plan, "w", 1);
    set_diff(r.plan, "v", 10);
    set_diff(r.plan, "square", 100);
    for (int run = 1; run < 3; run++) { // gradients of parameters add up
        ck_assert_ok(wsr_plan_forward(r.plan));
        ck_assert_ok(wsr_plan_backward(r.plan));
        ck_assert_float_eq(grad_of(&r, "w")[3], (float)run * 411);
    }
    rig_close(&r);
}
END_TEST

START_TEST(an_output_without_gradient_can_stand_beside_one_with)
{
    rig r = rig_open();
    const wsr_value x = wsr__input(r.graph, "x", wsr__shape2(1, 4));
    const wsr_value b = wsr__buffer_value(r.graph, "b", wsr__shape2(1, 4), 3);
    wsr__set_output(r.graph, "constant",
                    wsr__op1(r.graph, "scale", "factor=2", b));
    wsr__set_output(r.graph, "zero", wsr__op1(r.graph, "zero", NULL, x));
    wsr__set_output(r.graph, "y", wsr__op2(r.graph, "mul", NULL, x, b));
    rig_plan(&r, 1, WSR_GRAD_INPUT | WSR_GRAD_PARAMS);
    fill(wsr_plan_src(r.plan, "x"), 4);
    ck_assert_ok(wsr_plan_forward(r.plan));
    ck_assert_float_eq(wsr_plan_dst(r.plan, "constant")[0], 6);
    ck_assert_float_eq(wsr_plan_dst(r.plan, "zero")[0], 0);
    ck_assert_ptr_null(wsr_plan_diff_dst(r.plan, "constant"));
    ck_assert_ptr_null(wsr_plan_diff_dst(r.plan, "zero"));
    set_diff(r.plan, "y", 1);
    ck_assert_ok(wsr_plan_backward(r.plan));
    ck_assert_float_eq(wsr_plan_diff_src(r.plan, "x")[1], 3);
    ck_assert_ptr_null(grad_of(&r, "b"));
    rig_close(&r);
}
END_TEST

START_TEST(reshapes_cost_nothing)
{
    size_t bytes[2];
    for (size_t i = 0; i < 2; i++) {
        rig r = rig_open();
        const wsr_value x = wsr__input(r.graph, "x", wsr__shape2(1, FLOATS));
        wsr_value y = wsr__op1(r.graph, "tanh", NULL, x);
        for (size_t k = 0; k < 4 * i; k++) {
            y = wsr__op1(r.graph, "reshape",
                         k % 2 == 0 ? "dims=[64, 64]" : NULL, y);
        }
        wsr__set_output(r.graph, "y", wsr__op1(r.graph, "exp", NULL, y));
        rig_plan(&r, 1, WSR_GRAD_INPUT);
        fill(wsr_plan_src(r.plan, "x"), FLOATS);
        ck_assert_ok(wsr_plan_forward(r.plan));
        set_diff(r.plan, "y", 1);
        ck_assert_ok(wsr_plan_backward(r.plan));
        for (size_t k = 0; k < FLOATS; k++) {
            const float t = tanhf(wsr_plan_src(r.plan, "x")[k]);
            ck_assert_float_eq_tol(wsr_plan_diff_src(r.plan, "x")[k],
                                   expf(t) * (1 - t * t), 1e-5f);
        }
        bytes[i] = wsr_plan_bytes(r.plan);
        rig_close(&r);
    }
    ck_assert_uint_eq(bytes[0], bytes[1]);
}
END_TEST

START_TEST(the_gradient_of_a_reshaped_input_stays)
{
    rig r = rig_open();
    const wsr_value a = wsr__input(r.graph, "a", wsr__shape3(1, 2, 3));
    const wsr_value b = wsr__input(r.graph, "b", wsr__shape2(1, 6));
    const wsr_value t = wsr__op1(r.graph, "tanh", NULL, b);
    const wsr_value u = wsr__op1(r.graph, "tanh", NULL, t);
    const wsr_value flat = wsr__op1(r.graph, "reshape", "dims=[6]", a);
    wsr__set_output(r.graph, "y", wsr__op2(r.graph, "mul", NULL, flat, u));
    rig_plan(&r, 1, WSR_GRAD_INPUT);
    fill(wsr_plan_src(r.plan, "a"), 6);
    fill(wsr_plan_src(r.plan, "b"), 6);
    ck_assert_ok(wsr_plan_forward(r.plan));
    set_diff(r.plan, "y", 1);
    ck_assert_ok(wsr_plan_backward(r.plan));
    for (size_t i = 0; i < 6; i++) {
        const float v = tanhf(tanhf(wsr_plan_src(r.plan, "b")[i]));
        ck_assert_float_eq_tol(wsr_plan_diff_src(r.plan, "a")[i], v, 1e-6f);
    }
    rig_close(&r);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        an_output_may_also_be_read_by_an_op,
        a_value_may_be_two_outputs,
        an_input_may_be_an_output,
        a_parameter_may_be_an_output_and_be_reshaped,
        an_output_without_gradient_can_stand_beside_one_with,
        reshapes_cost_nothing,
        the_gradient_of_a_reshaped_input_stays,
        NULL,
    };
    return suite_of("outputs", tests);
}
