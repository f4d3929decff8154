// SPDX-License-Identifier: Apache-2.0
//
// The Hessian of small networks against PyTorch 1.13's double backward in
// double precision (torch.autograd.functional.hessian of the mean cross
// entropy). The parameters are 0.5 sin(1.7 i + k) for number i of tensor k,
// rounded to floats; pixels and vectors have formulas below. Nets:
//
//   linear(flatten(act(conv2d(x, w0, w1))), w2, w3)   act: tanh or relu
//
// with w0 (4, 1, 3, 3), w1 (4), w2 (3, 64), w3 (3) for images (1, 6, 6), of
// label i % 3, and a linear map (3, 36) with k = 5. Multiplied is the vector
// 0.5 sin(1.7 i + 9).

#include "hessian/hessian.h"
#include "support/oom.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

enum { IMAGES = 5, PIXELS = 36, CLASSES = 3, SIZE = 36 + 4 + 192 + 3 };

static wsr_dataset *images(void)
{
    wsr_dataset *dataset = NULL;
    const wsr_shape shape = {4, {IMAGES, 1, 6, 6}};
    uint8_t bytes[IMAGES * PIXELS];
    int32_t labels[IMAGES];
    for (int k = 0; k < IMAGES * PIXELS; k++) {
        const int i = k / PIXELS;
        const int p = k % PIXELS;
        bytes[k] = (uint8_t)((i * 37 + p * 11 + i * p % 7 * 13) % 256);
        labels[i] = i % CLASSES;
    }
    ck_assert_ok(wsr_dataset_new(&dataset, bytes, labels, &shape, CLASSES));
    return dataset;
}

static double wave(size_t i, int k)
{
    return 0.5 * sin(1.7 * (double)i + k);
}

// A parameter with values of wave(i, k), as a value of the graph.
static wsr_value param(wsr_graph *graph, wsr_params *params, const char *name,
                       wsr_shape shape, int k)
{
    size_t at = 0;
    wsr_value value = 0;
    ck_assert_ok(wsr_params_add(&at, params, name, &shape, NULL));
    float *const data = wsr_params_edit(params, at);
    for (size_t i = 0; i < (size_t)wsr_shape_count(&shape); i++) {
        data[i] = (float)wave(i, k);
    }
    ck_assert_ok(wsr_graph_param(&value, graph, name));
    return value;
}

static wsr_value op(wsr_graph *graph, const char *name, const wsr_value *srcs,
                    size_t n)
{
    wsr_value value = 0;
    ck_assert_ok(wsr_graph_op(&value, graph, name, srcs, n, NULL));
    return value;
}

// The network with an activation, or the linear map without one.
static wsr_graph *network(wsr_params **params, const char *act)
{
    wsr_graph *graph = NULL;
    const wsr_shape image = {4, {1, 1, 6, 6}};
    wsr_value v[3] = {0};
    ck_assert_ok(wsr_params_new(params, 1));
    ck_assert_ok(wsr_graph_new(&graph, *params));
    ck_assert_ok(wsr_graph_input(&v[0], graph, "x", &image));
    if (act == NULL) {
        v[0] = op(graph, "reshape", v, 1);
        v[1] = param(graph, *params, "w", (wsr_shape){2, {3, 36}}, 5);
        v[0] = op(graph, "linear", v, 2);
    } else {
        v[1] = param(graph, *params, "w0", (wsr_shape){4, {4, 1, 3, 3}}, 0);
        v[2] = param(graph, *params, "w1", (wsr_shape){1, {4}}, 1);
        v[0] = op(graph, "conv2d", v, 3);
        v[0] = op(graph, act, v, 1);
        v[0] = op(graph, "reshape", v, 1);
        v[1] = param(graph, *params, "w2", (wsr_shape){2, {3, 64}}, 2);
        v[2] = param(graph, *params, "w3", (wsr_shape){1, {3}}, 3);
        v[0] = op(graph, "linear", v, 3);
    }
    ck_assert_ok(wsr_graph_output(graph, "logits", v[0]));
    return graph;
}

// A Hessian with all that it stands on.
typedef struct bench {
    wsr_dataset *dataset;
    wsr_params *params;
    wsr_hessian *hessian;
} bench;

static bench bench_of(const char *act, const char *options)
{
    bench b = {.dataset = images()};
    wsr_graph *const graph = network(&b.params, act);
    ck_assert_ok(wsr_hessian_from_graph(&b.hessian, graph, b.dataset, options));
    wsr_graph_free(graph);
    return b;
}

static void bench_free(bench *b)
{
    wsr_hessian_free(b->hessian);
    wsr_params_free(b->params);
    wsr_dataset_free(b->dataset);
}

// Relative error of the products of both nets, measured: 2e-6 and 4e-6.
static void expect_product(const char *act, const double stored[8], double norm)
{
    bench b = bench_of(act, "of=params,count=5,batch=2");
    double v[SIZE];
    double hv[SIZE];
    double error = 0;
    double squares = 0;
    ck_assert_uint_eq(wsr_hessian_size(b.hessian), SIZE);
    for (size_t i = 0; i < SIZE; i++) {
        v[i] = wave(i, 9);
    }
    ck_assert_ok(wsr_hessian_product(hv, &error, b.hessian, v));
    for (size_t i = 0; i < SIZE; i++) {
        squares += hv[i] * hv[i];
    }
    for (size_t k = 0; k < 8; k++) {
        ck_assert_double_eq_tol(hv[29 * k % SIZE], stored[k], 5e-5);
    }
    ck_assert_double_eq_tol(sqrt(squares), norm, 1e-4);
    ck_assert_double_gt(error, 0);
    ck_assert_double_lt(error, 1e-4);
    bench_free(&b);
}

START_TEST(products_are_pytorchs)
{
    static const double smooth[] = {0.28896369,  0.12655147,  0.01785416,
                                    -0.06331904, -0.16549586, 0.19886472,
                                    -0.0378842,  0.06963555};
    static const double kinked[] = {0.24748462,  0.05235211, 0.05493479, 0,
                                    -0.13434241, 0,          -0.0907664, 0};
    expect_product("tanh", smooth, 1.9705314127298708);
    expect_product("relu", kinked, 1.6498079477719476);
}
END_TEST

START_TEST(the_top_eigenvalue_is_pytorchs)
{
    static const char *const acts[] = {"tanh", "relu", NULL};
    static const double tops[] = {5.209703527832687, 6.255231717370689,
                                  3.249432804152091};
    static const double traces[] = {10.049462343425505, 13.070970922137981,
                                    7.488272778764708};
    for (int k = 0; k < 3; k++) {
        bench b = bench_of(acts[k], "of=params,count=5,batch=3,tol=1e-6,"
                                    "iterations=1000,probes=200,seed=2");
        ck_assert_ok(wsr_hessian_finish(b.hessian));
        const double top = wsr_hessian_get(b.hessian, WSR_HESSIAN_TOP);
        const double trace = wsr_hessian_get(b.hessian, WSR_HESSIAN_TRACE);
        const double error =
            wsr_hessian_get(b.hessian, WSR_HESSIAN_TRACE_ERROR);
        ck_assert_double_eq_tol(top / tops[k], 1, 1e-4);
        ck_assert_double_lt(wsr_hessian_get(b.hessian, WSR_HESSIAN_ITERATIONS),
                            999);
        ck_assert_double_eq_tol(trace, traces[k], 4 * error);
        ck_assert_double_lt(error, 0.2 * traces[k]);
        bench_free(&b);
    }
}
END_TEST

// u'Hv = v'Hu for random u and v, and the parameters are as before.
START_TEST(products_are_symmetric_and_move_nothing)
{
    bench b = bench_of("tanh", "of=params,count=5");
    wsr__rng rng = wsr__rng_at(1, WSR__RNG_TEST, 0, 0);
    const size_t bytes = 36 * sizeof(float);
    float before[36];
    memcpy(before, wsr_params_data(b.params, 0), bytes);
    for (int pair = 0; pair < 4; pair++) {
        double u[SIZE];
        double v[SIZE];
        double hu[SIZE];
        double hv[SIZE];
        double uhv = 0;
        double vhu = 0;
        for (size_t i = 0; i < SIZE; i++) {
            u[i] = wsr__rng_normal(&rng);
            v[i] = wsr__rng_normal(&rng);
        }
        ck_assert_ok(wsr_hessian_product(hu, NULL, b.hessian, u));
        memcpy(hv, v, sizeof(v));
        ck_assert_ok(wsr_hessian_product(hv, NULL, b.hessian, hv)); // in place
        for (size_t i = 0; i < SIZE; i++) {
            uhv += u[i] * hv[i];
            vhu += v[i] * hu[i];
        }
        ck_assert_double_eq_tol(uhv, vhu, 1e-3);
    }
    ck_assert_mem_eq(before, wsr_params_data(b.params, 0), bytes);
    bench_free(&b);
}
END_TEST

START_TEST(by_the_input_each_image_is_pytorchs)
{
    static const double tops[] = {1.8413554911304906, 1.8353686122375894,
                                  2.322711190780973, 1.585204459418359,
                                  2.1588413030976232};
    static const double traces[] = {2.6477572107345066, 2.487211869265856,
                                    3.199288250082069, 2.555149337506872,
                                    3.8906841509388244};
    bench b = bench_of("relu", "of=input,count=5,batch=2");
    double sum = 0;
    ck_assert_uint_eq(wsr_hessian_steps(b.hessian), 3);
    ck_assert(!wsr_hessian_image(NULL, NULL, b.hessian, 0));
    ck_assert_ok(wsr_hessian_finish(b.hessian));
    for (size_t i = 0; i < IMAGES; i++) {
        double top;
        double trace;
        ck_assert(wsr_hessian_image(&top, &trace, b.hessian, i));
        ck_assert_double_eq_tol(top / tops[i], 1, 1e-6);
        ck_assert_double_eq_tol(trace / traces[i], 1, 1e-6);
        sum += top / IMAGES;
    }
    ck_assert(!wsr_hessian_image(NULL, NULL, b.hessian, IMAGES));
    ck_assert_double_eq_tol(wsr_hessian_get(b.hessian, WSR_HESSIAN_INPUT_TOP),
                            sum, 1e-12);
    ck_assert_double_eq_tol(
        wsr_hessian_get(b.hessian, WSR_HESSIAN_INPUT_TOP_MOST) / tops[2], 1,
        1e-6);
    ck_assert(isnan(wsr_hessian_get(b.hessian, WSR_HESSIAN_TOP)));
    bench_free(&b);
}
END_TEST

// A checkpoint after any number of steps leads to the same bits.
START_TEST(a_resumed_analysis_ends_with_the_same_bits)
{
    static const char options[] =
        "of=both,count=5,batch=2,iterations=6,tol=0,probes=3";
    bench whole = bench_of("relu", options);
    char *want = NULL;
    ck_assert_ok(wsr_hessian_finish(whole.hessian));
    ck_assert_ok(wsr_hessian_json(&want, whole.hessian));
    for (size_t stop = 0; stop <= 12; stop += 2) {
        bench first = bench_of("relu", options);
        bench second = bench_of("relu", options);
        wsr__st_builder *builder = NULL;
        wsr__st *st = NULL;
        unsigned char *bytes = NULL;
        size_t size = 0;
        char *have = NULL;
        for (size_t i = 0; i < stop; i++) {
            ck_assert_ok(wsr_hessian_step(first.hessian));
        }
        ck_assert_ok(wsr__st_builder_new(&builder));
        ck_assert_ok(wsr__hessian_save(builder, first.hessian));
        ck_assert_ok(wsr__st_serialize(&bytes, &size, builder));
        ck_assert_ok(wsr__st_open_memory(&st, bytes, size, "checkpoint"));
        ck_assert_ok(wsr__hessian_restore(second.hessian, st));
        ck_assert_uint_eq(wsr_hessian_position(second.hessian), stop);
        ck_assert_ok(wsr_hessian_finish(second.hessian));
        ck_assert_ok(wsr_hessian_json(&have, second.hessian));
        ck_assert_str_eq(have, want);
        wsr_text_free(have);
        wsr__free(bytes);
        wsr__st_free(st);
        wsr__st_builder_free(builder);
        bench_free(&first);
        bench_free(&second);
    }
    ck_assert_fails(wsr_hessian_step(whole.hessian), WSR_ARG, "no step left");
    wsr_text_free(want);
    bench_free(&whole);
}
END_TEST

START_TEST(what_does_not_fit_is_refused_in_one_line)
{
    wsr_params *params = NULL;
    wsr_hessian *h = NULL;
    wsr_graph *const graph = network(&params, "tanh");
    wsr_dataset *const dataset = images();
    double v[SIZE] = {0};
    ck_assert_fails(wsr_hessian_from_graph(&h, graph, dataset, "of=none"),
                    WSR_CONFIG, "hessian.of");
    ck_assert_fails(wsr_hessian_from_graph(&h, graph, dataset, "step=1"),
                    WSR_CONFIG, "hessian.step");
    ck_assert_fails(
        wsr_hessian_from_graph(&h, graph, dataset, "of=input,count=5"),
        WSR_UNSUPPORTED, "tanh");
    ck_assert_ptr_null(h);
    ck_assert_ok(
        wsr_hessian_from_graph(&h, graph, dataset, "of=params,count=5"));
    ck_assert_ok(wsr_hessian_product(v, NULL, h, v));
    ck_assert_double_eq(v[7], 0);
    v[0] = NAN;
    ck_assert_fails(wsr_hessian_product(v, NULL, h, v), WSR_NUMERIC, "length");
    wsr_params_edit(params, 0)[0] = NAN;
    v[0] = 1;
    ck_assert_fails(wsr_hessian_product(v, NULL, h, v), WSR_NUMERIC, "loss");
    wsr_hessian_free(h);
    wsr_hessian_free(NULL);
    wsr_graph_free(graph);
    wsr_params_free(params);
    wsr_dataset_free(dataset);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        products_are_pytorchs,
        the_top_eigenvalue_is_pytorchs,
        products_are_symmetric_and_move_nothing,
        by_the_input_each_image_is_pytorchs,
        a_resumed_analysis_ends_with_the_same_bits,
        what_does_not_fit_is_refused_in_one_line,
        NULL,
    };
    return suite_of("hessian", tests);
}
