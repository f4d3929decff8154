// SPDX-License-Identifier: Apache-2.0

#include "attack/model_support.h"

START_TEST(one_step_follows_the_gradient_of_the_ratio)
{
    toy_world *const w = toy_begin(7);
    wsr_attack_result *const r =
        toy_run(w, "pgddlr:steps=1,rel_length=1", "stop=false", 0.02f);
    for (size_t i = 0; i < TOY_N; i++) {
        const wsr__loss_target target = {w->labels[i], -1, NULL};
        float z[TOY_CLASSES];
        float dz[TOY_CLASSES];
        float dx[TOY_D];
        ck_assert_ok(toy_logits(z, w->x + i * TOY_D, 1, &w->of));
        (void)wsr__loss_dlr(dz, NULL, z, &target, TOY_CLASSES);
        ck_assert_ok(toy_backward(dx, dz, 1, &w->of));
        const float *const found = wsr_attack_result_images(r, 0) + i * TOY_D;
        for (size_t p = 0; p < TOY_D; p++) {
            const float moved = found[p] - w->x[i * TOY_D + p];
            ck_assert(moved * dx[p] >= 0);
        }
    }
    wsr_attack_result_free(r);
    toy_end(w);
}
END_TEST

START_TEST(models_with_few_classes_are_refused)
{
    toy_world *const w = toy_begin(7);
    const wsr_shape shape = wsr__shape3(TOY_C, TOY_SIDE, TOY_SIDE);
    wsr_model *two = NULL;
    wsr_attack *attack = NULL;
    wsr_attack_result *r = NULL;
    ck_assert_ok(
        wsr_model_new(&two, &shape, 2, toy_logits, toy_backward, &w->of));
    ck_assert_ok(wsr_attack_new(&attack, "pgddlr", NULL));
    ck_assert_fails(wsr_attack_run(&r, attack, two, w->x, w->labels, TOY_N),
                    WSR_ARG, "needs 3 classes, the model has 2");
    wsr_attack_free(attack);
    wsr_model_free(two);
    toy_end(w);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {one_step_follows_the_gradient_of_the_ratio,
                                  models_with_few_classes_are_refused, NULL};
    return suite_of("pgddlr", tests);
}
