// SPDX-License-Identifier: Apache-2.0

#include "train/train_step.h"

// The gradient by the images of a plan in the mode of the attack.
static void gradient_of(float *grad, const step_bench *b, unsigned purpose)
{
    wsr_plan *plan = NULL;
    ck_assert_ok(
        wsr_plan_new(&plan, b->attack_graph, STEP_N, WSR_GRAD_INPUT | purpose));
    memcpy(wsr_plan_src(plan, "x"), b->x, sizeof(b->x));
    ck_assert_ok(wsr_plan_forward(plan));
    const wsr__ce_batch of = {
        .labels = b->labels, .n = STEP_N, .classes = STEP_CLASSES, .weight = 1};
    (void)wsr__mean_cross_entropy(wsr_plan_diff_dst(plan, "logits"),
                                  wsr_plan_dst(plan, "logits"), &of);
    ck_assert_ok(wsr_plan_backward(plan));
    memcpy(grad, wsr_plan_diff_src(plan, "x"), sizeof(b->x));
    wsr_plan_free(plan);
}

START_TEST(images_are_one_step_along_the_sign_away)
{
    static const char *const specs[] = {"fgsm:eps=0.05,mode=eval",
                                        "fgsm:eps=0.05"};
    static float grad[STEP_FLOATS];
    for (size_t i = 0; i < 2; i++) {
        step_bench b;
        step_open(&b, specs[i]);
        gradient_of(grad, &b, i == 0 ? 0 : WSR_TRAIN);
        ck_assert_ok(b.trainer->batch(&b.step, b.options));
        for (size_t k = 0; k < STEP_FLOATS; k++) {
            const float sign = (float)(grad[k] > 0) - (float)(grad[k] < 0);
            const float want = fminf(fmaxf(b.x[k] + 0.05F * sign, 0), 1);
            ck_assert_float_eq_tol(b.x_adv[k], want, 1e-6F);
        }
        step_close(&b);
    }
}
END_TEST

START_TEST(the_attack_moves_statistics_unless_it_sees_frozen_ones)
{
    static const char *const specs[] = {"fgsm:mode=eval", "fgsm:mode=train",
                                        "fgsm"};
    static const float moves[] = {1, 1, 2};
    for (size_t i = 0; i < 3; i++) {
        step_bench b;
        step_open(&b, specs[i]);
        const float before = step_tracked(&b);
        ck_assert_ok(b.trainer->batch(&b.step, b.options));
        ck_assert_float_eq(step_tracked(&b), before + moves[i]);
        step_close(&b);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        images_are_one_step_along_the_sign_away,
        the_attack_moves_statistics_unless_it_sees_frozen_ones, NULL};
    return suite_of("fgsm", tests);
}
