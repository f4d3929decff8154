// SPDX-License-Identifier: Apache-2.0
#include "graph/image_plans.h"
#include "graph/plan.h"
#include "support/support.h"

#include <stdatomic.h>
#include <string.h>

enum { N = 13, SIDE = 9, D = 3 * SIDE * SIDE, CLASSES = 5 };

static wsr_params *params;
static wsr_graph *graph;
static float x[N * D];

// Few parameters, or many more than there are activations.
static void build(bool wide)
{
    const int64_t hidden = wide ? 4000 : 12;
    ck_assert_ok(wsr_params_new(&params, 5));
    ck_assert_ok(wsr_graph_new(&graph, params));
    wsr_value v = wsr__input(graph, "x", wsr__shape4(1, 3, SIDE, SIDE));
    v = wsr__op2(graph, "conv2d", "pad=1", v,
                 wsr__param_value(graph, "a.weight", wsr__shape4(8, 3, 3, 3),
                                  (wsr__init){.bound = 1}));
    v = wsr__op1(graph, "relu", NULL, v);
    v = wsr__op1(graph, "global_avg_pool", NULL, v);
    v = wsr__op2(graph, "linear", NULL, v,
                 wsr__param_value(graph, "b.weight", wsr__shape2(hidden, 8),
                                  (wsr__init){.bound = 1}));
    v = wsr__op1(graph, "relu", NULL, v);
    v = wsr__op2(graph, "linear", NULL, v,
                 wsr__param_value(graph, "c.weight",
                                  wsr__shape2(CLASSES, hidden),
                                  (wsr__init){.bound = 1}));
    wsr__set_output(graph, "logits", v);
    ck_assert_ok(wsr__graph_status(graph));
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < N * D; i++) {
        x[i] = wsr__rng_uniform(&rng);
    }
}

static void destroy(void)
{
    wsr_graph_free(graph);
    wsr_params_free(params);
}

typedef struct results {
    float z[N * CLASSES];
    float dx[N * D];
} results;

static void seed(float *dz, size_t i)
{
    for (size_t c = 0; c < CLASSES; c++) {
        dz[c] = (float)((i * CLASSES + c) % 7) - 2.5F;
    }
}

static wsr_status pass(void *ctx, wsr_plan *plan, size_t i)
{
    wsr_status status = WSR_OK;
    results *const r = ctx;
    memcpy(wsr_plan_src(plan, "x"), x + i * D, D * sizeof(*x));
    WSR_TRY(wsr_plan_forward(plan));
    memcpy(r->z + i * CLASSES, wsr_plan_dst(plan, "logits"),
           CLASSES * sizeof(*r->z));
    seed(wsr_plan_diff_dst(plan, "logits"), i);
    WSR_TRY(wsr_plan_backward(plan));
    memcpy(r->dx + i * D, wsr_plan_diff_src(plan, "x"), D * sizeof(*r->dx));
out:
    return status;
}

static void by_one_plan(results *r)
{
    wsr_plan *plan = NULL;
    ck_assert_ok(wsr_plan_new(&plan, graph, N, WSR_GRAD_INPUT));
    memcpy(wsr_plan_src(plan, "x"), x, sizeof(x));
    ck_assert_ok(wsr_plan_forward(plan));
    memcpy(r->z, wsr_plan_dst(plan, "logits"), sizeof(r->z));
    for (size_t i = 0; i < N; i++) {
        seed(wsr_plan_diff_dst(plan, "logits") + i * CLASSES, i);
    }
    ck_assert_ok(wsr_plan_backward(plan));
    memcpy(r->dx, wsr_plan_diff_src(plan, "x"), sizeof(r->dx));
    wsr_plan_free(plan);
}

START_TEST(gives_what_one_plan_of_all_images_gives)
{
    static results whole;
    static results each;
    wsr__image_plans *plans = NULL;
    build(false);
    by_one_plan(&whole);
    ck_assert_ok(wsr__image_plans_new(&plans, graph, WSR_GRAD_INPUT));
    ck_assert_ok(wsr__image_plans_run(plans, N, pass, &each));
    for (size_t i = 0; i < N * CLASSES; i++) {
        ck_assert_float_eq_tol(whole.z[i], each.z[i], 1e-5F);
    }
    for (size_t i = 0; i < N * D; i++) {
        ck_assert_float_eq_tol(whole.dx[i], each.dx[i], 1e-5F);
    }
    wsr__image_plans_free(plans);
    destroy();
}
END_TEST

START_TEST(bits_do_not_depend_on_the_number_of_threads)
{
    static results of[3];
    const size_t threads[3] = {1, 2, 5};
    const size_t before = wsr_threads();
    wsr__image_plans *plans = NULL;
    double bytes[3];
    build(false);
    ck_assert_ok(wsr__image_plans_new(&plans, graph, WSR_GRAD_INPUT));
    for (size_t k = 0; k < 3; k++) {
        wsr_set_threads(threads[k]);
        ck_assert_ok(wsr__image_plans_reserve(&bytes[k], plans));
        ck_assert_ok(wsr__image_plans_run(plans, N, pass, &of[k]));
        ck_assert_mem_eq(&of[k], &of[0], sizeof(of[0]));
    }
    ck_assert(bytes[0] > 0);
    ck_assert(bytes[1] > bytes[0] && bytes[2] > bytes[1]);
    wsr_set_threads(before);
    wsr__image_plans_free(plans);
    destroy();
}
END_TEST

typedef struct failing {
    size_t from; // images from this one on fail
    atomic_uint calls;
} failing;

static wsr_status fail_from(void *ctx, wsr_plan *plan, size_t i)
{
    failing *const f = ctx;
    (void)plan;
    f->calls++;
    return i >= f->from ? WSR_FAIL(WSR_NUMERIC, "image %zu is bad", i) : WSR_OK;
}

START_TEST(a_failure_is_reported_with_its_line_and_ends_the_run)
{
    const size_t before = wsr_threads();
    wsr__image_plans *plans = NULL;
    failing f = {.from = 0};
    build(false);
    wsr_set_threads(2);
    ck_assert_ok(wsr__image_plans_new(&plans, graph, WSR_FORWARD));
    ck_assert_fails(wsr__image_plans_run(plans, N, fail_from, &f), WSR_NUMERIC,
                    "is bad");
    ck_assert_uint_ge(f.calls, 1);
    ck_assert_uint_le(f.calls, 2); // one per thread
    // The next run begins without it.
    f.from = N;
    f.calls = 0;
    ck_assert_ok(wsr__image_plans_run(plans, N, fail_from, &f));
    ck_assert_uint_eq(f.calls, N);
    wsr_set_threads(before);
    wsr__image_plans_free(plans);
    destroy();
}
END_TEST

static bool pays(bool wide)
{
    wsr_plan *plan = NULL;
    build(wide);
    ck_assert_ok(wsr_plan_new(&plan, graph, 1, WSR_FORWARD));
    const bool result = wsr__image_plans_pay(plan);
    wsr_plan_free(plan);
    destroy();
    return result;
}

START_TEST(pays_where_activations_are_many)
{
    ck_assert(pays(false));
    ck_assert(!pays(true));
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        gives_what_one_plan_of_all_images_gives,
        bits_do_not_depend_on_the_number_of_threads,
        a_failure_is_reported_with_its_line_and_ends_the_run,
        pays_where_activations_are_many,
        NULL,
    };
    return suite_of("image_plans", tests);
}
