// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

#include <math.h>

enum { SRC, MEAN, VAR, TRACKED, WEIGHT, BIAS };

static grad_case norm_case(wsr_shape shape, bool affine)
{
    const wsr_shape vector = {1, {shape.dims[1]}};
    return (grad_case){
        .op = "batch_norm",
        .options = "tol=1e-3",
        .n = affine ? 6 : 4,
        .src = {[SRC] = {.shape = shape},
                [MEAN] = {.shape = vector, .weights = true, .fixed = true},
                [VAR] = {.shape = vector,
                         .weights = true,
                         .fixed = true,
                         .low = 0.5,
                         .high = 1.5},
                [TRACKED] = {.weights = true, .fixed = true},
                [WEIGHT] =
                    {.shape = vector, .weights = true, .low = 0.5, .high = 1.5},
                [BIAS] = {.shape = vector, .weights = true}},
        .ref_tol = 1e-4};
}

static const wsr_shape shapes[] = {{4, {3, 1, 5, 1}},  {4, {2, 3, 5, 31}},
                                   {4, {3, 7, 1, 31}}, {4, {2, 17, 5, 5}},
                                   {4, {1, 8, 5, 5}},  {2, {5, 7}},
                                   {2, {9, 70}}};
enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

START_TEST(gradients_with_running_statistics_are_right)
{
    for (size_t i = 0; i < 2 * SHAPES; i++) {
        grad_case c = norm_case(shapes[i / 2], i % 2 == 0);
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
    }
}
END_TEST

START_TEST(gradients_with_statistics_of_the_batch_are_right)
{
    for (size_t i = 0; i < 2 * SHAPES; i++) {
        grad_case c = norm_case(shapes[i / 2], i % 2 == 0);
        c.purpose = WSR_TRAIN;
        c.mixes = true;
        gradcheck(&c);
        c.blocked = true;
        gradcheck(&c);
    }
}
END_TEST

typedef struct net {
    wsr_params *params;
    wsr_graph *graph;
    wsr_plan *plan;
} net;

// One channel; batch norm with its default options.
static void net_open(net *n, unsigned purpose)
{
    ck_assert_ok(wsr_params_new(&n->params, 1));
    ck_assert_ok(wsr_graph_new(&n->graph, n->params));
    const wsr_value srcs[] = {
        wsr__input(n->graph, "x", wsr__shape4(1, 1, 1, 2)),
        wsr__buffer_value(n->graph, "mean", wsr__shape1(1), 1),
        wsr__buffer_value(n->graph, "var", wsr__shape1(1), 4),
        wsr__buffer_value(n->graph, "tracked", (wsr_shape){0}, 7)};
    wsr__set_output(n->graph, "y",
                    wsr__opn(n->graph, "batch_norm", NULL, srcs, 4));
    ck_assert_ok(wsr_plan_new(&n->plan, n->graph, 2, purpose));
    const float x[] = {1, 2, 3, 6}; // mean 3, biased variance 3.5
    memcpy(wsr_plan_src(n->plan, "x"), x, sizeof(x));
}

static void net_close(net *n)
{
    wsr_plan_free(n->plan);
    wsr_graph_free(n->graph);
    wsr_params_free(n->params);
}

static double param_value(const net *n, const char *name)
{
    size_t at = 0;
    ck_assert_ok(wsr_params_find(&at, n->params, name));
    return (double)wsr_params_data(n->params, at)[0];
}

START_TEST(running_statistics_move_when_asked_to)
{
    for (unsigned reference = 0; reference < 2; reference++) {
        net n = {0};
        net_open(&n, WSR_TRAIN | WSR_MOVE_STATS |
                         (reference == 1 ? WSR_REFERENCE : 0));
        ck_assert_ok(wsr_plan_forward(n.plan));
        ck_assert_double_eq_tol(param_value(&n, "mean"), 0.9 + 0.3, 1e-6);
        ck_assert_double_eq_tol(param_value(&n, "var"),
                                0.9 * 4 + 0.1 * 3.5 * 4 / 3, 1e-6);
        ck_assert_double_eq(param_value(&n, "tracked"), 8);
        const float *const y = wsr_plan_dst(n.plan, "y");
        ck_assert_double_eq_tol((double)y[3], 3 / sqrt(3.5 + 1e-5), 1e-5);
        net_close(&n);
    }
}
END_TEST

START_TEST(running_statistics_stay_otherwise)
{
    static const unsigned purposes[] = {WSR_FORWARD, WSR_TRAIN, WSR_MOVE_STATS,
                                        WSR_REFERENCE,
                                        WSR_TRAIN | WSR_REFERENCE};
    for (size_t i = 0; i < sizeof(purposes) / sizeof(purposes[0]); i++) {
        net n = {0};
        net_open(&n, purposes[i]);
        ck_assert_ok(wsr_plan_forward(n.plan));
        ck_assert_double_eq(param_value(&n, "mean"), 1);
        ck_assert_double_eq(param_value(&n, "var"), 4);
        ck_assert_double_eq(param_value(&n, "tracked"), 7);
        const bool train = (purposes[i] & WSR_TRAIN) != 0;
        const double want = train ? 3 / sqrt(3.5 + 1e-5) : 5 / sqrt(4 + 1e-5);
        ck_assert_double_eq_tol((double)wsr_plan_dst(n.plan, "y")[3], want,
                                1e-5);
        net_close(&n);
    }
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_refused)
{
    const wsr_shape five[] = {
        {4, {2, 3, 1, 1}}, {1, {3}}, {1, {3}}, {1, {1}}, {1, {3}}};
    op_refuses(WSR_ARG, "5 sources", "batch_norm", NULL, five, 5);
    const wsr_shape mean[] = {{4, {2, 3, 1, 1}}, {1, {2}}, {1, {3}}, {1, {1}}};
    op_refuses(WSR_SHAPE, "(2)", "batch_norm", NULL, mean, 4);
    const wsr_shape flat[] = {{3, {2, 3, 1}}, {1, {3}}, {1, {3}}, {1, {1}}};
    op_refuses(WSR_SHAPE, "(2, 3, 1)", "batch_norm", NULL, flat, 4);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        gradients_with_running_statistics_are_right,
        gradients_with_statistics_of_the_batch_are_right,
        running_statistics_move_when_asked_to,
        running_statistics_stay_otherwise,
        shapes_that_do_not_fit_are_refused,
        NULL,
    };
    return suite_of("batch_norm", tests);
}
