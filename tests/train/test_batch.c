// SPDX-License-Identifier: Apache-2.0
//
// The loss of a batch: values, gradients through the network's last bias, and
// what is reported.

#include "support/support.h"
#include "train/train.h"

#include <math.h>
#include <string.h>

enum { N = 4, CLASSES = 3, SIDE = 16, FLOATS = N * 3 * SIDE * SIDE };

typedef struct bench {
    wsr_net *net;
    wsr_graph *graph;
    wsr_plan *plan;
    float x[FLOATS];
    int32_t labels[N];
    wsr__train_step step;
} bench;

static void open_bench(bench *b, const char *options)
{
    wsr_genotype *genotype = NULL;
    memset(b, 0, sizeof(*b));
    ck_assert_ok(wsr_genotype_load(&genotype, "cna_r"));
    ck_assert_ok(wsr_net_new(&b->net, genotype, options, 7));
    wsr_genotype_free(genotype);
    ck_assert_ok(wsr_net_graph(&b->graph, b->net, true));
    ck_assert_ok(wsr_plan_new(&b->plan, b->graph, N,
                              WSR_GRAD_PARAMS | WSR_TRAIN | WSR_MOVE_STATS));
    wsr__rng rng = wsr__rng_at(1, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < FLOATS; i++) {
        b->x[i] = wsr__rng_uniform(&rng);
    }
    for (size_t i = 0; i < N; i++) {
        b->labels[i] = (int32_t)(i % CLASSES);
    }
    b->step = (wsr__train_step){.plan = b->plan,
                                .net = b->net,
                                .x = b->x,
                                .labels = b->labels,
                                .n = N,
                                .classes = CLASSES};
}

static void close_bench(bench *b)
{
    wsr_plan_free(b->plan);
    wsr_graph_free(b->graph);
    wsr_net_free(b->net);
}

static double loss_of(const float *z, const int32_t *labels, double smoothing)
{
    double sum = 0;
    for (size_t i = 0; i < N; i++) {
        double total = 0;
        for (size_t c = 0; c < CLASSES; c++) {
            total += exp((double)z[i * CLASSES + c]);
        }
        for (size_t c = 0; c < CLASSES; c++) {
            const double t = (c == (size_t)labels[i] ? 1 - smoothing : 0) +
                             smoothing / CLASSES;
            sum -= t * ((double)z[i * CLASSES + c] - log(total));
        }
    }
    return sum / N;
}

static const char small[] =
    "channels=4,layers=3,classes=3,image_size=16,image_channels=3";

START_TEST(the_loss_is_the_mean_smoothed_cross_entropy)
{
    bench b;
    double loss = 0;
    size_t correct = 0;
    size_t expected = 0;
    open_bench(&b, small);
    b.step.smoothing = 0.1;
    ck_assert_ok(
        wsr__train_step_pass(&loss, &correct, &b.step, b.x, (wsr__pass){1, 0}));
    const float *const z = wsr_plan_dst(b.plan, "logits");
    ck_assert_double_eq_tol(loss, loss_of(z, b.labels, 0.1), 1e-9);
    for (size_t i = 0; i < N; i++) {
        expected += wsr__argmax(z + i * CLASSES, CLASSES) == b.labels[i];
    }
    ck_assert_uint_eq(correct, expected);
    close_bench(&b);
}
END_TEST

START_TEST(the_gradient_of_the_last_bias_is_the_mean_of_p_minus_t)
{
    bench b;
    double loss = 0;
    size_t correct = 0;
    size_t at = 0;
    open_bench(&b, small);
    b.step.smoothing = 0.1;
    wsr_params *const params = wsr_net_params(b.net);
    wsr_params_zero_grad(params, true);
    ck_assert_ok(
        wsr__train_step_pass(&loss, &correct, &b.step, b.x, (wsr__pass){2, 0}));
    ck_assert_ok(wsr_params_find(&at, params, "classifier.bias"));
    const float *const grad = wsr_params_grad(params, at);
    ck_assert_ptr_nonnull(grad);
    float z[N * CLASSES];
    memcpy(z, wsr_plan_dst(b.plan, "logits"), sizeof(z));
    for (size_t c = 0; c < CLASSES; c++) {
        float up[N * CLASSES];
        float down[N * CLASSES];
        memcpy(up, z, sizeof(z));
        memcpy(down, z, sizeof(z));
        for (size_t i = 0; i < N; i++) {
            up[i * CLASSES + c] += 0.01f;
            down[i * CLASSES + c] -= 0.01f;
        }
        const double slope =
            (loss_of(up, b.labels, 0.1) - loss_of(down, b.labels, 0.1)) / 0.02;
        ck_assert_double_eq_tol((double)grad[c], 2 * slope, 1e-4);
    }
    close_bench(&b);
}
END_TEST

START_TEST(a_pass_without_weights_leaves_gradients_alone)
{
    bench b;
    double loss = 1;
    size_t correct = 0;
    open_bench(&b, small);
    wsr_params *const params = wsr_net_params(b.net);
    wsr_params_zero_grad(params, true);
    ck_assert_ok(
        wsr__train_step_pass(&loss, &correct, &b.step, b.x, (wsr__pass){0, 0}));
    ck_assert_double_eq(loss, 0);
    for (size_t i = 0; i < wsr_params_count(params); i++) {
        ck_assert_ptr_null(wsr_params_grad(params, i));
    }
    close_bench(&b);
}
END_TEST

START_TEST(the_second_classifier_adds_its_weighted_loss)
{
    bench b;
    double first = 0;
    double both = 0;
    size_t correct = 0;
    enum { BIG = N * 3 * 32 * 32 };
    static float x[BIG];
    open_bench(&b, "channels=4,layers=3,classes=3,image_channels=3,"
                   "auxiliary=true");
    for (size_t i = 0; i < BIG; i++) {
        x[i] = b.x[i % FLOATS];
    }
    ck_assert_ok(
        wsr__train_step_pass(&first, &correct, &b.step, x, (wsr__pass){1, 0}));
    ck_assert_ok(
        wsr__train_step_pass(&both, &correct, &b.step, x, (wsr__pass){1, 0.4}));
    const float *const aux = wsr_plan_dst(b.plan, "aux");
    ck_assert_ptr_nonnull(aux);
    ck_assert_double_eq_tol(both, first + 0.4 * loss_of(aux, b.labels, 0),
                            1e-6);
    close_bench(&b);
}
END_TEST

START_TEST(a_loss_that_is_not_finite_is_named)
{
    bench b;
    double loss = 0;
    size_t correct = 0;
    open_bench(&b, small);
    b.x[5] = INFINITY;
    ck_assert_fails(
        wsr__train_step_pass(&loss, &correct, &b.step, b.x, (wsr__pass){1, 0}),
        WSR_NUMERIC, "loss of logits");
    close_bench(&b);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        the_loss_is_the_mean_smoothed_cross_entropy,
        the_gradient_of_the_last_bias_is_the_mean_of_p_minus_t,
        a_pass_without_weights_leaves_gradients_alone,
        the_second_classifier_adds_its_weighted_loss,
        a_loss_that_is_not_finite_is_named,
        NULL};
    return suite_of("batch", tests);
}
