// SPDX-License-Identifier: Apache-2.0

#include "support/elementwise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void values_follow(const char *op, const char *options, double (*f)(double),
                   double limit)
{
    enum { POINTS = 4001 };
    float x[2 * POINTS];
    float y[2 * POINTS];
    for (int i = 0; i < POINTS; i++) {
        const double t = 2.0 * i / (POINTS - 1) - 1;
        x[i] = (float)(limit * t);
        x[POINTS + i] = (float)(limit * t * t * t * 0.1);
    }
    const op_value src = {{2, {2, POINTS}}, x};
    op_forward(y, op, options, &src, 1);
    for (int i = 0; i < 2 * POINTS; i++) {
        const double want = f((double)x[i]);
        // Numbers below the least normal one have fewer digits.
        const double tol = 1e-6 * fabs(want) + 2e-38;
        ck_assert_msg((double)y[i] == want || fabs((double)y[i] - want) <= tol,
                      "%s(%.9g) is %.9g, not %.9g", op, (double)x[i],
                      (double)y[i], want);
    }
}

void elementwise_gradients(const char *op, const char *options, double low,
                           double high, const double kinks[2])
{
    static const wsr_shape shapes[] = {{4, {3, 7, 5, 3}},
                                       {4, {2, 16, 3, 5}},
                                       {2, {17, 1}},
                                       {4, {2, 8, 41, 9}}};
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        grad_case c = {
            .op = op,
            .options = options,
            .n = 1,
            .src = {{.shape = shapes[i], .low = low, .high = high}},
        };
        if (kinks != NULL) {
            c.kinks[0] = kinks[0];
            c.kinks[1] = kinks[1];
            c.kink_count = 2;
        }
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
    }
}

void slopes_at(float *dx, const char *op, const char *options, const float *x,
               int64_t n)
{
    const size_t bytes = (size_t)n * sizeof(*x);
    wsr_params *params = NULL;
    wsr_graph *graph = NULL;
    wsr_plan *plan = NULL;
    ck_assert_ok(wsr_params_new(&params, 1));
    ck_assert_ok(wsr_graph_new(&graph, params));
    const wsr_value src = wsr__input(graph, "x", wsr__shape2(1, n));
    wsr__set_output(graph, "y", wsr__op1(graph, op, options, src));
    ck_assert_ok(wsr__graph_status(graph));
    ck_assert_ok(wsr_plan_new(&plan, graph, 1, WSR_GRAD_INPUT));
    memcpy(wsr_plan_src(plan, "x"), x, bytes);
    ck_assert_ok(wsr_plan_forward(plan));
    for (int64_t i = 0; i < n; i++) {
        wsr_plan_diff_dst(plan, "y")[i] = 1;
    }
    ck_assert_ok(wsr_plan_backward(plan));
    memcpy(dx, wsr_plan_diff_src(plan, "x"), bytes);
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    wsr_params_free(params);
}

void pairs_follow(const char *op, double (*f)(double, double))
{
    static const float numbers[] = {-3, -1.5f, -1, -0.25f, 0,   0.5f,
                                    1,  2,     3,  7.5f,   100, 1e-3f};
    enum { COUNT = sizeof(numbers) / sizeof(numbers[0]) };
    float y[COUNT * COUNT];
    const op_value srcs[] = {{{3, {1, COUNT, 1}}, numbers},
                             {{3, {1, 1, COUNT}}, numbers}};
    op_forward(y, op, NULL, srcs, 2);
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = 0; j < COUNT; j++) {
            const double want =
                (double)(float)f((double)numbers[i], (double)numbers[j]);
            const double got = (double)y[i * COUNT + j];
            const bool same = got == want || (isnan(got) && isnan(want)) ||
                              fabs(got - want) <= 1e-6 * fabs(want);
            ck_assert_msg(same, "%s(%g, %g) is %g, not %g", op,
                          (double)numbers[i], (double)numbers[j], got, want);
        }
    }
}

// Shapes of a and b; a shape of b without a batch is that of a parameter.
typedef struct pair {
    wsr_shape a;
    wsr_shape b;
    bool weights;
} pair;

static const pair pairs[] = {
    {{4, {3, 8, 5, 3}}, {4, {3, 8, 5, 3}}, false},
    {{4, {3, 7, 5, 3}}, {4, {3, 7, 5, 3}}, false},
    {{4, {3, 8, 5, 3}}, {4, {3, 8, 1, 1}}, false}, // squeeze and excite
    {{4, {2, 16, 9, 41}}, {4, {2, 16, 1, 1}}, false},
    {{4, {3, 7, 5, 3}}, {4, {3, 7, 1, 1}}, false},
    {{4, {3, 8, 5, 3}}, {4, {3, 1, 5, 3}}, false},
    {{4, {3, 8, 5, 3}}, {4, {3, 8, 5, 1}}, false},
    {{4, {3, 8, 1, 3}}, {4, {3, 1, 5, 1}}, false}, // each repeats itself
    {{4, {3, 8, 5, 3}}, {3, {8, 1, 1}}, true},     // a number per channel
    {{4, {3, 7, 5, 3}}, {3, {7, 1, 1}}, true},
    {{4, {3, 8, 5, 3}}, {4, {1, 8, 1, 1}}, true},
    {{4, {3, 8, 5, 3}}, {3, {8, 5, 3}}, true},
    {{4, {3, 8, 5, 3}}, {1, {1}}, true},
    {{4, {3, 8, 5, 3}}, {1, {3}}, true},
    {{3, {3, 5, 70}}, {1, {70}}, true},
    {{3, {3, 5, 70}}, {3, {1, 5, 70}}, true}, // an embedding of positions
    {{3, {2, 3, 300}}, {2, {3, 300}}, true},
    {{3, {2, 300, 3}}, {3, {2, 300, 1}}, false},
    {{6, {2, 2, 3, 2, 3, 2}}, {4, {3, 1, 3, 1}}, true},
    {{2, {3, 1}}, {2, {1, 7}}, true},
};

void broadcast_gradients(const char *op, double low, double high)
{
    const grad_draw draw = low == 0 && high == 0 ? DRAW_SPACED : DRAW_UNIFORM;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        const grad_source a = {
            .shape = pairs[i].a, .draw = draw, .low = low, .high = high};
        const grad_source b = {.shape = pairs[i].b,
                               .weights = pairs[i].weights,
                               .draw = draw,
                               .low = low,
                               .high = high};
        grad_case c = {.op = op, .n = 2, .src = {a, b}};
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
        c.src[0] = b;
        c.src[1] = a;
        gradcheck(&c);
    }
}
