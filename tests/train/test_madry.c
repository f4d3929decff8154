// SPDX-License-Identifier: Apache-2.0

#include "train/train_step.h"

#include <math.h>

static double frozen_loss(const step_bench *b, const float *x)
{
    float logits[STEP_N * STEP_CLASSES];
    double sum = 0;
    wsr_model *model = NULL;
    ck_assert_ok(wsr_model_from_net(&model, b->net, STEP_N));
    ck_assert_ok(wsr_model_logits(logits, model, x, STEP_N));
    for (size_t i = 0; i < STEP_N; i++) {
        const wsr__loss_target target = {b->labels[i], -1, NULL};
        sum += wsr__loss_ce(NULL, NULL, logits + i * STEP_CLASSES, &target,
                            STEP_CLASSES);
    }
    wsr_model_free(model);
    return sum;
}

static float farthest(const step_bench *b)
{
    float most = 0;
    for (size_t i = 0; i < STEP_FLOATS; i++) {
        ck_assert(b->x_adv[i] >= 0 && b->x_adv[i] <= 1);
        most = fmaxf(most, fabsf(b->x_adv[i] - b->x[i]));
    }
    return most;
}

START_TEST(learning_is_from_images_in_the_ball_that_are_harder)
{
    step_bench b;
    step_open(&b, "madry:eps=0.05,steps=3");
    const double clean = frozen_loss(&b, b.x);
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    const float far = farthest(&b);
    ck_assert(far > 0.04f && far <= 0.05f);
    ck_assert(!b.step.clean_known);
    // Evaluated as the attack saw the network, before its statistics moved.
    step_bench fresh;
    step_open(&fresh, "natural");
    ck_assert_double_gt(frozen_loss(&fresh, b.x_adv), clean + 1e-3);
    step_close(&fresh);
    step_close(&b);
}
END_TEST

START_TEST(statistics_follow_the_learning_pass_alone)
{
    static const char *const specs[] = {"madry:steps=3",
                                        "madry:steps=3,mode=train"};
    for (size_t i = 0; i < 2; i++) {
        step_bench b;
        step_open(&b, specs[i]);
        const float before = step_tracked(&b);
        ck_assert_ok(b.trainer->batch(&b.step, b.options));
        ck_assert_float_eq(step_tracked(&b), before + 1);
        step_close(&b);
    }
}
END_TEST

START_TEST(a_clean_pass_moves_them_too_and_tells_clean_accuracy)
{
    step_bench b;
    step_open(&b, "madry:steps=1,clean_pass=true");
    const float before = step_tracked(&b);
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    ck_assert_float_eq(step_tracked(&b), before + 2);
    ck_assert(b.step.clean_known);
    step_close(&b);
}
END_TEST

START_TEST(the_attack_leaves_no_gradient_behind)
{
    step_bench b;
    step_bench c;
    double loss = 0;
    size_t correct = 0;
    step_open(&b, "madry:steps=2");
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    step_open(&c, "natural");
    ck_assert_ok(wsr__train_step_pass(&loss, &correct, &c.step, b.x_adv,
                                      (wsr__pass){1, 0}));
    ck_assert_double_eq(loss, b.step.loss);
    const wsr_params *const p = wsr_net_params(b.net);
    const wsr_params *const q = wsr_net_params(c.net);
    for (size_t i = 0; i < wsr_params_count(p); i++) {
        const size_t bytes = (size_t)wsr_shape_count(wsr_params_shape(p, i)) *
                             sizeof(float);
        if (wsr_params_trainable(p, i) && wsr_params_grad(q, i) != NULL) {
            ck_assert_int_eq(
                memcmp(wsr_params_grad(p, i), wsr_params_grad(q, i), bytes), 0);
        }
    }
    step_close(&b);
    step_close(&c);
}
END_TEST

START_TEST(starts_differ_and_depend_on_the_number_of_the_image)
{
    static const char *const specs[] = {
        "madry:steps=1,alpha=0.001,start=none", "madry:steps=1,alpha=0.001",
        "madry:steps=1,alpha=0.001,start=uniform"};
    float far[3];
    for (size_t i = 0; i < 3; i++) {
        step_bench b;
        step_open(&b, specs[i]);
        ck_assert_ok(b.trainer->batch(&b.step, b.options));
        far[i] = farthest(&b);
        float first[STEP_FLOATS];
        memcpy(first, b.x_adv, sizeof(first));
        b.step.id = 1000;
        ck_assert_ok(b.trainer->batch(&b.step, b.options));
        ck_assert(i == 0 || !same_bits(first, b.x_adv, sizeof(first)));
        step_close(&b);
    }
    ck_assert_float_le(far[0], 0.00101f);
    ck_assert(far[1] > 0.002f && far[1] < 0.008f);
    ck_assert(far[2] > 0.02f);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        learning_is_from_images_in_the_ball_that_are_harder,
        statistics_follow_the_learning_pass_alone,
        a_clean_pass_moves_them_too_and_tells_clean_accuracy,
        the_attack_leaves_no_gradient_behind,
        starts_differ_and_depend_on_the_number_of_the_image,
        NULL};
    return suite_of("madry", tests);
}
