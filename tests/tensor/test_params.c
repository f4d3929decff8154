// SPDX-License-Identifier: Apache-2.0
//
// Parameter sets of a caller's own.

#include "support/oom.h"
#include "support/support.h"
#include "tensor/tensor.h"
#include "wsr/graph.h"
#include "wsr/loss.h"
#include "wsr/optim.h"

#include <math.h>
#include <string.h>

static wsr_params *new_params(void)
{
    wsr_params *params = NULL;
    ck_assert_ok(wsr_params_new(&params, 3));
    return params;
}

static float largest(const wsr_params *params, size_t i)
{
    float most = 0;
    const float *const x = wsr_params_data(params, i);
    for (int64_t k = 0; k < wsr_shape_count(wsr_params_shape(params, i)); k++) {
        most = fmaxf(most, fabsf(x[k]));
    }
    return most;
}

START_TEST(weights_start_as_in_pytorch_and_biases_at_zero)
{
    wsr_params *const params = new_params();
    const wsr_shape weights = {4, {32, 16, 3, 3}};
    const wsr_shape bias = {1, {32}};
    size_t w = 9;
    size_t b = 9;
    ck_assert_ok(wsr_params_add(&w, params, "conv.weight", &weights, NULL));
    ck_assert_ok(wsr_params_add(&b, params, "conv.bias", &bias, NULL));
    ck_assert_uint_eq(w, 0);
    ck_assert_uint_eq(b, 1);
    ck_assert_float_le(largest(params, w), 1.0F / 12);
    ck_assert_float_gt(largest(params, w), 0.99F / 12);
    ck_assert(largest(params, b) == 0);
    ck_assert(wsr_params_trainable(params, w));
    wsr_params_free(params);
}
END_TEST

START_TEST(options_choose_the_start_and_buffers)
{
    wsr_params *const params = new_params();
    const wsr_shape shape = {1, {1000}};
    ck_assert_ok(
        wsr_params_add(NULL, params, "u", &shape, "init=uniform,bound=0.25"));
    ck_assert_ok(
        wsr_params_add(NULL, params, "c", &shape, "init=constant,value=-2"));
    ck_assert_ok(wsr_params_add(NULL, params, "b", &shape,
                                "init=constant,value=1,trainable=false"));
    ck_assert_float_le(largest(params, 0), 0.25F);
    ck_assert_float_gt(largest(params, 0), 0.24F);
    ck_assert(wsr_params_data(params, 1)[999] == -2);
    ck_assert(wsr_params_data(params, 2)[0] == 1);
    ck_assert(!wsr_params_trainable(params, 2));
    ck_assert_int_eq(wsr_params_scalars(params), 2000);
    wsr_params_free(params);
}
END_TEST

START_TEST(what_cannot_be_is_refused_and_leaves_the_set_as_it_is)
{
    wsr_params *const params = new_params();
    const wsr_shape fine = {2, {2, 3}};
    const wsr_shape empty = {2, {2, 0}};
    const wsr_shape huge = {3, {INT64_C(1) << 40, INT64_C(1) << 40, 1}};
    const wsr_shape deep = {WSR_MAX_DIMS + 1, {1, 1, 1, 1, 1, 1}};
    const wsr_shape negative = {-1, {1}};
    ck_assert_ok(wsr_params_add(NULL, params, "w", &fine, NULL));
    ck_assert_fails(wsr_params_add(NULL, params, "w", &fine, NULL), WSR_ARG,
                    "parameter w: exists already");
    ck_assert_fails(wsr_params_add(NULL, params, "", &fine, NULL), WSR_ARG,
                    "has no name");
    ck_assert_fails(wsr_params_add(NULL, params, "e", &empty, NULL), WSR_ARG,
                    "e: shape (2, 0) has a dimension below 1");
    ck_assert_fails(wsr_params_add(NULL, params, "h", &huge, NULL), WSR_ARG,
                    "elements");
    ck_assert_fails(wsr_params_add(NULL, params, "d", &deep, NULL), WSR_ARG,
                    "7 dimensions are outside [0, 6]");
    ck_assert_fails(wsr_params_add(NULL, params, "n", &negative, NULL), WSR_ARG,
                    "outside [0, 6]");
    ck_assert_fails(wsr_params_add(NULL, params, "o", &fine, "bond=1"),
                    WSR_CONFIG, "did you mean 'parameter.bound'");
    ck_assert_uint_eq(wsr_params_count(params), 1);
    wsr_params_free(params);
}
END_TEST

static wsr_status add_two(void *ctx)
{
    (void)ctx;
    wsr_status status = WSR_OK;
    wsr_params *params = NULL;
    const wsr_shape shape = {2, {4, 4}};
    WSR_TRY(wsr_params_new(&params, 1));
    WSR_TRY(wsr_params_add(NULL, params, "a", &shape, NULL));
    WSR_TRY(wsr_params_add(NULL, params, "b", &shape, "init=uniform"));
out:
    wsr_params_free(params);
    return status;
}

START_TEST(memory_that_runs_short_is_reported)
{
    ck_assert_uint_gt(oom_sweep(add_two, NULL), 0);
}
END_TEST

// y = w x + b is fitted to y = 2 x - 1: nothing but public functions.
START_TEST(a_network_can_be_made_of_nothing)
{
    wsr_params *const params = new_params();
    wsr_graph *graph = NULL;
    wsr_plan *plan = NULL;
    wsr_optim *optim = NULL;
    wsr_value x = 0;
    wsr_value y = 0;
    wsr_value line[3];
    wsr_value pair[2];
    const wsr_shape one = {2, {1, 1}};
    const wsr_shape bias = {1, {1}};
    ck_assert_ok(wsr_params_add(NULL, params, "w", &one, NULL));
    ck_assert_ok(wsr_params_add(NULL, params, "b", &bias, NULL));
    ck_assert_ok(wsr_graph_new(&graph, params));
    ck_assert_ok(wsr_graph_input(&x, graph, "x", &one));
    ck_assert_ok(wsr_graph_input(&y, graph, "y", &one));
    line[0] = x;
    ck_assert_ok(wsr_graph_param(&line[1], graph, "w"));
    ck_assert_ok(wsr_graph_param(&line[2], graph, "b"));
    ck_assert_ok(wsr_graph_op(&pair[0], graph, "linear", line, 3, NULL));
    pair[1] = y;
    wsr_value loss = 0;
    ck_assert_ok(wsr_graph_op(&loss, graph, "mse", pair, 2, NULL));
    ck_assert_ok(wsr_graph_output(graph, "loss", loss));
    ck_assert_ok(wsr_plan_new(&plan, graph, 2, WSR_GRAD_PARAMS));
    ck_assert_ok(wsr_optim_new(&optim, params, "sgd"));
    for (int i = 0; i < 200; i++) {
        memcpy(wsr_plan_src(plan, "x"), (const float[]){-1, 1}, 8);
        memcpy(wsr_plan_src(plan, "y"), (const float[]){-3, 1}, 8);
        wsr_params_zero_grad(params, true);
        ck_assert_ok(wsr_plan_forward(plan));
        memcpy(wsr_plan_diff_dst(plan, "loss"), (const float[]){0.5F, 0.5F}, 8);
        ck_assert_ok(wsr_plan_backward(plan));
        ck_assert_ok(wsr_optim_step(optim, 0.2));
    }
    ck_assert_float_eq_tol(wsr_params_data(params, 0)[0], 2, 1e-3F);
    ck_assert_float_eq_tol(wsr_params_data(params, 1)[0], -1, 1e-3F);
    wsr_optim_free(optim);
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    wsr_params_free(params);
}
END_TEST

static void add(wsr_params *params, const char *name, const wsr_shape *shape,
                const char *options)
{
    ck_assert_ok(wsr_params_add(NULL, params, name, shape, options));
}

static wsr_value apply(wsr_graph *graph, const char *op, wsr_value src,
                       const char *const *names, const char *options)
{
    wsr_value srcs[8] = {src};
    size_t n = 1;
    wsr_value dst = 0;
    for (; names[n - 1] != NULL; n++) {
        ck_assert_ok(wsr_graph_param(&srcs[n], graph, names[n - 1]));
    }
    ck_assert_ok(wsr_graph_op(&dst, graph, op, srcs, n, options));
    return dst;
}

// Convolution, norm with statistics of its own, classifier.
static wsr_graph *convolutional(wsr_params *params)
{
    static const char *const conv[] = {"conv.weight", NULL};
    static const char *const norm[] = {
        "bn.running_mean", "bn.running_var", "bn.num_batches_tracked",
        "bn.weight",       "bn.bias",        NULL};
    static const char *const linear[] = {"fc.weight", "fc.bias", NULL};
    static const char *const none[] = {NULL};
    const wsr_shape image = {4, {1, 3, 8, 8}};
    const wsr_shape kernel = {4, {10, 3, 3, 3}};
    const wsr_shape channels = {1, {10}};
    const wsr_shape scalar = {0, {0}};
    const wsr_shape fc = {2, {4, 10}};
    const wsr_shape classes = {1, {4}};
    wsr_graph *graph = NULL;
    wsr_value v = 0;
    add(params, "conv.weight", &kernel, NULL);
    add(params, "bn.running_mean", &channels, "init=constant,trainable=false");
    add(params, "bn.running_var", &channels,
        "init=constant,value=1,trainable=false");
    add(params, "bn.num_batches_tracked", &scalar,
        "init=constant,trainable=false");
    add(params, "bn.weight", &channels, "init=constant,value=1");
    add(params, "bn.bias", &channels, NULL);
    add(params, "fc.weight", &fc, NULL);
    add(params, "fc.bias", &classes, NULL);
    ck_assert_ok(wsr_graph_new(&graph, params));
    ck_assert_ok(wsr_graph_input(&v, graph, "x", &image));
    v = apply(graph, "conv2d", v, conv, "pad=1");
    v = apply(graph, "batch_norm", v, norm, NULL);
    v = apply(graph, "relu", v, none, NULL);
    v = apply(graph, "global_avg_pool", v, none, NULL);
    v = apply(graph, "linear", v, linear, NULL);
    ck_assert_ok(wsr_graph_output(graph, "logits", v));
    return graph;
}

START_TEST(norms_of_ones_own_have_statistics_that_move)
{
    enum { BATCH = 6, FLOATS = BATCH * 3 * 8 * 8 };
    wsr_params *const params = new_params();
    wsr_graph *const graph = convolutional(params);
    wsr_plan *plan = NULL;
    wsr_optim *optim = NULL;
    const int32_t labels[BATCH] = {0, 1, 2, 3, 0, 1};
    double first = 0;
    double loss = 0;
    size_t tracked = 0;
    ck_assert_ok(wsr_plan_new(&plan, graph, BATCH,
                              WSR_GRAD_PARAMS | WSR_TRAIN | WSR_MOVE_STATS));
    ck_assert_ok(wsr_optim_new(&optim, params, "adam"));
    for (int step = 0; step < 60; step++) {
        for (size_t i = 0; i < FLOATS; i++) {
            wsr_plan_src(plan, "x")[i] = (float)(i * i % 97) / 97;
        }
        wsr_params_zero_grad(params, true);
        ck_assert_ok(wsr_plan_forward(plan));
        ck_assert_ok(wsr_cross_entropy(&loss, wsr_plan_diff_dst(plan, "logits"),
                                       wsr_plan_dst(plan, "logits"),
                                       wsr_plan_shape(plan, "logits"), labels,
                                       0));
        ck_assert_ok(wsr_plan_backward(plan));
        ck_assert_ok(wsr_optim_step(optim, 0.02));
        first = step == 0 ? loss : first;
    }
    ck_assert_double_lt(loss, first / 2);
    ck_assert_ok(wsr_params_find(&tracked, params, "bn.num_batches_tracked"));
    ck_assert(wsr_params_data(params, tracked)[0] == 60);
    ck_assert(wsr_params_data(params, tracked - 1)[0] != 1);
    wsr_optim_free(optim);
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    wsr_params_free(params);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        weights_start_as_in_pytorch_and_biases_at_zero,
        options_choose_the_start_and_buffers,
        what_cannot_be_is_refused_and_leaves_the_set_as_it_is,
        memory_that_runs_short_is_reported,
        a_network_can_be_made_of_nothing,
        norms_of_ones_own_have_statistics_that_move,
        NULL,
    };
    return suite_of("params", tests);
}
