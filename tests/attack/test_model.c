// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

enum { N = 13, SIDE = 8, D = 3 * SIDE * SIDE, CLASSES = 4 };

static wsr_params *params;
static wsr_graph *graph;
static float x[N * D];

// With few parameters the model takes image by image, with many of them whole
// batches.
static void build_of(int64_t hidden)
{
    const char *const conv = "pad=1";
    ck_assert_ok(wsr_params_new(&params, 7));
    ck_assert_ok(wsr_graph_new(&graph, params));
    const wsr__init init = {.bound = 0.3f};
    wsr_value v = wsr__input(graph, "x", wsr__shape4(1, 3, SIDE, SIDE));
    v = wsr__op2(
        graph, "conv2d", conv, v,
        wsr__param_value(graph, "a.weight", wsr__shape4(10, 3, 3, 3), init));
    v = wsr__op1(graph, "relu", NULL, v);
    v = wsr__op1(graph, "global_avg_pool", NULL, v);
    v = wsr__op1(graph, "reshape", "dims=[10]", v);
    v = wsr__op2(
        graph, "linear", NULL, v,
        wsr__param_value(graph, "h.weight", wsr__shape2(hidden, 10), init));
    v = wsr__op2(graph, "linear", NULL, v,
                 wsr__param_value(graph, "b.weight",
                                  wsr__shape2(CLASSES, hidden),
                                  (wsr__init){.bound = 30.0F / (float)hidden}));
    wsr__set_output(graph, "logits", v);
    ck_assert_ok(wsr__graph_status(graph));
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < N * D; i++) {
        x[i] = wsr__rng_uniform(&rng);
    }
}

static void build(void)
{
    build_of(10);
}

static void destroy(void)
{
    wsr_graph_free(graph);
    wsr_params_free(params);
}

static bool some_gradient(void *ctx, size_t row, float *dz, const float *z)
{
    (void)ctx;
    (void)z;
    for (size_t c = 0; c < CLASSES; c++) {
        dz[c] = (float)((row * CLASSES + c) % 5) - 1.5f;
    }
    return true;
}

// Forward and backward of some rows of x.
static void compute(wsr_model *model, const wsr__rows *rows, float *z,
                    float *dx)
{
    const wsr__model_seed seed = {some_gradient, NULL};
    ck_assert_ok(model->cls->gradient(model, dx, z, x, rows, &seed));
}

static void ck_assert_close(const float *a, const float *b, size_t row,
                            size_t width)
{
    for (size_t i = row * width; i < (row + 1) * width; i++) {
        ck_assert_float_eq_tol(a[i], b[i], 1e-5f);
    }
}

static void check_any_number(int64_t hidden)
{
    static float z[N * CLASSES];
    static float dx[N * D];
    static float one_z[N * CLASSES];
    static float one_dx[N * D];
    wsr_model *model = NULL;
    build_of(hidden);
    ck_assert_ok(wsr_model_from_graph(&model, graph, 11));
    ck_assert_uint_eq(wsr_model_classes(model), CLASSES);
    ck_assert_uint_eq(wsr_model_batch(model), 11);
    for (uint32_t i = 0; i < N; i++) {
        const wsr__rows one = {&i, 1};
        compute(model, &one, one_z, one_dx);
    }
    for (size_t n = 1; n <= 11; n++) {
        uint32_t at[N];
        const wsr__rows rows = {at, n};
        for (size_t k = 0; k < n; k++) {
            at[k] = (uint32_t)(k * 5 % N);
        }
        memset(z, 0, sizeof(z));
        memset(dx, 0, sizeof(dx));
        compute(model, &rows, z, dx);
        for (size_t k = 0; k < n; k++) {
            ck_assert_close(z, one_z, at[k], CLASSES);
            ck_assert_close(dx, one_dx, at[k], D);
        }
    }
    wsr_model_free(model);
    destroy();
}

START_TEST(any_number_of_images_gives_what_single_images_give)
{
    check_any_number(10);
    check_any_number(2000);
}
END_TEST

START_TEST(logits_alone_are_the_same_and_split_into_batches)
{
    float some[N * CLASSES];
    float all[N * CLASSES];
    wsr_model *model = NULL;
    const wsr__rows rows = {NULL, 4};
    build();
    ck_assert_ok(wsr_model_from_graph(&model, graph, 4));
    ck_assert_ok(wsr_model_logits(all, model, x, N));
    ck_assert_ok(model->cls->forward(model, some, x, &rows));
    for (size_t i = 0; i < 4 * CLASSES; i++) {
        ck_assert_float_eq_tol(all[i], some[i], 1e-5f);
    }
    ck_assert_uint_eq(wsr_model_queries(model), N);
    wsr_model_free(model);
    destroy();
}
END_TEST

START_TEST(graphs_without_the_right_ports_are_refused)
{
    wsr_model *model = NULL;
    wsr_graph *other = NULL;
    build();
    ck_assert_ok(wsr_graph_new(&other, params));
    wsr_value v = wsr__input(other, "image", wsr__shape4(1, 3, SIDE, SIDE));
    v = wsr__op1(other, "global_avg_pool", NULL, v);
    v = wsr__op1(other, "reshape", "dims=[3]", v);
    wsr__set_output(other, "logits", v);
    ck_assert_fails(wsr_model_from_graph(&model, other, 4), WSR_ARG,
                    "no input 'x'");
    ck_assert_ptr_null(model);
    wsr_graph_free(other);
    destroy();
}
END_TEST

static bool given_gradient(void *ctx, size_t row, float *dz, const float *z)
{
    const float *const given = ctx;
    (void)z;
    memcpy(dz, given + row * TOY_CLASSES, TOY_CLASSES * sizeof(*dz));
    return true;
}

START_TEST(callbacks_get_dense_batches_of_the_rows_that_are_meant)
{
    static toy t;
    static float images[N * TOY_D];
    static float dx[N * TOY_D];
    static float dz[N * TOY_CLASSES];
    float z[N * TOY_CLASSES];
    float one[TOY_CLASSES];
    float want[TOY_D];
    int32_t labels[N];
    const uint32_t at[3] = {7, 0, 12};
    const wsr__rows rows = {at, 3};
    toy_fill(&t, 1);
    toy_images(images, labels, N, &t, 1);
    wsr_model *const model = toy_model(&t, true);
    const wsr__model_seed seed = {given_gradient, dz};
    for (size_t i = 0; i < N * TOY_CLASSES; i++) {
        dz[i] = (float)i;
    }
    ck_assert_ok(model->cls->gradient(model, dx, z, images, &rows, &seed));
    for (size_t k = 0; k < 3; k++) {
        ck_assert_ok(toy_logits(one, images + at[k] * TOY_D, 1, &t));
        ck_assert_mem_eq(one, z + at[k] * TOY_CLASSES, sizeof(one));
        ck_assert_ok(toy_backward(want, dz + at[k] * TOY_CLASSES, 1, &t));
        ck_assert_mem_eq(want, dx + at[k] * TOY_D, sizeof(want));
    }
    wsr_model_free(model);
}
END_TEST

START_TEST(the_batch_of_callbacks_can_be_chosen)
{
    static toy t;
    static float images[N * TOY_D];
    float z[N * TOY_CLASSES];
    int32_t labels[N];
    toy_fill(&t, 1);
    toy_images(images, labels, N, &t, 1);
    wsr_model *const model = toy_model(&t, true);
    t.most = 0;
    ck_assert_ok(wsr_model_logits(z, model, images, N));
    ck_assert_uint_eq(t.most, N);
    ck_assert_ok(wsr_model_set_batch(model, 4));
    t.most = 0;
    ck_assert_ok(wsr_model_logits(z, model, images, N));
    ck_assert_uint_eq(t.most, 4);
    ck_assert_fails(wsr_model_set_batch(model, 0), WSR_ARG, "batch 0");
    wsr_model_free(model);
}
END_TEST

static wsr_status nan_logits(float *logits, const float *images, size_t n,
                             void *user)
{
    (void)images;
    (void)user;
    for (size_t i = 0; i < n * 3; i++) {
        logits[i] = i == 7 ? NAN : 1;
    }
    return WSR_OK;
}

START_TEST(bad_models_are_refused)
{
    const wsr_shape shape = wsr__shape3(1, 2, 2);
    const wsr_shape flat = wsr__shape2(3, 4);
    const float images[16] = {0};
    float z[12];
    wsr_model *model = NULL;
    ck_assert_fails(wsr_model_new(&model, &flat, 3, nan_logits, NULL, NULL),
                    WSR_SHAPE, "(3, 4)");
    ck_assert_fails(wsr_model_new(&model, &shape, 1, nan_logits, NULL, NULL),
                    WSR_ARG, "1 classes");
    ck_assert_fails(wsr_model_new(&model, &shape, 3, NULL, NULL, NULL), WSR_ARG,
                    "no function");
    ck_assert_ptr_null(model);
    ck_assert_ok(wsr_model_new(&model, &shape, 3, nan_logits, NULL, NULL));
    ck_assert_fails(wsr_model_set_statistics(model, WSR_STATISTICS_BATCH),
                    WSR_ARG, "one of two functions has no statistics");
    ck_assert_fails(wsr_model_set_range(model, 1, 0), WSR_ARG, "[1, 0]");
    ck_assert_fails(wsr_model_logits(z, model, images, 4), WSR_NUMERIC,
                    "logit 1 of image 2 is nan");
    wsr_model_free(model);
}
END_TEST

enum { NET_N = 5, NET_D = 3 * 16 * 16, NET_CLASSES = 3 };

// Logits and gradient of the first images by a plan in training mode.
static void by_training_plan(float *z, float *dx, const wsr_net *net,
                             const float *images, size_t n)
{
    wsr_graph *own = NULL;
    wsr_plan *plan = NULL;
    ck_assert_ok(wsr_net_graph(&own, net, false));
    ck_assert_ok(wsr_plan_new(&plan, own, n, WSR_GRAD_INPUT | WSR_TRAIN));
    memcpy(wsr_plan_src(plan, "x"), images, n * NET_D * sizeof(*images));
    ck_assert_ok(wsr_plan_forward(plan));
    memcpy(z, wsr_plan_dst(plan, "logits"), n * NET_CLASSES * sizeof(*z));
    memcpy(wsr_plan_diff_dst(plan, "logits"), z, n * NET_CLASSES * sizeof(*z));
    ck_assert_ok(wsr_plan_backward(plan));
    memcpy(dx, wsr_plan_diff_src(plan, "x"), n * NET_D * sizeof(*dx));
    wsr_plan_free(plan);
    wsr_graph_free(own);
}

static bool logits_again(void *ctx, size_t row, float *dz, const float *z)
{
    (void)ctx;
    (void)row;
    memcpy(dz, z, NET_CLASSES * sizeof(*dz));
    return true;
}

START_TEST(statistics_can_be_those_of_the_batch)
{
    static float images[NET_N * NET_D];
    static float dx[2][NET_N * NET_D];
    float z[2][NET_N * NET_CLASSES];
    float frozen[NET_N * NET_CLASSES];
    wsr_net *net = NULL;
    wsr_model *model = NULL;
    ck_assert_ok(wsr_net_new(&net, NULL,
                             "genotype=cna_r,channels=4,layers=3,classes=3,"
                             "image_size=16",
                             3));
    wsr__rng rng = wsr__rng_at(5, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < NET_N * NET_D; i++) {
        images[i] = wsr__rng_uniform(&rng);
    }
    ck_assert_ok(wsr_model_from_net(&model, net, NET_N));
    ck_assert_ok(wsr_model_logits(frozen, model, images, NET_N));
    ck_assert_ok(wsr_model_set_statistics(model, WSR_STATISTICS_BATCH));
    const wsr__model_seed seed = {logits_again, NULL};
    for (size_t n = NET_N; n >= 2; n--) {
        const wsr__rows rows = {NULL, n};
        by_training_plan(z[0], dx[0], net, images, n);
        ck_assert_ok(
            model->cls->gradient(model, dx[1], z[1], images, &rows, &seed));
        ck_assert(same_bits(z[0], z[1], n * NET_CLASSES * sizeof(float)));
        ck_assert(same_bits(dx[0], dx[1], n * NET_D * sizeof(float)));
        ck_assert_ok(wsr_model_logits(z[1], model, images, n));
        for (size_t i = 0; i < n * NET_CLASSES; i++) {
            ck_assert_float_eq_tol(z[0][i], z[1][i], 1e-4F);
        }
    }
    // Nothing moved: the frozen ones are as they were.
    ck_assert_ok(wsr_model_set_statistics(model, WSR_STATISTICS_RUNNING));
    ck_assert_ok(wsr_model_logits(z[0], model, images, NET_N));
    ck_assert(same_bits(frozen, z[0], sizeof(frozen)));
    ck_assert_fails(wsr_model_set_statistics(model, (wsr_statistics)7), WSR_ARG,
                    "no statistics 7");
    wsr_model_free(model);
    wsr_net_free(net);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        any_number_of_images_gives_what_single_images_give,
        logits_alone_are_the_same_and_split_into_batches,
        graphs_without_the_right_ports_are_refused,
        callbacks_get_dense_batches_of_the_rows_that_are_meant,
        the_batch_of_callbacks_can_be_chosen,
        bad_models_are_refused,
        statistics_can_be_those_of_the_batch,
        NULL};
    return suite_of("model", tests);
}
