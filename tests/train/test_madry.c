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

START_TEST(learning_is_from_images_in_the_ball_that_are_harder)
{
    step_bench b;
    step_open(&b, "madry:eps=0.05,steps=3");
    const double clean = frozen_loss(&b, b.x);
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    const float far = step_farthest(&b);
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

// Pixels that are not about the same.
static size_t differing(const float *a, const float *b)
{
    size_t n = 0;
    for (size_t i = 0; i < STEP_FLOATS; i++) {
        n += fabsf(a[i] - b[i]) > 1e-3F;
    }
    return n;
}

START_TEST(statistics_follow_the_learning_pass_alone)
{
    static const char *const specs[] = {"madry:steps=3",
                                        "madry:steps=3,mode=frozen",
                                        "madry:steps=3,mode=train"};
    for (size_t i = 0; i < 3; i++) {
        step_bench b;
        step_open(&b, specs[i]);
        const float before = step_tracked(&b);
        ck_assert_ok(b.trainer->batch(&b.step, b.options));
        ck_assert_float_eq(step_tracked(&b), before + 1);
        step_close(&b);
    }
}
END_TEST

// The image after one step from the clean one, with the gradient that a plan of
// the whole batch gives.
static void one_step(float *out, step_bench *b, unsigned purpose)
{
    wsr_plan *plan = NULL;
    const wsr__pgd pgd = {.eps = 0.05F, .alpha = 0.05F, .steps = 1};
    ck_assert_ok(wsr_plan_new(&plan, b->attack_graph, STEP_N, purpose));
    ck_assert_ok(wsr__pgd_plan(out, plan, b->x, b->labels, &pgd));
    wsr_plan_free(plan);
}

START_TEST(a_frozen_attack_sees_the_statistics_of_the_clean_batch)
{
    static float expected[STEP_FLOATS];
    static float running[STEP_FLOATS];
    static float batch[STEP_FLOATS];
    float stats[STEP_STATS];
    step_bench b;
    wsr_plan *clean = NULL;
    step_open(&b, "madry:steps=1,alpha=0.05,eps=0.05,start=none,mode=frozen");
    one_step(running, &b, WSR_GRAD_INPUT);
    one_step(batch, &b, WSR_GRAD_INPUT | WSR_TRAIN);
    const wsr_params *const params = wsr_net_params(b.net);
    (void)wsr__stats_copy(stats, params);
    ck_assert_ok(wsr_plan_new(&clean, b.attack_graph, STEP_N,
                              WSR_REFERENCE | WSR_TRAIN | WSR__TAKE_STATS));
    memcpy(wsr_plan_src(clean, "x"), b.x, sizeof(b.x));
    ck_assert_ok(wsr_plan_forward(clean));
    one_step(expected, &b, WSR_GRAD_INPUT);
    wsr__stats_put(params, stats);
    wsr_plan_free(clean);
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    ck_assert_uint_lt(differing(b.x_adv, expected), STEP_FLOATS / 100);
    ck_assert_uint_gt(differing(b.x_adv, running), STEP_FLOATS / 10);
    ck_assert_uint_gt(differing(b.x_adv, batch), STEP_FLOATS / 100);
    step_close(&b);
}
END_TEST

// Image by image an attack finds what it finds for a whole batch.
START_TEST(images_may_be_attacked_one_by_one)
{
    static const char *const specs[] = {
        "madry:steps=3",  "madry:steps=3,mode=frozen",
        "trades:steps=2", "trades:steps=2,norm=l2,eps=0.5",
        "mart:steps=2",   "fat:steps=4"};
    static float whole[STEP_FLOATS];
    for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
        step_bench b;
        step_bench c;
        step_open(&b, specs[i]);
        ck_assert_ok(b.trainer->batch(&b.step, b.options));
        memcpy(whole, b.x_adv, sizeof(whole));
        step_open(&c, specs[i]);
        step_by_images(&c);
        ck_assert_ok(c.trainer->batch(&c.step, c.options));
        ck_assert_uint_lt(differing(c.x_adv, whole), STEP_FLOATS / 100);
        step_close(&b);
        step_close(&c);
    }
}
END_TEST

START_TEST(an_attack_left_in_train_mode_moves_them_in_each_pass)
{
    step_bench b;
    step_open(&b, "madry:steps=3,mode=train_moving");
    const float before = step_tracked(&b);
    ck_assert_ok(b.trainer->batch(&b.step, b.options));
    ck_assert_float_eq(step_tracked(&b), before + 4);
    step_close(&b);
}
END_TEST

// Every other pixel is dark and starts darker: a perturbation that may go below
// 0 needs more than one step to come back, one that may not takes its step from
// 0.
START_TEST(a_perturbation_may_leave_the_range_of_pixels)
{
    static const char *const specs[] = {
        "madry:steps=1,alpha=0.01,eps=0.05",
        "madry:steps=1,alpha=0.01,eps=0.05,box_at_use=true"};
    static float noise[STEP_FLOATS];
    size_t bright[2] = {0, 0};
    for (size_t i = 0; i < 2; i++) {
        step_bench b;
        step_open(&b, specs[i]);
        for (size_t k = 0; k < STEP_FLOATS; k += 2) {
            noise[k] = -0.04F;
            b.x[k] *= 0.02F;
        }
        b.step.start_noise = noise;
        ck_assert_ok(b.trainer->batch(&b.step, b.options));
        for (size_t k = 0; k < STEP_FLOATS; k += 2) {
            ck_assert(b.x_adv[k] >= 0);
            bright[i] += b.x_adv[k] > 0;
        }
        step_close(&b);
    }
    ck_assert_uint_gt(bright[0], STEP_FLOATS / 10);
    ck_assert_uint_eq(bright[1], 0);
}
END_TEST

// The first gradient is that of another point, then.
START_TEST(a_start_need_not_be_clipped)
{
    static const char *const specs[] = {
        "madry:steps=1,noise=0.2", "madry:steps=1,noise=0.2,clip_start=false"};
    float clipped[STEP_FLOATS];
    for (size_t i = 0; i < 2; i++) {
        step_bench b;
        step_open(&b, specs[i]);
        ck_assert_ok(b.trainer->batch(&b.step, b.options));
        const float far = step_farthest(&b);
        ck_assert(far > 0.03F && far <= 0.031F);
        ck_assert(i == 0 || !same_bits(clipped, b.x_adv, sizeof(clipped)));
        memcpy(clipped, b.x_adv, sizeof(clipped));
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
        far[i] = step_farthest(&b);
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
        a_frozen_attack_sees_the_statistics_of_the_clean_batch,
        images_may_be_attacked_one_by_one,
        an_attack_left_in_train_mode_moves_them_in_each_pass,
        a_perturbation_may_leave_the_range_of_pixels,
        a_start_need_not_be_clipped,
        a_clean_pass_moves_them_too_and_tells_clean_accuracy,
        the_attack_leaves_no_gradient_behind,
        starts_differ_and_depend_on_the_number_of_the_image,
        NULL};
    return suite_of("madry", tests);
}
