// SPDX-License-Identifier: Apache-2.0

#include "attack/engine/pgd_plan.h"
#include "attack/model_support.h"
#include "eval/eval.h"
#include "wsr/net.h"

enum { N = 20, SIDE = 8 };

static wsr_net *small_net(void)
{
    wsr_net *net = NULL;
    ck_assert_ok(wsr_net_new(&net, NULL,
                             "genotype=cna_r,channels=4,layers=3,classes=4,"
                             "image_size=8",
                             3));
    return net;
}

static wsr_dataset *small_data(void)
{
    uint8_t bytes[N * 3 * SIDE * SIDE];
    int32_t labels[N];
    const wsr_shape shape = wsr__shape4(N, 3, SIDE, SIDE);
    wsr_dataset *dataset = NULL;
    wsr__rng rng = wsr__rng_at(1, WSR__RNG_TEST, 0, 0);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)wsr__rng_below(&rng, 256);
    }
    for (size_t i = 0; i < N; i++) {
        labels[i] = (int32_t)(i % 4);
    }
    ck_assert_ok(wsr_dataset_new(&dataset, bytes, labels, &shape, 4));
    return dataset;
}

START_TEST(strength_0_is_the_clean_accuracy)
{
    const float eps = 0;
    float x[N * 3 * SIDE * SIDE];
    float z[N * 4];
    double accuracy = 0;
    double right = 0;
    wsr_model *model = NULL;
    wsr_net *const net = small_net();
    wsr_dataset *const data = small_data();
    ck_assert_ok(wsr_model_from_net(&model, net, 8));
    ck_assert_ok(wsr_dataset_images(x, data, NULL, N));
    ck_assert_ok(wsr_model_logits(z, model, x, N));
    for (size_t i = 0; i < N; i++) {
        right += wsr__argmax(z + 4 * i, 4) == wsr_dataset_labels(data)[i];
    }
    ck_assert_ok(wsr_eval_released(&accuracy, net, data, &eps, 1, "batch=6"));
    ck_assert_double_eq_tol(accuracy, right / N, 1e-12);
    wsr_model_free(model);
    wsr_dataset_free(data);
    wsr_net_free(net);
}
END_TEST

// The definition, step by step, on a plan of the whole batch.
START_TEST(attack_and_prediction_share_the_statistics_that_the_attack_moves)
{
    const float eps[2] = {0.03f, 0.06f};
    static float x[N * 3 * SIDE * SIDE];
    static float x_adv[N * 3 * SIDE * SIDE];
    double accuracy[2];
    wsr_net *const net = small_net();
    wsr_net *const other = small_net();
    wsr_dataset *const data = small_data();
    wsr_graph *graph = NULL;
    wsr_plan *attack = NULL;
    wsr_plan *classify = NULL;
    ck_assert_ok(
        wsr_eval_released(accuracy, net, data, eps, 2, "batch=20,steps=3"));
    ck_assert_ok(wsr_dataset_images(x, data, NULL, N));
    ck_assert_ok(wsr_net_graph(&graph, other, false));
    ck_assert_ok(wsr_plan_new(&attack, graph, N,
                              WSR_GRAD_INPUT | WSR_TRAIN | WSR_MOVE_STATS));
    ck_assert_ok(wsr_plan_new(&classify, graph, N, WSR_FORWARD));
    for (size_t e = 0; e < 2; e++) {
        const wsr__pgd pgd = {
            .eps = eps[e], .alpha = 2.5f * eps[e] / 3, .steps = 3};
        double right = 0;
        ck_assert_ok(
            wsr__pgd_plan(x_adv, attack, x, wsr_dataset_labels(data), &pgd));
        memcpy(wsr_plan_src(classify, "x"), x_adv, sizeof(x_adv));
        ck_assert_ok(wsr_plan_forward(classify));
        for (size_t i = 0; i < N; i++) {
            right += wsr__argmax(wsr_plan_dst(classify, "logits") + 4 * i, 4) ==
                     wsr_dataset_labels(data)[i];
        }
        ck_assert_double_eq_tol(accuracy[e], right / N, 1e-12);
    }
    wsr_plan_free(attack);
    wsr_plan_free(classify);
    wsr_graph_free(graph);
    wsr_dataset_free(data);
    wsr_net_free(net);
    wsr_net_free(other);
}
END_TEST

START_TEST(the_network_is_as_before)
{
    const float eps = 0.05f;
    double accuracy = 0;
    wsr_net *const net = small_net();
    wsr_net *const other = small_net();
    wsr_dataset *const data = small_data();
    ck_assert_ok(
        wsr_eval_released(&accuracy, net, data, &eps, 1, "batch=8,steps=2"));
    const wsr_params *const a = wsr_net_params(net);
    const wsr_params *const b = wsr_net_params(other);
    for (size_t i = 0; i < wsr_params_count(a); i++) {
        ck_assert_mem_eq(wsr_params_data(a, i), wsr_params_data(b, i),
                         (size_t)wsr_shape_count(wsr_params_shape(a, i)) *
                             sizeof(float));
    }
    wsr_dataset_free(data);
    wsr_net_free(net);
    wsr_net_free(other);
}
END_TEST

START_TEST(bad_input_is_named)
{
    const float eps = NAN;
    const float fine = 0.1f;
    double accuracy = 0;
    wsr_net *const net = small_net();
    wsr_dataset *const data = small_data();
    ck_assert_fails(wsr_eval_released(&accuracy, net, data, &eps, 1, NULL),
                    WSR_ARG, "strength nan");
    ck_assert_fails(
        wsr_eval_released(&accuracy, net, data, &fine, 1, "count=21"), WSR_ARG,
        "21 images");
    ck_assert_fails(
        wsr_eval_released(&accuracy, net, data, &fine, 1, "step=21"),
        WSR_CONFIG, "steps");
    wsr_dataset_free(data);
    wsr_net_free(net);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        strength_0_is_the_clean_accuracy,
        attack_and_prediction_share_the_statistics_that_the_attack_moves,
        the_network_is_as_before, bad_input_is_named, NULL};
    return suite_of("released", tests);
}
