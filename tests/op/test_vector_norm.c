// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

#include <math.h>

START_TEST(values_are_the_three_norms)
{
    const float x[] = {3, -4, 0, 0, 1e30f, 1e30f};
    const op_value src = {{2, {3, 2}}, x};
    float y[3];
    op_forward(y, "vector_norm", "p=1", &src, 1);
    ck_assert(y[0] == 7 && y[1] == 0 && y[2] == 2e30f);
    op_forward(y, "vector_norm", NULL, &src, 1);
    ck_assert(y[0] == 5 && y[1] == 0);
    ck_assert_float_eq_tol(y[2] / 1e30f, sqrtf(2), 1e-6f); // no overflow
    op_forward(y, "vector_norm", "p=inf", &src, 1);
    ck_assert(y[0] == 4 && y[1] == 0 && y[2] == 1e30f);
}
END_TEST

START_TEST(a_nan_shows_in_every_norm)
{
    static const char *const options[] = {"p=1", "p=2", "p=inf"};
    const float x[] = {3, NAN, 4, 5, 6, 7};
    for (size_t i = 0; i < 3; i++) {
        float y[2];
        op_forward(y, "vector_norm", options[i], &(op_value){{2, {2, 3}}, x},
                   1);
        ck_assert(isnan(y[0]) && !isnan(y[1]));
    }
}
END_TEST

START_TEST(gradients_are_right)
{
    static const char *const options[] = {"p=1", "p=2", "p=inf"};
    for (size_t i = 0; i < 3; i++) {
        grad_case c = {
            .op = "vector_norm",
            .options = options[i],
            .n = 1,
            .src = {{.shape = {4, {3, 7, 2, 3}}, .draw = DRAW_SPACED}}};
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
        c.src[0].shape = (wsr_shape){1, {5}};
        gradcheck(&c);
    }
}
END_TEST

START_TEST(the_gradient_at_zero_is_zero)
{
    wsr_params *params = NULL;
    wsr_graph *graph = NULL;
    wsr_plan *plan = NULL;
    ck_assert_ok(wsr_params_new(&params, 1));
    ck_assert_ok(wsr_graph_new(&graph, params));
    const wsr_value x = wsr__input(graph, "x", wsr__shape2(1, 3));
    wsr__set_output(graph, "y", wsr__op1(graph, "vector_norm", "p=2", x));
    ck_assert_ok(wsr_plan_new(&plan, graph, 1, WSR_GRAD_INPUT));
    for (size_t i = 0; i < 3; i++) {
        wsr_plan_src(plan, "x")[i] = 0;
    }
    ck_assert_ok(wsr_plan_forward(plan));
    wsr_plan_diff_dst(plan, "y")[0] = 1;
    ck_assert_ok(wsr_plan_backward(plan));
    for (size_t i = 0; i < 3; i++) {
        ck_assert(wsr_plan_diff_src(plan, "x")[i] == 0);
    }
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    wsr_params_free(params);
}
END_TEST

START_TEST(other_norms_are_refused)
{
    op_refuses(WSR_CONFIG, "'3'", "vector_norm", "p=3", &(wsr_shape){2, {2, 3}},
               1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        values_are_the_three_norms, a_nan_shows_in_every_norm,
        gradients_are_right,        the_gradient_at_zero_is_zero,
        other_norms_are_refused,    NULL,
    };
    return suite_of("vector_norm", tests);
}
