// SPDX-License-Identifier: Apache-2.0
//
// Losses of logits, against their formulas in double and against differences.

#include "base/base.h"
#include "support/support.h"
#include "wsr/graph.h"
#include "wsr/loss.h"
#include "wsr/net.h"

#include <math.h>
#include <string.h>

enum { N = 3, K = 4, ALL = N * K };

static const wsr_shape shape = {2, {N, K}};
static const int32_t labels[N] = {2, 0, 3};
static const float logits[ALL] = {0.3F, -1.2F, 2.0F, 0.1F,  4.0F,  3.5F,
                                  1.0F, 0.0F,  0.5F, -0.5F, -2.0F, 0.7F};
static const float target[ALL] = {1.0F, -0.2F, 1.5F, -1.0F, 2.0F,  0.5F,
                                  0.3F, 0.2F,  0.0F, 0.6F,  -1.0F, 1.7F};

typedef enum kind { CE, SMOOTH, KL, KL_TARGET, MSE, MARGIN, DLR } kind;

// The loss at z; diff may be NULL.
static double value(kind of, float *diff, const float *z)
{
    double loss = NAN;
    switch (of) {
    case CE:
        ck_assert_ok(wsr_cross_entropy(&loss, diff, z, &shape, labels, 0));
        break;
    case SMOOTH:
        ck_assert_ok(wsr_cross_entropy(&loss, diff, z, &shape, labels, 0.3));
        break;
    case KL:
        ck_assert_ok(wsr_kl_divergence(&loss, diff, NULL, z, target, &shape));
        break;
    case KL_TARGET:
        ck_assert_ok(wsr_kl_divergence(&loss, NULL, diff, target, z, &shape));
        break;
    case MSE:
        ck_assert_ok(wsr_mse(&loss, diff, z, target, &shape));
        break;
    case MARGIN:
        ck_assert_ok(wsr_margin_loss(&loss, diff, z, &shape, labels));
        break;
    case DLR:
        ck_assert_ok(wsr_dlr_loss(&loss, diff, z, &shape, labels));
        break;
    default:
        ck_abort();
    }
    return loss;
}

START_TEST(gradients_are_those_of_the_losses)
{
    const kind of = (kind)_i;
    const float h = 1e-3F;
    float diff[ALL];
    float z[ALL];
    (void)value(of, diff, logits);
    for (size_t i = 0; i < ALL; i++) {
        memcpy(z, logits, sizeof(z));
        z[i] = logits[i] + h;
        const float up = z[i];
        const double high = value(of, NULL, z);
        z[i] = logits[i] - h;
        const double low = value(of, NULL, z);
        ck_assert_double_eq_tol((high - low) / ((double)up - (double)z[i]),
                                (double)diff[i], 2e-5);
    }
}
END_TEST

static double log_sum(const float *z)
{
    double sum = 0;
    for (size_t c = 0; c < K; c++) {
        sum += exp((double)z[c]);
    }
    return log(sum);
}

START_TEST(values_are_those_of_the_formulas)
{
    double ce = 0;
    double kl = 0;
    double margin = 0;
    for (size_t i = 0; i < N; i++) {
        const float *const z = logits + i * K;
        const float *const t = target + i * K;
        double other = -INFINITY;
        ce += log_sum(z) - (double)z[labels[i]];
        for (size_t c = 0; c < K; c++) {
            const double log_q = (double)t[c] - log_sum(t);
            kl += exp(log_q) * (log_q - (double)z[c] + log_sum(z));
            other = (int32_t)c == labels[i] ? other : fmax(other, (double)z[c]);
        }
        margin += other - (double)z[labels[i]];
    }
    ck_assert_double_eq_tol(value(CE, NULL, logits), ce / N, 1e-9);
    ck_assert_double_eq_tol(value(KL, NULL, logits), kl / N, 1e-9);
    ck_assert_double_eq_tol(value(MARGIN, NULL, logits), margin / N, 1e-9);
    ck_assert_double_eq(value(MSE, NULL, target), 0);
    ck_assert_double_eq_tol(value(KL, NULL, target), 0, 1e-12);
    // -(2 - 0.3) / (2 - 0.1), -(4 - 3.5) / (4 - 1), -(0.7 - 0.5) / (0.7 + 0.5)
    ck_assert_double_eq_tol(value(DLR, NULL, logits),
                            -(1.7 / 1.9 + 0.5 / 3 + 0.2 / 1.2) / 3, 1e-6);
    ck_assert_uint_eq(wsr_count_correct(logits, &shape, labels), 3);
    ck_assert_uint_eq(wsr_count_correct(target, &shape, labels), 3);
}
END_TEST

START_TEST(a_sure_classifier_still_has_a_gradient)
{
    const wsr_shape one = {2, {1, 2}};
    const float sure[2] = {40, 0};
    const int32_t label = 0;
    float diff[2];
    double loss = 0;
    ck_assert_ok(wsr_cross_entropy(&loss, diff, sure, &one, &label, 0));
    ck_assert(diff[0] < 0 && diff[1] > 0);
}
END_TEST

START_TEST(bad_arguments_are_named)
{
    const wsr_shape flat = {1, {ALL}};
    const wsr_shape two = {2, {ALL / 2, 2}};
    const wsr_shape single = {2, {ALL, 1}};
    const wsr_shape none = {2, {0, K}};
    const int32_t wrong[N] = {0, K, 1};
    float infinite[ALL];
    double loss = 0;
    ck_assert_fails(wsr_cross_entropy(&loss, NULL, logits, &flat, labels, 0),
                    WSR_SHAPE, "must have shape (n, classes), not (12)");
    ck_assert_fails(wsr_cross_entropy(&loss, NULL, logits, &none, labels, 0),
                    WSR_SHAPE, "not (0, 4)");
    ck_assert_fails(wsr_cross_entropy(&loss, NULL, logits, &shape, wrong, 0),
                    WSR_ARG, "label 4 of image 1 is outside [0, 3]");
    ck_assert_fails(wsr_margin_loss(&loss, NULL, logits, &shape, wrong),
                    WSR_ARG, "margin_loss: label 4");
    ck_assert_fails(
        wsr_cross_entropy(&loss, NULL, logits, &shape, labels, (double)NAN),
        WSR_ARG, "smoothing");
    ck_assert_fails(wsr_dlr_loss(&loss, NULL, logits, &two, labels), WSR_ARG,
                    "2 classes are less than 3");
    ck_assert_fails(wsr_margin_loss(&loss, NULL, logits, &single, labels),
                    WSR_ARG, "1 classes are less than 2");
    ck_assert_fails(wsr_mse(&loss, NULL, logits, target, &none), WSR_SHAPE,
                    "mse: shape (0, 4)");
    memcpy(infinite, logits, sizeof(infinite));
    infinite[5] = INFINITY;
    ck_assert_fails(wsr_cross_entropy(&loss, NULL, infinite, &shape, labels, 0),
                    WSR_NUMERIC, "cross_entropy: ");
    ck_assert_fails(wsr_mse(&loss, NULL, infinite, target, &shape), WSR_NUMERIC,
                    "mse: ");
}
END_TEST

enum {
    IMAGES = 4,
    NET_SIDE = 16,
    NET_FLOATS = IMAGES * 3 * NET_SIDE * NET_SIDE
};

static const int32_t classes_of[IMAGES] = {0, 2, 1, 2};

static wsr_plan *plan_of(const wsr_graph *graph)
{
    wsr_plan *plan = NULL;
    ck_assert_ok(
        wsr_plan_new(&plan, graph, IMAGES, WSR_GRAD_PARAMS | WSR_TRAIN));
    for (size_t i = 0; i < NET_FLOATS; i++) {
        wsr_plan_src(plan, "x")[i] = (float)(i * 37 % 101) / 101;
    }
    return plan;
}

static void attach_loss(wsr_graph *graph)
{
    const wsr_shape one = {1, {1}};
    wsr_value srcs[2];
    wsr_value loss = 0;
    ck_assert_ok(wsr_graph_value(&srcs[0], graph, "logits"));
    ck_assert_ok(wsr_graph_input(&srcs[1], graph, "labels", &one));
    ck_assert_ok(
        wsr_graph_op(&loss, graph, "cross_entropy", srcs, 2, "smoothing=0.1"));
    ck_assert_ok(wsr_graph_output(graph, "loss", loss));
}

static double backward_by_function(wsr_plan *plan)
{
    double loss = 0;
    ck_assert_ok(wsr_plan_forward(plan));
    ck_assert_ok(wsr_cross_entropy(
        &loss, wsr_plan_diff_dst(plan, "logits"), wsr_plan_dst(plan, "logits"),
        wsr_plan_shape(plan, "logits"), classes_of, 0.1));
    ck_assert_ok(wsr_plan_backward(plan));
    return loss;
}

static double backward_by_graph(wsr_plan *plan)
{
    double loss = 0;
    for (size_t i = 0; i < IMAGES; i++) {
        wsr_plan_src(plan, "labels")[i] = (float)classes_of[i];
        wsr_plan_diff_dst(plan, "loss")[i] = 1.0F / IMAGES;
    }
    ck_assert_ok(wsr_plan_forward(plan));
    ck_assert_ok(wsr_plan_backward(plan));
    for (size_t i = 0; i < IMAGES; i++) {
        loss += (double)wsr_plan_dst(plan, "loss")[i] / IMAGES;
    }
    return loss;
}

// A loss attached to the logits of a network's graph gives the parameters the
// same gradients as the function does.
START_TEST(a_loss_in_the_graph_has_the_same_gradient)
{
    static float first[1 << 12];
    wsr_net *net = NULL;
    wsr_graph *graph = NULL;
    size_t at = 0;
    float most = 0;
    ck_assert_ok(wsr_net_new(&net, NULL,
                             "genotype=cna_r,channels=4,layers=3,classes=3,"
                             "image_size=16",
                             1));
    wsr_params *const params = wsr_net_params(net);
    ck_assert_ok(wsr_net_graph(&graph, net, true));
    wsr_plan *const plain = plan_of(graph);
    attach_loss(graph);
    wsr_plan *const attached = plan_of(graph);
    ck_assert_ok(wsr_params_find(&at, params, "classifier.weight"));
    const size_t n = (size_t)wsr_shape_count(wsr_params_shape(params, at));
    ck_assert_uint_le(n, 1 << 12);

    const double loss = backward_by_function(plain);
    memcpy(first, wsr_params_grad(params, at), n * sizeof(float));
    wsr_params_zero_grad(params, true);
    ck_assert_double_eq_tol(backward_by_graph(attached), loss, 1e-6);
    const float *const second = wsr_params_grad(params, at);
    for (size_t i = 0; i < n; i++) {
        most = fmaxf(most, fabsf(first[i]));
        ck_assert_float_eq_tol(first[i], second[i], 1e-6F);
    }
    ck_assert_float_gt(most, 1e-4F);
    wsr_plan_free(plain);
    wsr_plan_free(attached);
    wsr_graph_free(graph);
    wsr_net_free(net);
}
END_TEST

Suite *suite(void)
{
    Suite *const s =
        suite_of("loss", (const TTest *const[]){
                             values_are_those_of_the_formulas,
                             a_sure_classifier_still_has_a_gradient,
                             bad_arguments_are_named,
                             a_loss_in_the_graph_has_the_same_gradient,
                             NULL,
                         });
    TCase *const loop = tcase_create("gradients");
    tcase_add_loop_test(loop, gradients_are_those_of_the_losses, CE, DLR + 1);
    suite_add_tcase(s, loop);
    return s;
}
