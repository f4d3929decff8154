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

void slopes_are(const char *op, const char *options, const float *x,
                const float *want, int64_t n)
{
    float dx[16];
    ck_assert_int_le(n, 16);
    slopes_at(dx, op, options, x, n);
    for (int64_t i = 0; i < n; i++) {
        ck_assert_float_eq_tol(dx[i], want[i], 1e-7f);
    }
}

void infinities_become(const char *op, float from_positive, float from_negative)
{
    const float x[] = {NAN, INFINITY, -INFINITY};
    float y[3];
    op_forward(y, op, NULL, &(op_value){{2, {1, 3}}, x}, 1);
    ck_assert(isnan(y[0]));
    ck_assert_msg(y[1] == from_positive, "%g", (double)y[1]);
    ck_assert_msg(y[2] == from_negative, "%g", (double)y[2]);
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

void ties_are_halves(const char *op)
{
    const float a[] = {NAN, 1};
    const float b[] = {1, NAN};
    const op_value srcs[] = {{{1, {2}}, a}, {{1, {2}}, b}};
    float y[2];
    op_forward(y, op, NULL, srcs, 2);
    ck_assert(isnan(y[0]) && isnan(y[1]));
    wsr_params *params = NULL;
    wsr_graph *graph = NULL;
    wsr_plan *plan = NULL;
    ck_assert_ok(wsr_params_new(&params, 1));
    ck_assert_ok(wsr_graph_new(&graph, params));
    const wsr_value va = wsr__input(graph, "a", wsr__shape1(1));
    const wsr_value vb = wsr__input(graph, "b", wsr__shape1(1));
    wsr__set_output(graph, "y", wsr__op2(graph, op, NULL, va, vb));
    ck_assert_ok(wsr__graph_status(graph));
    ck_assert_ok(wsr_plan_new(&plan, graph, 1, WSR_GRAD_INPUT));
    wsr_plan_src(plan, "a")[0] = 3;
    wsr_plan_src(plan, "b")[0] = 3;
    ck_assert_ok(wsr_plan_forward(plan));
    wsr_plan_diff_dst(plan, "y")[0] = 1;
    ck_assert_ok(wsr_plan_backward(plan));
    ck_assert_float_eq(wsr_plan_diff_src(plan, "a")[0], 0.5f);
    ck_assert_float_eq(wsr_plan_diff_src(plan, "b")[0], 0.5f);
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    wsr_params_free(params);
}

void reduction_is(const char *op, const float rows[2], const float columns[3],
                  float all)
{
    const float x[] = {0, 1, 2, 3, 4, 5};
    const op_value src = {{3, {1, 2, 3}}, x};
    float y[6];
    op_forward(y, op, "axes=[-1]", &src, 1);
    ck_assert_mem_eq(y, rows, 2 * sizeof(*y));
    op_forward(y, op, "axes=[1],keep_dims=false", &src, 1);
    ck_assert_mem_eq(y, columns, 3 * sizeof(*y));
    op_forward(y, op, NULL, &src, 1);
    ck_assert_float_eq(y[0], all);
}

void reduction_gradients(const char *op, grad_draw draw)
{
    static const char *const options[] = {
        NULL,         "axes=[2,3]", "axes=[1],keep_dims=false",
        "axes=[1,3]", "axes=[-1]",  "axes=[-3,-2],keep_dims=false"};
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        grad_case c = {.op = op,
                       .options = options[i],
                       .n = 1,
                       .src = {{.shape = {4, {3, 7, 5, 4}}, .draw = draw}}};
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
    }
    const wsr_shape shape = {3, {2, 3, 4}};
    op_refuses(WSR_SHAPE, "axis 0", op, "axes=[0]", &shape, 1);
    op_refuses(WSR_SHAPE, "axis -3", op, "axes=[-3]", &shape, 1);
    op_refuses(WSR_SHAPE, "axis 3", op, "axes=[1,3]", &shape, 1);
}

void reduction_of_nan(const char *op)
{
    const float x[] = {1, NAN, 3, 4};
    float y[2];
    op_forward(y, op, NULL, &(op_value){{2, {2, 2}}, x}, 1);
    ck_assert(isnan(y[0]) && !isnan(y[1]));
}

void norm_follows(const char *op, size_t size, size_t weights, size_t repeat)
{
    const float x[] = {1, 2, 4, -3, 0.5f, 7, 1000, 1001, 1003, 5, 5, 5};
    const float weight[] = {0.5f, 2, -1};
    const float bias[] = {3, 0, 1};
    const wsr_shape shape = wsr__shape1((int64_t)weights);
    const op_value srcs[] = {
        {{3, {2, 2, 3}}, x}, {shape, weight}, {shape, bias}};
    float y[12];
    op_forward(y, op, "tol=0.01", srcs, 3);
    for (size_t i = 0; i < 12; i++) {
        const float *const group = x + i / size * size;
        const size_t at = i / repeat % weights;
        double mean = 0;
        double var = 0;
        for (size_t k = 0; k < size; k++) {
            mean += (double)group[k] / (double)size;
        }
        for (size_t k = 0; k < size; k++) {
            var += pow((double)group[k] - mean, 2) / (double)size;
        }
        const double want = ((double)x[i] - mean) / sqrt(var + 0.01) *
                                (double)weight[at] +
                            (double)bias[at];
        ck_assert_double_eq_tol((double)y[i], want, 1e-4);
    }
}

void norm_gradients(const char *op, const char *options, wsr_shape src,
                    wsr_shape weight)
{
    grad_case c = {.op = op,
                   .options = options,
                   .src = {{.shape = src, .low = -2, .high = 2},
                           {.shape = weight, .weights = true},
                           {.shape = weight, .weights = true}},
                   .tol = 3e-3,
                   .ref_tol = 2e-5};
    for (c.n = 1; c.n <= 3; c.n++) {
        c.blocked = false;
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
    }
}

static void row_gradient(const char *op, const char *options, wsr_shape shape)
{
    grad_case c = {.op = op,
                   .options = options,
                   .n = 1,
                   .src = {{.shape = shape, .low = -2, .high = 2}}};
    gradcheck(&c);
    c.blocked = true;
    gradcheck(&c);
}

void row_gradients(const char *op)
{
    static const wsr_shape shapes[] = {
        {2, {3, 10}}, {2, {5, 1}}, {3, {3, 14, 8}}, {4, {2, 3, 5, 7}}};
    static const char *const axes[] = {"axis=1", "axis=2", "axis=-2",
                                       "axis=-3"};
    for (size_t i = 0; i < 4; i++) {
        row_gradient(op, NULL, shapes[i]);
        row_gradient(op, axes[i], (wsr_shape){4, {2, 7, 5, 3}});
    }
}

void rows_along_axes(const char *op)
{
    const float x[] = {0, 5, 1, -2, 2, 4}; // (1, 3, 2)
    const float turned[] = {0, 1, 2, 5, -2, 4};
    float y[6];
    float want[6];
    op_forward(y, op, "axis=1", &(op_value){{3, {1, 3, 2}}, x}, 1);
    op_forward(want, op, NULL, &(op_value){{3, {1, 2, 3}}, turned}, 1);
    for (size_t i = 0; i < 6; i++) {
        ck_assert_float_eq(y[i], want[i % 2 * 3 + i / 2]);
    }
}

void rows_of_the_batch(const char *op)
{
    op_refuses(WSR_SHAPE, "(5)", op, NULL, &(wsr_shape){1, {5}}, 1);
    op_refuses(WSR_SHAPE, "(2, 5)", op, "axis=-2", &(wsr_shape){2, {2, 5}}, 1);
    op_refuses(WSR_SHAPE, "(2, 5)", op, "axis=2", &(wsr_shape){2, {2, 5}}, 1);
}
