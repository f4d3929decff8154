// SPDX-License-Identifier: Apache-2.0

#include "attack/engine/pgd_plan.h"
#include "attack/model_support.h"
#include "support/oom.h"

enum { N = 6, SIDE = 8, D = 3 * SIDE * SIDE, CLASSES = 4 };

static float x[N * D];
static int32_t labels[N];

// A network whose batch norm ties the images of a batch together.
static void build(wsr_graph **graph, wsr_params **params)
{
    ck_assert_ok(wsr_params_new(params, 7));
    ck_assert_ok(wsr_graph_new(graph, *params));
    wsr_graph *const g = *graph;
    const wsr__init init = {.bound = 0.3f};
    const wsr_shape channels = wsr__shape1(9);
    wsr_value v = wsr__input(g, "x", wsr__shape4(1, 3, SIDE, SIDE));
    v = wsr__op2(g, "conv2d", "pad=1", v,
                 wsr__param_value(g, "a", wsr__shape4(9, 3, 3, 3), init));
    const wsr_value norm[4] = {
        v, wsr__buffer_value(g, "mean", channels, 0),
        wsr__buffer_value(g, "var", channels, 1),
        wsr__buffer_value(g, "tracked", (wsr_shape){0}, 0)};
    v = wsr__opn(g, "batch_norm", NULL, norm, 4);
    v = wsr__op1(g, "relu", NULL, v);
    v = wsr__op1(g, "global_avg_pool", NULL, v);
    v = wsr__op1(g, "reshape", "dims=[9]", v);
    v = wsr__op2(g, "linear", NULL, v,
                 wsr__param_value(g, "b", wsr__shape2(CLASSES, 9), init));
    wsr__set_output(g, "logits", v);
    ck_assert_ok(wsr__graph_status(g));
    wsr__rng rng = wsr__rng_at(3, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < N * D; i++) {
        x[i] = wsr__rng_uniform(&rng);
    }
    for (size_t i = 0; i < N; i++) {
        labels[i] = (int32_t)(i % CLASSES);
    }
}

// PGD by its definition, one image after the other, on a plan in whatever mode.
static void pgd_by_definition(float *out, wsr_plan *plan, const wsr__pgd *pgd)
{
    memcpy(out, x, N * D * sizeof(*x));
    for (size_t k = 0; k < pgd->steps; k++) {
        memcpy(wsr_plan_src(plan, "x"), out, N * D * sizeof(*x));
        ck_assert_ok(wsr_plan_forward(plan));
        for (size_t i = 0; i < N; i++) {
            const wsr__loss_target target = {labels[i], -1, NULL};
            (void)wsr__loss_ce(wsr_plan_diff_dst(plan, "logits") + i * CLASSES,
                               NULL, wsr_plan_dst(plan, "logits") + i * CLASSES,
                               &target, CLASSES);
        }
        ck_assert_ok(wsr_plan_backward(plan));
        for (size_t i = 0; i < N; i++) {
            const wsr__ball ball = {x + i * D, D, pgd->eps, WSR__LINF, {0, 1}};
            wsr__sign_step(out + i * D, wsr_plan_diff_src(plan, "x") + i * D,
                           pgd->alpha, &ball);
        }
    }
}

START_TEST(it_is_pgd_on_the_whole_batch_in_the_mode_of_the_plan)
{
    static float out[N * D];
    static float want[N * D];
    wsr_graph *graph = NULL;
    wsr_params *params = NULL;
    wsr_plan *plan = NULL;
    const wsr__pgd pgd = {.eps = 0.06f, .alpha = 0.02f, .steps = 5};
    build(&graph, &params);
    ck_assert_ok(wsr_plan_new(&plan, graph, N, WSR_GRAD_INPUT | WSR_TRAIN));
    ck_assert_ok(wsr__pgd_plan(out, plan, x, labels, &pgd));
    pgd_by_definition(want, plan, &pgd);
    ck_assert_mem_eq(out, want, sizeof(out));
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    wsr_params_free(params);
}
END_TEST

START_TEST(it_allocates_nothing_and_leaves_parameters_alone)
{
    static float out[N * D];
    wsr_graph *graph = NULL;
    wsr_params *params = NULL;
    wsr_plan *plan = NULL;
    const wsr__pgd pgd = {
        .eps = 0.06f, .alpha = 0.02f, .steps = 3, .uniform = 0.06f, .seed = 4};
    build(&graph, &params);
    ck_assert_ok(wsr_plan_new(&plan, graph, N, WSR_GRAD_INPUT | WSR_TRAIN));
    ck_assert_ok(wsr__pgd_plan(out, plan, x, labels, &pgd));
    oom_begin(1);
    ck_assert_ok(wsr__pgd_plan(out, plan, x, labels, &pgd));
    ck_assert_uint_eq(oom_requests(), 0);
    oom_end();
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        ck_assert_ptr_null(wsr_params_grad(params, i));
    }
    ck_assert_float_eq(wsr__params_named(params, "mean")->data[0], 0);
    for (size_t i = 0; i < N; i++) {
        ck_assert_double_le(wsr__distance(WSR__LINF, out + i * D, x + i * D, D),
                            (double)pgd.eps);
    }
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    wsr_params_free(params);
}
END_TEST

START_TEST(it_maximises_the_loss_that_is_asked_for)
{
    static float out[N * D];
    static float clean[N * CLASSES];
    wsr_graph *graph = NULL;
    wsr_params *params = NULL;
    wsr_plan *plan = NULL;
    const wsr__pgd pgd = {.eps = 0.06f,
                          .alpha = 0.02f,
                          .steps = 5,
                          .gaussian = 0.001f,
                          .loss = wsr__loss_kl,
                          .clean = clean};
    build(&graph, &params);
    ck_assert_ok(wsr_plan_new(&plan, graph, N, WSR_GRAD_INPUT));
    memcpy(wsr_plan_src(plan, "x"), x, sizeof(x));
    ck_assert_ok(wsr_plan_forward(plan));
    memcpy(clean, wsr_plan_dst(plan, "logits"), sizeof(clean));
    ck_assert_ok(wsr__pgd_plan(out, plan, x, labels, &pgd));
    memcpy(wsr_plan_src(plan, "x"), out, sizeof(out));
    ck_assert_ok(wsr_plan_forward(plan));
    for (size_t i = 0; i < N; i++) {
        const wsr__loss_target target = {labels[i], -1, clean + i * CLASSES};
        ck_assert_double_gt(
            wsr__loss_kl(NULL, NULL, wsr_plan_dst(plan, "logits") + i * CLASSES,
                         &target, CLASSES),
            1e-6);
    }
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    wsr_params_free(params);
}
END_TEST

START_TEST(plans_without_gradients_are_refused)
{
    static float out[N * D];
    wsr_graph *graph = NULL;
    wsr_params *params = NULL;
    wsr_plan *plan = NULL;
    const wsr__pgd pgd = {.eps = 0.06f, .alpha = 0.02f, .steps = 5};
    build(&graph, &params);
    ck_assert_ok(wsr_plan_new(&plan, graph, N, WSR_FORWARD));
    ck_assert_fails(wsr__pgd_plan(out, plan, x, labels, &pgd), WSR_ARG,
                    "gradients");
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    wsr_params_free(params);
}
END_TEST

// Pixels that the attack moved.
static size_t moved(const float *out)
{
    size_t n = 0;
    for (size_t i = 0; i < N * D; i++) {
        n += out[i] < x[i] || out[i] > x[i];
    }
    return n;
}

START_TEST(a_sure_network_is_attacked_all_the_same)
{
    static float out[N * D];
    static float sure[N * D];
    const int modes[2] = {0, WSR_TRAIN};
    const wsr__pgd pgd = {.eps = 0.06f, .alpha = 0.02f, .steps = 1};
    for (size_t k = 0; k < 2; k++) {
        wsr_graph *graph = NULL;
        wsr_params *params = NULL;
        wsr_plan *plan = NULL;
        build(&graph, &params);
        ck_assert_ok(
            wsr_plan_new(&plan, graph, N, WSR_GRAD_INPUT | (unsigned)modes[k]));
        memcpy(wsr_plan_src(plan, "x"), x, sizeof(x));
        ck_assert_ok(wsr_plan_forward(plan));
        for (size_t i = 0; i < N; i++) {
            labels[i] = wsr__argmax(wsr_plan_dst(plan, "logits") + i * CLASSES,
                                    CLASSES);
        }
        ck_assert_ok(wsr__pgd_plan(out, plan, x, labels, &pgd));
        float *const b = wsr__params_named(params, "b")->data;
        for (size_t i = 0; i < CLASSES * 9; i++) {
            b[i] *= 1e6f;
        }
        ck_assert_ok(wsr__pgd_plan(sure, plan, x, labels, &pgd));
        ck_assert_uint_gt(moved(out), N * D / 2);
        ck_assert_uint_gt(moved(sure), N * D / 2);
        wsr_plan_free(plan);
        wsr_graph_free(graph);
        wsr_params_free(params);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        it_is_pgd_on_the_whole_batch_in_the_mode_of_the_plan,
        it_allocates_nothing_and_leaves_parameters_alone,
        it_maximises_the_loss_that_is_asked_for,
        plans_without_gradients_are_refused,
        a_sure_network_is_attacked_all_the_same,
        NULL};
    return suite_of("pgd_plan", tests);
}
